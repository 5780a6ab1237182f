/** Buffers that lie where a guest has no memory, beside an honest pair (VIRTIO 2.7.5). */
import { strict as assert } from 'node:assert';
import { GuestMemory } from '../../src/data-plane/guest-memory.ts';
import { EMBEDDED_GUEST_PHYSICAL as BASE } from '../../src/schedule/arena-layout.ts';
import { HOSTILE_FIRST, type ChainContext } from '../support/attack-targets.ts';
import { testChainAttacks, type ChainAttack } from '../support/chain-attack.ts';
import { linked, raw, type RawDesc } from '../support/hostile-ring.ts';
import type { Rig } from '../support/rig.ts';

const MIB = 1024 * 1024;
const HALF = MIB / 2;
const END = BASE + MIB;
/** Where the upper half of a's memory lies once there is a hole. */
const BEHIND_HOLE = BASE + 16 * MIB;

function outside(
  catalogue: string,
  title: string,
  desc: (context: ChainContext) => Omit<RawDesc, 'flags' | 'next'>,
  more: Partial<ChainAttack> = {},
): ChainAttack {
  return {
    catalogue,
    title,
    fault: 'address-out-of-range',
    requirement: 'mem.bounds',
    ...more,
    chain: (context) => [{ ...desc(context), flags: context.target.direction, next: 0 }],
  };
}

/** Splits a's memory: its upper half, which the rig's rings do not reach, moves behind a hole. */
function withHole(rig: Rig): void {
  const { sliceAt } = rig.plan.layout.partitions[0]!;
  rig.plane.devices[0]!.memory.setRegions([
    { guestPhysical: BASE, size: HALF, arenaAt: sliceAt },
    { guestPhysical: BEHIND_HOLE, size: HALF, arenaAt: sliceAt + HALF },
  ]);
}

const OUTSIDE: readonly ChainAttack[] = [
  outside('7', 'address 0', () => raw(0, 256)),
  outside('7', 'the last byte below the memory', () => raw(BASE - 1, 1)),
  outside('7', 'a buffer that begins below the memory', () => raw(BASE - 1, 256)),
  outside('7', 'the first byte behind the memory', () => raw(END, 1)),
  outside('7', 'a buffer that ends one byte behind the memory', () => raw(END - 255, 256)),
  outside('7', 'a buffer larger than the memory', () => raw(BASE, MIB + 1)),
  outside('7', 'an arena offset of the host', ({ rig }) => raw(rig.plan.layout.scratchAt, 64)),
  outside('7', 'an arena offset of another partition', ({ rig }) =>
    raw(rig.plan.layout.partitions[1]!.sliceAt, 256),
  ),
  outside('7', 'the distance to another partition', ({ rig }) =>
    raw(
      BASE + rig.plan.layout.partitions[1]!.sliceAt - rig.plan.layout.partitions[0]!.sliceAt,
      256,
    ),
  ),
  outside('7', 'a buffer in the hole', () => raw(BASE + MIB, 256), { prepare: withHole }),
  outside('7', 'a buffer that runs into the hole', () => raw(BASE + HALF - 255, 256), {
    prepare: withHole,
  }),
  outside('7', 'a buffer that begins in the hole', () => raw(BEHIND_HOLE - 1, 256), {
    prepare: withHole,
  }),
];

const WRAPPING: readonly ChainAttack[] = [
  outside(
    '8',
    'an end that wraps at 2^64',
    () => ({ low: 0xfffffff0, high: 0xffffffff, length: 0x20 }),
    { requirement: 'mem.wrap' },
  ),
  outside(
    '8',
    'a range that wraps into the memory',
    () => ({ low: 0xffffff00, high: 0, length: 0x100 + 64 }),
    { requirement: 'mem.wrap' },
  ),
  ...[0x200001, 0x80000001, 0xffffffff].map((high) =>
    outside(
      '8',
      `a good low half below the high half 0x${high.toString(16)}`,
      ({ good }) => ({ ...good(), high }),
      { requirement: 'mem.wrap' },
    ),
  ),
  outside('8', 'a good address plus 2^53', ({ good }) => ({ ...good(), high: 1 + 0x200000 }), {
    requirement: 'mem.wrap',
  }),
  outside('8', 'a good low half without its high half', ({ good }) => ({ ...good(), high: 0 }), {
    requirement: 'mem.wrap',
  }),
];

