/** Ring sizes and places that a driver must not set, and rings that are not there yet (2.7, 4.1.4.3). */
import { strict as assert } from 'node:assert';
import {
  QueueRegisters,
  type AddressRegister,
} from '../../src/control-plane/pci/queue-registers.ts';
import { DeviceQueue } from '../../src/data-plane/device-queue.ts';
import { GuestMemory } from '../../src/data-plane/guest-memory.ts';
import { PackedQueue } from '../../src/data-plane/virtqueue/packed-queue.ts';
import { SplitQueue } from '../../src/data-plane/virtqueue/split-queue.ts';
import type { Access } from '../support/observed-arena.ts';
import { observing } from '../support/observed-arena.ts';
import { Rig } from '../support/rig.ts';
import { RingBench } from '../support/ring-bench.ts';

const BASE = 0x1_0000_0000;
const BYTES = 0x10000;
const ARENA_AT = 0x20000;
const SIZE = 64;

type Part = 'desc' | 'driver' | 'device';
type Parts = Record<Part, { bytes: number; align: number }>;
/** Bytes and alignment of each part for a queue of 64: 2.7, with the event words of 2.7.6 and 2.7.8. */
const SPLIT: Parts = {
  desc: { bytes: 16 * SIZE, align: 16 },
  driver: { bytes: 6 + 2 * SIZE, align: 2 },
  device: { bytes: 6 + 8 * SIZE, align: 4 },
};
/** 2.8.10.1. */
const PACKED: Parts = {
  desc: { bytes: 16 * SIZE, align: 16 },
  driver: { bytes: 4, align: 4 },
  device: { bytes: 4, align: 4 },
};
const LAYOUTS = [
  { layout: 'split', packed: false, parts: SPLIT },
  { layout: 'packed', packed: true, parts: PACKED },
] as const;
const NAMES = Object.keys(SPLIT) as Part[];
/** Good places, far from each other. */
const GOOD: Record<Part, number> = {
  desc: BASE + 0x1000,
  driver: BASE + 0x3000,
  device: BASE + 0x5000,
};

function memoryAt(arenaAt = ARENA_AT): GuestMemory {
  const memory = new GuestMemory();
  memory.setRegions([{ guestPhysical: BASE, size: BYTES, arenaAt }]);
  return memory;
}

function set(register: AddressRegister, address: number): void {
  register.low = address % 2 ** 32;
  register.high = Math.floor(address / 2 ** 32);
}

function registers(changes: Partial<Record<Part, number>> = {}): QueueRegisters {
  const queue = new QueueRegisters(0, SIZE);
  for (const part of NAMES) set(queue[part], changes[part] ?? GOOD[part]);
  return queue;
}

describe('the size of a queue', () => {
  for (const sizeMax of [1, 4, 256, 32768]) {
    it(`[utest->req~queue.setup-valid~1] is a power of two up to ${sizeMax} or is not taken (catalogue 25)`, () => {
      const powers = new Set(Array.from({ length: 16 }, (_, n) => 2 ** n));
      assertSizes(sizeMax, false, (size) => powers.has(size) && size <= sizeMax);
    });

    it(`[utest->req~queue.setup-valid~1] is anything from 1 to ${sizeMax} where rings are packed (catalogue 25)`, () => {
      assertSizes(sizeMax, true, (size) => size > 0 && size <= sizeMax);
    });
  }

  function assertSizes(sizeMax: number, packed: boolean, isValid: (size: number) => boolean): void {
    const queue = new QueueRegisters(0, sizeMax);
    for (let size = 0; size <= 0xffff; size++) {
      const before = queue.size;
      const valid = isValid(size);
      assert.equal(queue.setSize(size, packed), valid, `size ${size}`);
      assert.equal(queue.size, valid ? size : before);
    }
  }
});

