/** Rings that their guest scribbles over, that overlap, or that are buffers too, beside an honest pair (2.7). */
import { strict as assert } from 'node:assert';
import { FAULT_NAMES } from '../../src/base/fault.ts';
import { QueueCounter } from '../../src/channel/counters.ts';
import { NotifyKind } from '../../src/channel/command-channel.ts';
import { usedRingBytes } from '../../src/wire/virtqueue.ts';
import {
  exposeHonest,
  HONEST_FIRST,
  HOSTILE_FIRST,
  queueOf,
  ringOf,
  TARGETS,
  usedSince,
  type Target,
} from '../support/attack-targets.ts';
import { NEXT, raw, WRITE, writeTable, type RawDesc } from '../support/hostile-ring.ts';
import { besideNeighbours } from '../support/neighbours.ts';
import type { Rig } from '../support/rig.ts';

const SIZE = 64;

function scribbleUsedRing(rig: Rig, target: Target, byte: number): void {
  const { used, slice } = ringOf(rig, target);
  slice.write(used, new Uint8Array(usedRingBytes(SIZE)).fill(byte));
}

/** Everything that went wrong is a fault of a, and of its attacked ring if that stopped. */
function assertOnlyFaultsOfA(rig: Rig, target: Target): void {
  const { ring } = queueOf(rig, target);
  const names = Object.keys(rig.faults('a'));
  if (!ring.started)
    assert.ok(names.includes(FAULT_NAMES[ring.brokenBy]!), 'a ring stops with a fault');
}

describe('a used ring that its guest writes', () => {
  for (const target of TARGETS) {
    it(`[utest->req~mem.single-fetch~1] ${target.name}: is written from the device's own index (catalogue 22)`, () => {
      let from = 0;
      besideNeighbours({
        ...target.scenario,
        attack: (rig) => {
          from = ringOf(rig, target).usedIndex;
          scribbleUsedRing(rig, target, 0xa5);
          exposeHonest(rig, target);
        },
        then: (rig) => {
          const ring = ringOf(rig, target);
          assert.deepEqual(rig.faults('a'), {});
          assert.equal(ring.usedIndex, from + 1);
          assert.equal(ring.usedElement(from).id, HONEST_FIRST);
        },
      });
    });

    it(`[utest->req~fault.contain~1] ${target.name}: changes nothing while it is served (catalogue 22)`, () => {
      let scribble = 0;
      besideNeighbours({
        ...target.scenario,
        attack: (rig) => {
          exposeHonest(rig, target);
        },
        meanwhile: (rig) => scribbleUsedRing(rig, target, scribble++ & 0xff),
        then: (rig) => {
          assert.deepEqual(rig.faults('a'), {});
          assert.equal(
            queueOf(rig, target).ring.taken,
            ringOf(rig, target).availIndex,
            'the request was served',
          );
        },
      });
    });
  }
});

/** Where the three parts begin, as the part whose place they share and a distance in bytes. */
const OVERLAPS: readonly (readonly [string, { desc: number; avail: number; used: number }])[] = [
  ['all three in one place', { desc: 0, avail: 0, used: 0 }],
  ['available and used ring in one place', { desc: 0, avail: 2048, used: 2048 }],
  ['the used ring on the descriptor table', { desc: 0, avail: 2048, used: 0 }],
  ['the available ring on the descriptor table', { desc: 0, avail: 0, used: 2048 }],
  ['the used index on the first available entry', { desc: 0, avail: 2048, used: 2052 }],
  ['the used ring across the last descriptors', { desc: 0, avail: 2048, used: 1024 - 64 }],
  ['the available index on the used index', { desc: 0, avail: 2050, used: 2048 }],
];

/** Starts the attacked ring at these places of a fresh area, with an honest request in it. */
function startOverlapping(
  rig: Rig,
  target: Target,
  at: { desc: number; avail: number; used: number },
): void {
  const { slice } = rig.guest('a');
  const area = slice.allocate(4096, 16);
  const ring = ringOf(rig, target);
  Object.assign(ring, {
    desc: area + at.desc,
    avail: area + at.avail,
    used: area + at.used,
    availIndex: 0,
  });
  const queue = queueOf(rig, target);
  queue.start(
    {
      size: SIZE,
      descAt: slice.at(area + at.desc),
      availAt: slice.at(area + at.avail),
      usedAt: slice.at(area + at.used),
      eventIdx: false,
      indirect: false,
      packed: false,
      index: 0,
    },
    NotifyKind.NONE,
    0,
  );
  for (let n = 0; n < 4; n++) exposeHonest(rig, target);
}

describe('parts of a ring that overlap', () => {
  for (const target of TARGETS) {
    for (const [title, at] of OVERLAPS) {
      it(`[utest->req~fault.contain~1] ${target.name}: ${title} harms nobody else (catalogue 23)`, () => {
        besideNeighbours({
          ...target.scenario,
          attack: (rig) => startOverlapping(rig, target, at),
          then: (rig) => assertOnlyFaultsOfA(rig, target),
        });
      });
    }
  }
});

/** Descriptors that use the ring's own parts as buffers, in the direction of the queue. */
function ownParts(rig: Rig, target: Target): RawDesc[] {
  const { desc, avail, used } = ringOf(rig, target);
  if (target.role !== 'control')
    return [desc, avail, used].map((part) => raw(part, 2048, target.direction));
  return [desc, avail + 2, used + 2].map((part) => raw(part, 1, WRITE));
}

describe('a buffer that is a part of its own ring', () => {
  const parts = ['descriptor table', 'available ring', 'used ring'];
  for (const target of TARGETS) {
    parts.forEach((part, n) => {
      it(`[utest->req~fault.contain~1] ${target.name}: the ${part} harms nobody else (catalogue 23)`, () => {
        besideNeighbours({
          ...target.scenario,
          attack: (rig) => {
            const ring = ringOf(rig, target);
            const own = ownParts(rig, target)[n]!;
            const [command] = target.honest(rig);
            writeTable(
              ring,
              target.role === 'control'
                ? [{ ...command!, flags: NEXT, next: HOSTILE_FIRST + 1 }, own]
                : [own],
              HOSTILE_FIRST,
            );
            ring.expose(HOSTILE_FIRST);
          },
          then: (rig) => assertOnlyFaultsOfA(rig, target),
        });
      });
    });
  }

  it('[utest->req~queue.chain-returned~1] transmitq: the ring as a packet is refused and returned (catalogue 23)', () => {
    const target = TARGETS.find((candidate) => candidate.role === 'transmit')!;
    let from = 0;
    besideNeighbours({
      attack: (rig) => {
        const ring = ringOf(rig, target);
        from = ring.usedIndex;
        writeTable(ring, [raw(ring.desc, 1024)], HOSTILE_FIRST);
        ring.expose(HOSTILE_FIRST);
      },
      then: (rig) => {
        const ring = ringOf(rig, target);
        assert.deepEqual(usedSince(ring, from), [{ id: HOSTILE_FIRST, length: 0 }]);
        assert.equal(rig.counters.queue(queueOf(rig, target).index, QueueCounter.FAULTY), 1);
      },
    });
  });
});