const EMPTY_ELSEWHERE: readonly ChainAttack[] = [
  outside('9', 'no byte at address 0', () => raw(0, 0)),
  outside('9', 'no byte at the end of the memory', () => raw(END, 0)),
  {
    catalogue: '9',
    title: 'a good buffer and no byte at a bad address',
    fault: 'address-out-of-range',
    requirement: 'mem.bounds',
    chain: ({ good, target }) => linked([good(2048), raw(END, 0, target.direction)], HOSTILE_FIRST),
  },
];

describe('a buffer outside the memory of its guest', () => {
  testChainAttacks([...OUTSIDE, ...WRAPPING, ...EMPTY_ELSEWHERE]);
});

describe('the translation of guest addresses', () => {
  const SIZE = 0x3000;
  const AT = 0x10000;

  /** Two halves of an address as the two 32-bit patterns that the data plane passes. */
  function translate(memory: GuestMemory, address: bigint, length: number): number {
    return (
      memory.translate(
        Number(address & 0xffffffffn) | 0,
        Number(address >> 32n) | 0,
        length | 0,
      ) >>> 0
    );
  }

  function memoryAt(guestPhysical: number): GuestMemory {
    const memory = new GuestMemory();
    memory.setRegions([{ guestPhysical, size: SIZE, arenaAt: AT }]);
    return memory;
  }

  for (const start of [0, 0xfffff000, 0x1_0000_0000, Number.MAX_SAFE_INTEGER - SIZE]) {
    it(`[utest->req~mem.bounds~1] admits exactly the ranges inside a region at 0x${start.toString(16)} (catalogue 7)`, () => {
      const memory = memoryAt(start);
      const lengths = [0, 1, 2, SIZE - 1, SIZE, SIZE + 1, 0x7fffffff, 0x80000000, 0xffffffff];
      for (const into of [-2, -1, 0, 1, SIZE - 2, SIZE - 1, SIZE, SIZE + 1]) {
        const address = BigInt(start) + BigInt(into);
        if (address < 0n) continue;
        for (const length of lengths) {
          const inside = into >= 0 && into < SIZE && into + length <= SIZE;
          assert.equal(
            translate(memory, address, length),
            inside ? AT + into : 0,
            `${into} +${length}`,
          );
        }
      }
    });
  }

  it('[utest->req~mem.wrap~1] takes no address for another that has the same low 53 bits (catalogue 8)', () => {
    const memory = memoryAt(0x1_0000_0000);
    for (let bit = 53n; bit < 64n; bit++) {
      assert.equal(translate(memory, 0x1_0000_0000n | (1n << bit), 1), 0, `bit ${bit}`);
    }
  });

  it('[utest->req~mem.wrap~1] refuses every range whose end wraps at 2^64 (catalogue 8)', () => {
    const memory = memoryAt(0);
    for (const below of [1n, 16n, 4096n]) {
      assert.equal(translate(memory, (1n << 64n) - below, Number(below) + 16), 0);
    }
  });

  it('[utest->req~mem.bounds~1] does not join two regions that touch (catalogue 7)', () => {
    const memory = new GuestMemory();
    memory.setRegions([
      { guestPhysical: 0, size: SIZE, arenaAt: AT },
      { guestPhysical: SIZE, size: SIZE, arenaAt: AT + 4 * SIZE },
    ]);
    assert.equal(translate(memory, BigInt(SIZE) - 1n, 1), AT + SIZE - 1);
    assert.equal(translate(memory, BigInt(SIZE), 1), AT + 4 * SIZE);
    assert.equal(translate(memory, BigInt(SIZE) - 1n, 2), 0);
  });

  it('[utest->req~mem.bounds~1] reaches nothing without a region (catalogue 32)', () => {
    const memory = new GuestMemory();
    assert.equal(translate(memory, 0n, 0), 0);
    memory.setRegions([{ guestPhysical: 0, size: SIZE, arenaAt: AT }]);
    memory.setRegions([]);
    assert.equal(translate(memory, 0n, 1), 0);
  });
});