for (const { layout, packed, parts } of LAYOUTS) {
  describe(`the place of a ${layout} ring`, () => {
    const place = (queue: QueueRegisters, memory = memoryAt()) => queue.place(memory, packed);

    it('[utest->req~queue.setup-valid~1] is taken where all parts are inside and aligned (catalogue 27)', () => {
      assert.deepEqual(place(registers()), {
        descAt: ARENA_AT + 0x1000,
        availAt: ARENA_AT + 0x3000,
        usedAt: ARENA_AT + 0x5000,
      });
    });

    for (const part of NAMES) {
      const { bytes, align } = parts[part];
      it(`[utest->req~queue.setup-valid~1] is refused for every misalignment of ${part} (catalogue 27)`, () => {
        for (let off = 1; off < 32; off++) {
          const placed = place(registers({ [part]: GOOD[part] + off }));
          assert.equal(placed !== undefined, off % align === 0, `${off} bytes off`);
        }
      });

      it(`[utest->req~queue.setup-valid~1] is refused where ${part} is misaligned in the arena only (catalogue 27)`, () => {
        for (let off = 1; off < align; off++) {
          assert.equal(
            place(registers(), memoryAt(ARENA_AT + off)),
            undefined,
            `region ${off} bytes off`,
          );
        }
      });

      it(`[utest->req~queue.setup-valid~1] may end ${part} with the memory and no later (catalogue 27)`, () => {
        const last = BASE + Math.floor((BYTES - bytes) / align) * align;
        assert.notEqual(place(registers({ [part]: last })), undefined);
        assert.equal(place(registers({ [part]: last + align })), undefined);
      });

      for (const [title, address] of [
        ['at 0', 0],
        ['below the memory', BASE - 16],
        ['behind the memory', BASE + BYTES],
        ['at its low half only', GOOD[part] - BASE],
        ['at 2^53 more', GOOD[part] + 2 ** 53],
      ] as const) {
        it(`[utest->req~mem.bounds~1] is refused with ${part} ${title} (catalogue 27)`, () => {
          assert.equal(place(registers({ [part]: address })), undefined);
        });
      }

      it(`[utest->req~mem.wrap~1] is refused where ${part} wraps at 2^64 (catalogue 27)`, () => {
        const queue = registers();
        Object.assign(queue[part], { low: 0xfffffff0, high: 0xffffffff });
        assert.equal(place(queue), undefined);
      });
    }

    it('[utest->req~queue.setup-valid~1] is judged with the size that was set (catalogue 27)', () => {
      const queue = registers({ desc: BASE + BYTES - (16 * SIZE) / 2 });
      assert.equal(place(queue), undefined);
      queue.setSize(SIZE / 2, packed);
      assert.notEqual(place(queue), undefined);
    });

    it('[utest->req~queue.setup-valid~1] is nowhere without addresses (catalogue 32)', () => {
      assert.equal(place(new QueueRegisters(0, SIZE)), undefined);
      assert.equal(place(registers(), new GuestMemory()), undefined);
    });
  });
}

describe('a ring that runs', () => {
  it('[utest->req~queue.setup-valid~1] keeps its size and place whatever is set later (catalogue 26)', () => {
    const bench = new RingBench({ size: 4 });
    const setup = { ...bench.setup };
    bench.queue.start(setup);
    Object.assign(setup, { size: 0, descAt: 0, availAt: 0, usedAt: 0, index: 77 });
    for (let n = 0; n < 9; n++) {
      bench.ring.expose(n % 4);
      bench.queue.look();
      bench.queue.complete(bench.queue.takeHead(), n);
      bench.queue.publish();
    }
    assert.equal(bench.queue.size, 4);
    assert.equal(bench.ring.usedIndex, 9);
    assert.deepEqual(bench.ring.usedElement(8), { id: 0, length: 8 });
  });
});

describe('a ring that was never set up', () => {
  function accessesOf(rig: Rig, work: () => void): Access[] {
    const accesses: Access[] = [];
    observing(rig.plane.arena, (access) => accesses.push(access), work);
    return accesses;
  }

  it('[utest->req~mem.bounds~1] is stopped, published and asked without an access to memory (catalogue 32)', () => {
    const rig = new Rig();
    for (const Queue of [SplitQueue, PackedQueue]) {
      const queue = new Queue(rig.plane.arena, SIZE);
      const accesses = accessesOf(rig, () => {
        queue.stop();
        queue.publish();
        assert.equal(queue.takeNotification(), false);
        assert.equal(queue.available, 0);
      });
      assert.deepEqual(accesses, []);
      assert.equal(queue.started, false);
    }
  });

  it('[utest->req~mem.bounds~1] offers nothing to its device and reads nothing (catalogue 28, 32)', () => {
    const rig = new Rig();
    const [partition] = rig.plane.partitions;
    const queue = new DeviceQueue(0, partition!, rig.plane.arena, SIZE, rig.counters);
    assert.deepEqual(
      accessesOf(rig, () => assert.equal(queue.look(), 0)),
      [],
    );
  });

  it('[utest->req~mem.bounds~1] leaves the host areas of the arena alone (catalogue 32)', () => {
    const rig = new Rig();
    rig.supply('b', 2);
    rig.send('a', rig.packet('a', 'b'));
    rig.frames(2);
    assert.ok(
      rig.plane.arena.u8.slice(0, 64).every((byte) => byte === 0),
      'offset 0 belongs to nobody',
    );
  });
});
