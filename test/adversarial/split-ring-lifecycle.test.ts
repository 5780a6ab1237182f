/** Requests before a ring runs, after it stopped, and mistakes in the middle of a packet, beside an honest pair. */
import { strict as assert } from 'node:assert';
import { CommandKind } from '../../src/channel/command-channel.ts';
import {
  assertStopped,
  exposeHonest,
  queueOf,
  ringOf,
  TARGETS,
  usedSince,
  type Target,
} from '../support/attack-targets.ts';
import { linked, raw, WRITE, writeTable, type RawDesc } from '../support/hostile-ring.ts';
import { besideNeighbours, command, startRing } from '../support/neighbours.ts';
import type { Rig } from '../support/rig.ts';
import { RingDouble } from '../support/ring-double.ts';

interface Stop {
  readonly title: string;
  readonly stop: (rig: Rig, target: Target) => void;
  readonly release?: (rig: Rig) => void;
}

/** Three ways in which a ring is not served. */
const STOPS: readonly Stop[] = [
  { title: 'without DRIVER_OK', stop: (rig) => rig.plane.devices[0]!.stop() },
  { title: 'after its reset', stop: (rig, target) => queueOf(rig, target).ring.stop() },
  {
    title: 'of a partition that is held',
    stop: (rig) => {
      rig.plane.partitions[0]!.running = false;
    },
    release: (rig) => command(rig, CommandKind.RUN_PARTITION, 0),
  },
];

/** What the driver does to a ring that does not run. */
const ACTS: readonly (readonly [string, (rig: Rig, target: Target) => void])[] = [
  [
    'a request',
    (rig, target) => {
      exposeHonest(rig, target);
    },
  ],
  ['a wrong head', (rig, target) => ringOf(rig, target).expose(0xffff)],
  ['a wrong index', (rig, target) => ringOf(rig, target).setAvailIndex(0x8000)],
];

describe('a ring that does not run', () => {
  for (const target of TARGETS) {
    for (const { title, stop, release } of STOPS) {
      for (const [what, act] of ACTS) {
        it(`[utest->req~queue.reset~1] ${target.name} ${title}: ${what} is not looked at (catalogue 28)`, () => {
          let from = 0;
          besideNeighbours({
            ...target.scenario,
            attack: (rig) => {
              from = ringOf(rig, target).usedIndex;
              stop(rig, target);
              act(rig, target);
            },
            then: (rig) => {
              assert.deepEqual(usedSince(ringOf(rig, target), from), []);
              assert.deepEqual(rig.faults('a'), {});
              release?.(rig);
            },
          });
        });
      }
    }
  }
});

describe('one ring that is stopped and started again', () => {
  for (const target of TARGETS) {
    it(`[utest->req~queue.reset~1] ${target.name}: works at its new place after a fault (catalogue 28)`, () => {
      let fresh: RingDouble | undefined;
      besideNeighbours({
        ...target.scenario,
        attack: (rig) => {
          const broken = ringOf(rig, target);
          const { index } = queueOf(rig, target);
          broken.setAvailIndex(broken.availIndex - 1);
          queueOf(rig, target).look();
          assertStopped(rig, target, 'avail-index-out-of-range');
          fresh = new RingDouble(broken.slice, broken.size);
          command(rig, CommandKind.STOP_QUEUE, index);
          startRing(rig, rig.plan.queues[index]!, fresh);
          writeTable(fresh, linked(target.honest(rig)));
          fresh.expose(0);
        },
        then: (rig) => {
          assert.equal(queueOf(rig, target).ring.started, true);
          assert.deepEqual(
            fresh!.usedElements.map((element) => element.id),
            [0],
          );
        },
      });
    });
  }
});

const MERGEABLE = { features: ['VIRTIO_NET_F_MRG_RXBUF'], supplied: false } as const;
const RECEIVE = TARGETS.find((target) => target.role === 'receive')!;
const FIRST_PACKET = 12 + 200;
const SECOND_PACKET = 12 + 240;

/** Gives the receive ring of a these buffers, head n for the n-th. */
function give(rig: Rig, buffers: readonly RawDesc[]): void {
  const ring = ringOf(rig, RECEIVE);
  writeTable(ring, buffers);
  buffers.forEach((_buffer, head) => ring.expose(head));
}

