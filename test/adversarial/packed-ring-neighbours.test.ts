/** What a driver of a packed ring must not write, on every kind of queue, beside an honest pair. */
import { strict as assert } from 'node:assert';
import type { FaultName } from '../../src/base/fault.ts';
import { PackedDescFlag, PackedEventFlags } from '../../src/wire/virtqueue.ts';
import {
  assertStopped,
  exposeHonest,
  queueOf,
  ringOf,
  TARGETS,
  usedSince,
  type Target,
} from '../support/attack-targets.ts';
import {
  INDIRECT,
  linked,
  NEXT,
  raw,
  tableOf,
  WRITE,
  type RawDesc,
} from '../support/hostile-ring.ts';
import { besideNeighbours } from '../support/neighbours.ts';
import type { PackedDouble } from '../support/packed-double.ts';
import type { Rig } from '../support/rig.ts';

const { AVAIL, USED } = PackedDescFlag;
const PACKED = ['VIRTIO_F_RING_PACKED', 'VIRTIO_RING_F_INDIRECT_DESC', 'VIRTIO_RING_F_EVENT_IDX'];

interface Context {
  readonly rig: Rig;
  readonly ring: PackedDouble;
  readonly target: Target;
  /** A descriptor that points the right way at fresh memory of a. */
  good(bytes?: number): RawDesc;
}

function contextOf(rig: Rig, target: Target): Context {
  const good = (bytes = 256) => raw(rig.guest('a').slice.allocate(bytes), bytes, target.direction);
  return { rig, ring: ringOf(rig, target) as PackedDouble, target, good };
}

/** Lists that go back with length 0, each with the fault that names it. */
const LISTS: readonly {
  readonly title: string;
  readonly fault: FaultName;
  readonly list: (context: Context) => RawDesc[];
}[] = [
  {
    title: 'a table behind a direct descriptor (packed: indirect with NEXT)',
    fault: 'indirect-with-next',
    list: ({ ring, good }) => [good(), tableOf(ring, [good()])],
  },
  {
    title: 'a table with NEXT (packed: indirect with NEXT)',
    fault: 'indirect-with-next',
    list: ({ ring, good }) => [tableOf(ring, [good()]), good()],
  },
  {
    title: 'a table that names itself (packed: NEXT in indirect)',
    fault: 'indirect-nested',
    list: ({ ring, good }) => {
      const table = tableOf(ring, [good(), good()]);
      ring.slice.write(
        table.low + table.high * 2 ** 32,
        ring.encode({ ...table, flags: INDIRECT | NEXT }),
      );
      return [table];
    },
  },
  {
    title: 'a table longer than the queue (CVE-2026-16457)',
    fault: 'indirect-length',
    list: ({ ring, good }) => [{ ...tableOf(ring, [good()]), length: 16 * 65 }],
  },
  {
    title: 'a table of 2^32 - 16 bytes',
    fault: 'indirect-length',
    list: ({ ring, good }) => [{ ...tableOf(ring, [good()]), length: 0xfffffff0 }],
  },
  {
    title: 'a buffer outside',
    fault: 'address-out-of-range',
    list: () => [raw(2 ** 40, 64)],
  },
  {
    title: 'a buffer at 2^53 more',
    fault: 'address-out-of-range',
    list: ({ good }) => {
      const desc = good();
      return [{ ...desc, high: desc.high + 0x200000 }];
    },
  },
  {
    title: 'a readable descriptor behind a writable one',
    fault: 'readable-after-writable',
    list: ({ good }) => [
      { ...good(), flags: WRITE },
      { ...good(), flags: 0 },
    ],
  },
  {
    title: 'more descriptors than the limit',
    fault: 'chain-too-long',
    list: ({ good }) => Array.from({ length: 40 }, () => good(1)),
  },
  {
    title: 'more descriptors in a table than the limit',
    fault: 'chain-too-long',
    list: ({ ring, good }) => [
      tableOf(
        ring,
        Array.from({ length: 64 }, () => good(1)),
      ),
    ],
  },
];

