/** Lengths that each fit and together do not (VIRTIO 2.7.5.2), and chains as large as they may be. */
import { strict as assert } from 'node:assert';
import { Fault, FAULT_NAMES, NO_FAULT } from '../../src/base/fault.ts';
import { EMBEDDED_GUEST_PHYSICAL as BASE } from '../../src/schedule/arena-layout.ts';
import {
  HOSTILE_FIRST,
  ringOf,
  TARGETS,
  usedSince,
  type Target,
} from '../support/attack-targets.ts';
import { linked, raw, WRITE, writeTable } from '../support/hostile-ring.ts';
import { besideNeighbours } from '../support/neighbours.ts';
import { RingBench } from '../support/ring-bench.ts';

const GIB = 2 ** 30;
const LIMIT = 2 ** 31;
const DESCRIPTORS_MAX = 20;

/** Walks a chain over a memory of almost 4 GiB, of which no byte is touched. */
function walk(
  lengths: readonly (readonly [bytes: number, flags: number])[],
): RingBench & { fault: number } {
  const size = 2 ** Math.ceil(Math.log2(Math.max(2, lengths.length)));
  const bench = new RingBench({ size });
  bench.memory.setRegions([{ guestPhysical: BASE, size: 2 ** 32 - 65536, arenaAt: 65536 }]);
  writeTable(bench.ring, linked(lengths.map(([bytes, flags]) => raw(BASE, bytes, flags))));
  bench.chain.begin();
  return Object.assign(bench, { fault: bench.queue.walk(bench.chain, 0, size) });
}

const SUMS: readonly (readonly [title: string, lengths: [number, number][], fault: number])[] = [
  ['one buffer of 2^31 - 1 bytes', [[LIMIT - 1, 0]], NO_FAULT],
  ['one buffer of 2^31 bytes', [[LIMIT, 0]], Fault.ChainBytesExceeded],
  ['one buffer of almost 2^32 bytes', [[2 ** 32 - 65536, WRITE]], Fault.ChainBytesExceeded],
  [
    'two buffers of 2^30 bytes less one',
    [
      [GIB, 0],
      [GIB - 1, 0],
    ],
    NO_FAULT,
  ],
  [
    'two buffers of 2^30 bytes',
    [
      [GIB, 0],
      [GIB, 0],
    ],
    Fault.ChainBytesExceeded,
  ],
  [
    'four buffers of 2^30 bytes and 16 more, which wrap to 16',
    [...Array.from({ length: 4 }, (): [number, number] => [GIB, WRITE]), [16, WRITE]],
    Fault.ChainBytesExceeded,
  ],
  [
    '2^31 - 1 bytes each way',
    [
      [LIMIT - 1, 0],
      [LIMIT - 1, WRITE],
    ],
    NO_FAULT,
  ],
  [
    '2^31 - 1 readable and 2^31 writable bytes',
    [
      [LIMIT - 1, 0],
      [GIB, WRITE],
      [GIB, WRITE],
    ],
    Fault.ChainBytesExceeded,
  ],
  [
    '32,768 buffers of 65,536 bytes',
    Array.from({ length: 32768 }, (): [number, number] => [65536, 0]),
    Fault.ChainBytesExceeded,
  ],
];

describe('the sum of the lengths of a chain', () => {
  for (const [title, lengths, expected] of SUMS) {
    it(`[utest->req~queue.chain-checked~1] ${title}: ${FAULT_NAMES[expected]} (catalogue 10, 11)`, () => {
      const { fault, chain } = walk(lengths);
      assert.equal(FAULT_NAMES[fault], FAULT_NAMES[expected]);
      if (expected !== NO_FAULT) return;
      const sum = (flags: number) =>
        lengths.filter((entry) => entry[1] === flags).reduce((total, [bytes]) => total + bytes, 0);
      assert.deepEqual([chain.readableBytes, chain.writableBytes], [sum(0), sum(WRITE)]);
    });
  }
});

describe('a chain of the whole memory, as often as it may be named', () => {
  const [transmit, receive] = TARGETS as [Target, Target];
  const wholeMemory = (flags: number) => raw(BASE, 1024 * 1024, flags);

  it('[utest->req~net.length~1] is a packet that is refused (catalogue 11)', () => {
    let from = 0;
    besideNeighbours({
      attack: (rig) => {
        const ring = ringOf(rig, transmit);
        from = ring.usedIndex;
        const [head] = transmit.honest(rig);
        const rest = Array.from({ length: DESCRIPTORS_MAX - 1 }, () => wholeMemory(0));
        writeTable(ring, linked([head!, ...rest], HOSTILE_FIRST), HOSTILE_FIRST);
        ring.expose(HOSTILE_FIRST);
      },
      then: (rig) => {
        assert.deepEqual(rig.faults('a'), { 'packet-too-long': 1 });
        assert.deepEqual(usedSince(ringOf(rig, transmit), from), [
          { id: HOSTILE_FIRST, length: 0 },
        ]);
      },
    });
  });

  it('[utest->req~mem.zero-residue~1] is a receive buffer of which only the packet is filled (catalogue 11)', () => {
    const filled = 12 + 200;
    let tail = 0;
    besideNeighbours({
      ...receive.scenario,
      attack: (rig) => {
        const { slice } = rig.guest('a');
        const ring = ringOf(rig, receive);
        const buffer = slice.allocate(4096);
        slice.write(buffer, new Uint8Array(4096).fill(0xee));
        tail = buffer + filled;
        const rest = Array.from({ length: DESCRIPTORS_MAX - 1 }, () => wholeMemory(WRITE));
        writeTable(ring, linked([raw(buffer, 4096, WRITE), ...rest], HOSTILE_FIRST), HOSTILE_FIRST);
        ring.expose(HOSTILE_FIRST);
      },
      then: (rig) => {
        assert.deepEqual(usedSince(ringOf(rig, receive), 0), [
          { id: HOSTILE_FIRST, length: filled },
        ]);
        assert.ok(
          rig
            .guest('a')
            .slice.read(tail, 4096 - filled)
            .every((byte) => byte === 0xee),
        );
      },
    });
  });
});