function buffer(rig: Rig, bytes: number): RawDesc {
  const { slice } = rig.guest('a');
  const address = slice.allocate(bytes);
  slice.write(address, new Uint8Array(bytes).fill(0xee));
  return raw(address, bytes, WRITE);
}

function untouched(rig: Rig, { low, high, length }: RawDesc): boolean {
  return rig
    .guest('a')
    .slice.read(high * 2 ** 32 + low, length)
    .every((byte) => byte === 0xee);
}

describe('a mistake in the middle of a packet', () => {
  it('[utest->req~queue.chain-returned~1] a faulty second buffer brings both back empty (catalogue 30)', () => {
    let first: RawDesc | undefined;
    besideNeighbours({
      ...MERGEABLE,
      attack: (rig) => {
        first = buffer(rig, 100);
        give(rig, [first, raw(0, 100, WRITE), buffer(rig, 2048)]);
      },
      then: (rig) => {
        assert.deepEqual(usedSince(ringOf(rig, RECEIVE), 0), [
          { id: 0, length: 0 },
          { id: 1, length: 0 },
          { id: 2, length: SECOND_PACKET },
        ]);
        assert.deepEqual(rig.faults('a'), { 'address-out-of-range': 1 });
        assert.equal(rig.route('b-a').drops['receiver-fault'], 1);
        assert.ok(untouched(rig, first!), 'nothing is written before all buffers are judged');
      },
    });
  });

  it('[utest->req~queue.chain-returned~1] a wrong second head stops the ring with nothing written (catalogue 30)', () => {
    let first: RawDesc | undefined;
    besideNeighbours({
      ...MERGEABLE,
      attack: (rig) => {
        first = buffer(rig, 100);
        give(rig, [first]);
        ringOf(rig, RECEIVE).expose(0xffff);
      },
      then: (rig) => {
        assertStopped(rig, RECEIVE, 'head-out-of-range');
        assert.deepEqual(usedSince(ringOf(rig, RECEIVE), 0), []);
        assert.ok(untouched(rig, first!));
      },
    });
  });

  it('[utest->req~queue.in-flight-once~1] the same buffer twice in one packet stops the ring (catalogue 6, 30)', () => {
    besideNeighbours({
      ...MERGEABLE,
      attack: (rig) => {
        give(rig, [buffer(rig, 150)]);
        ringOf(rig, RECEIVE).expose(0);
      },
      then: (rig) => {
        assertStopped(rig, RECEIVE, 'head-in-flight');
        assert.deepEqual(usedSince(ringOf(rig, RECEIVE), 0), []);
      },
    });
  });

  it('[utest->req~net.receive-buffers~1] too few buffers are kept for the next packet that fits (catalogue 30)', () => {
    besideNeighbours({
      ...MERGEABLE,
      attack: (rig) => give(rig, [buffer(rig, 100), buffer(rig, 100)]),
      meanwhile: (rig) => {
        const ring = ringOf(rig, RECEIVE);
        if (rig.route('b-a').drops['no-receive-buffer'] !== 4 || ring.availIndex > 2) return;
        writeTable(ring, [buffer(rig, 20)], 2);
        ring.expose(2);
      },
      then: (rig) => {
        assert.deepEqual(rig.faults('a'), {});
        assert.deepEqual(usedSince(ringOf(rig, RECEIVE), 0), [
          { id: 0, length: 100 },
          { id: 1, length: 100 },
          { id: 2, length: FIRST_PACKET - 200 },
        ]);
      },
    });
  });

  it('[utest->req~net.receive-buffers~1] more descriptors than a route allows drop the packet (catalogue 29, 30)', () => {
    besideNeighbours({
      ...MERGEABLE,
      attack: (rig) =>
        give(
          rig,
          Array.from({ length: 40 }, (_, n) => buffer(rig, n === 0 ? 12 : 2)),
        ),
      then: (rig) => {
        const { drops } = rig.route('b-a');
        assert.ok(drops['receiver-fault']! >= 1);
        assert.ok(usedSince(ringOf(rig, RECEIVE), 0).every((element) => element.length === 0));
        assert.equal(queueOf(rig, RECEIVE).ring.started, true);
      },
    });
  });
});