/** What stops the ring. */
const STOPS: readonly {
  readonly title: string;
  readonly fault: FaultName;
  readonly attack: (context: Context) => void;
}[] = [
  {
    title: 'the marks of a used descriptor where none was used (packed: AVAIL==USED)',
    fault: 'descriptor-marks-invalid',
    attack: ({ ring }) => ring.breakAtLook(),
  },
  {
    title: 'a list whose rest is not available (packed: first before rest)',
    fault: 'descriptor-list-incomplete',
    attack: ({ ring }) => ring.setFlags(ring.next.position, ring.marks(ring.next) | NEXT),
  },
  {
    title: 'a list as long as the ring and one more (packed: ring full)',
    fault: 'descriptor-list-incomplete',
    attack: ({ ring }) => {
      for (const place of ring.placesFrom(ring.next, ring.size))
        ring.setFlags(place.position, ring.marks(place) | NEXT);
    },
  },
  {
    title: 'one id for all buffers (packed: duplicate id)',
    fault: 'head-in-flight',
    attack: ({ ring, rig, target }) => {
      for (let n = 0; n < 4; n++) ring.submitRaw(target.honest(rig), 7);
    },
  },
];

describe('a packed ring beside an honest pair', () => {
  for (const target of TARGETS) {
    const features = [...(target.scenario.features ?? []), ...PACKED];

    for (const { title, fault, list } of LISTS) {
      it(`[utest->req~queue.chain-checked~1] ${target.name}: ${title} goes back, the next is served`, () => {
        let from = 0;
        let ids: number[] = [];
        besideNeighbours({
          ...target.scenario,
          features,
          attack: (rig) => {
            const context = contextOf(rig, target);
            from = context.ring.usedIndex;
            ids = [context.ring.submitRaw(list(context)), exposeHonest(rig, target)];
          },
          then: (rig) => {
            assert.deepEqual(rig.faults('a'), { [fault]: 1 });
            assert.equal(queueOf(rig, target).ring.started, true);
            assert.deepEqual(usedSince(ringOf(rig, target), from), [
              { id: ids[0], length: 0 },
              { id: ids[1], length: target.honestUsed },
            ]);
          },
        });
      });
    }

    it(`[utest->req~queue.packed-tables~1] ${target.name}: NEXT all over a table changes nothing (packed: NEXT in indirect)`, () => {
      let from = 0;
      let id = 0;
      besideNeighbours({
        ...target.scenario,
        features,
        attack: (rig) => {
          const ring = ringOf(rig, target) as PackedDouble;
          const looping = linked(target.honest(rig)).map((desc) => ({
            ...desc,
            flags: desc.flags | NEXT | AVAIL | USED,
          }));
          from = ring.usedIndex;
          id = ring.submitRaw([tableOf(ring, looping)]);
          exposeHonest(rig, target);
        },
        then: (rig) => {
          assert.deepEqual(rig.faults('a'), {});
          const [first] = usedSince(ringOf(rig, target), from);
          assert.equal(first!.id, id);
          assert.ok(first!.length > 0 || target.role === 'transmit');
        },
      });
    });

    for (const { title, fault, attack } of STOPS) {
      it(`[utest->req~queue.packed-lists~1] ${target.name}: ${title} stops it, and nobody else`, () => {
        besideNeighbours({
          ...target.scenario,
          features,
          attack: (rig) => attack(contextOf(rig, target)),
          then: (rig) => assertStopped(rig, target, fault),
        });
      });
    }

    it(`[utest->req~queue.packed-lists~1] ${target.name}: flags that change at every turn stop it or do not (packed: toggle mid-chain)`, () => {
      let turn = 0;
      besideNeighbours({
        ...target.scenario,
        features,
        attack: (rig) => exposeHonest(rig, target),
        meanwhile: (rig) => {
          const ring = ringOf(rig, target) as PackedDouble;
          turn++;
          for (let n = 0; n < ring.size; n++)
            ring.setFlags(n, (turn * 0x9e37 + n * 0x79b9) & 0xffff);
        },
      });
    });

    it(`[utest->req~queue.notify-suppression~1] ${target.name}: an event structure of nonsense costs only its own driver (packed: event off)`, () => {
      besideNeighbours({
        ...target.scenario,
        features,
        attack: (rig) => {
          const ring = ringOf(rig, target) as PackedDouble;
          ring.setDriverEvent(0xfffc | PackedEventFlags.DESC, { position: 0x7fff, wrap: 1 });
          exposeHonest(rig, target);
        },
      });
    });
  }
});
