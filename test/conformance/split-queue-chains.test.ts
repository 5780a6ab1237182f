/** VIRTIO 1.4, 2.7.4 and 2.7.5: message framing and descriptor chains in the queue's own table. */
import { strict as assert } from 'node:assert';
import { faultName } from '../../src/base/fault.ts';
import { EMBEDDED_GUEST_PHYSICAL } from '../../src/schedule/arena-layout.ts';
import { NEXT, QueueBench, WRITE, type BenchOptions } from '../support/queue-bench.ts';
import type { Desc } from '../support/ring-double.ts';

/** Fresh buffers of these lengths; negative ones are device-writable. */
function buffers(bench: QueueBench, ...lengths: number[]): Desc[] {
  return lengths.map((length) => ({
    address: bench.slice.allocate(Math.abs(length)),
    length: Math.abs(length),
    flags: length < 0 ? WRITE : 0,
  }));
}

const anywhere = { address: 0, length: 8 };
const to = (next: number, flags = 0): Desc => ({ ...anywhere, next, flags: NEXT | flags });

/** Writes these descriptors from index 0 on, all with one buffer, single ones behind them, and walks from `head`. */
function walkTable(
  descs: readonly Desc[],
  { size = 8, head = 0 }: BenchOptions & { head?: number } = {},
): string {
  const bench = new QueueBench({ size });
  const { address } = buffers(bench, 64)[0]!;
  for (let n = 0; n < size; n++) bench.double.describe(n, { ...(descs[n] ?? anywhere), address });
  bench.double.expose(head);
  bench.look();
  bench.take(1);
  return bench.walk(head);
}

describe('VIRTIO 2.7.4: message framing', () => {
  it('[utest->req~queue.chain-checked~1] one buffer or many pieces, the bytes are the same (2.7.4.1)', () => {
    const bytes = Array.from({ length: 100 }, (_, n) => (n * 37) & 0xff);
    const cuts = [
      [100],
      [1, 99],
      [99, 1],
      [12, 88],
      Array.from({ length: 8 }, (_, n) => (n < 7 ? 1 : 93)),
    ];
    for (const cut of cuts) {
      const bench = new QueueBench({ size: 16 });
      const descs = buffers(bench, ...cut);
      let from = 0;
      for (const { address, length } of descs) {
        bench.slice.write(address, bytes.slice(from, from + length));
        from += length;
      }
      assert.equal(bench.submitAndWalk(descs), 'none');
      assert.deepEqual(bench.gathered(), bytes, `cut as ${cut}`);
    }
  });

  it('[utest->req~queue.chain-checked~1] any piece of the readable bytes can be gathered (2.7.4.1)', () => {
    const bench = new QueueBench({ size: 16 });
    const descs = buffers(bench, 5, 1, 10, 3);
    const all = descs.flatMap(({ address, length }, n) => {
      const bytes = Array.from({ length }, (_, k) => n * 16 + k);
      bench.slice.write(address, bytes);
      return bytes;
    });
    assert.equal(bench.submitAndWalk(descs), 'none');
    const target = bench.slice.allocate(32);
    for (let from = 0; from <= 19; from++) {
      for (let bytes = 0; from + bytes <= 19; bytes++) {
        bench.slice.write(target, new Array(32).fill(0xcc));
        bench.chain.gather(from, bytes, bench.slice.at(target) | 0);
        assert.deepEqual(bench.slice.read(target, 32), [
          ...all.slice(from, from + bytes),
          ...new Array(32 - bytes).fill(0xcc),
        ]);
      }
    }
  });

  it('[utest->req~queue.used-order~1] written bytes fill the writable pieces from the first on (2.7.8.2)', () => {
    const bench = new QueueBench({ size: 16 });
    const descs = buffers(bench, -5, -1, -10, -4);
    for (const { address, length } of descs)
      bench.slice.write(address, new Array(length + 2).fill(0xcc));
    const source = bench.slice.allocate(32);
    bench.slice.write(
      source,
      Array.from({ length: 32 }, (_, n) => n + 1),
    );
    assert.equal(bench.submitAndWalk(descs), 'none');
    bench.chain.scatter(bench.slice.at(source), 3);
    bench.chain.scatter(bench.slice.at(source) + 3, 3);
    bench.chain.scatter(bench.slice.at(source) + 6, 0);
    bench.chain.scatter(bench.slice.at(source) + 6, 11);
    const read = descs.map(({ address, length }) => bench.slice.read(address, length));
    assert.deepEqual(read, [
      [1, 2, 3, 4, 5],
      [6],
      [7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
      [17, 204, 204, 204],
    ]);
    bench.chain.scatter(bench.slice.at(source), 3);
    assert.deepEqual(bench.slice.read(descs[3]!.address, 6), [17, 1, 2, 3, 204, 204]);
  });

  it('[utest->req~queue.used-order~1] what the driver gave to be read is not written (2.7.5.1)', () => {
    const bench = new QueueBench({ size: 16 });
    const descs = buffers(bench, 4, 2, -3, -3);
    for (const { address, length } of descs)
      bench.slice.write(address, new Array(length).fill(0xcc));
    const source = bench.slice.allocate(8);
    bench.slice.write(source, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(bench.submitAndWalk(descs), 'none');
    bench.chain.scatter(bench.slice.at(source), 2);
    bench.chain.scatter(bench.slice.at(source) + 2, 3);
    const read = descs.map(({ address, length }) => bench.slice.read(address, length));
    assert.deepEqual(read, [
      [204, 204, 204, 204],
      [204, 204],
      [1, 2, 3],
      [4, 5, 204],
    ]);
  });

  it('[utest->req~mem.zero-residue~1] more bytes than there is room for end with the room (2.7.5.1)', () => {
    const bench = new QueueBench({ size: 16 });
    const [desc] = buffers(bench, -4);
    bench.slice.write(desc!.address, new Array(8).fill(0xcc));
    const source = bench.slice.allocate(8);
    assert.equal(bench.submitAndWalk([desc!]), 'none');
    bench.chain.scatter(bench.slice.at(source), 8);
    assert.deepEqual(bench.slice.read(desc!.address, 8), [0, 0, 0, 0, 204, 204, 204, 204]);
  });

  it('[utest->req~mem.single-fetch~1] a chain that begins anew has forgotten the one before', () => {
    const bench = new QueueBench({ size: 16 });
    const source = bench.slice.at(bench.slice.allocate(8));
    for (let n = 0; n < 2; n++) {
      const [desc] = buffers(bench, -8);
      assert.equal(bench.submitAndWalk([desc!]), 'none');
      bench.arena.u8.fill(n + 1, source, source + 8);
      bench.chain.scatter(source, 5);
      assert.deepEqual(bench.slice.read(desc!.address, 6), [
        ...new Array<number>(5).fill(n + 1),
        0,
      ]);
      assert.equal(
        bench.submitAndWalk(buffers(bench, 3)),
        'none',
        'readable after the writable one before',
      );
      assert.deepEqual(
        [bench.chain.readableBytes, bench.chain.writableBytes, bench.chain.steps],
        [3, 0, 1],
      );
    }
  });

  it('[utest->req~queue.chain-checked~1] 2.7.5.2: a loop is found again after the count of walks has wrapped', () => {
    const bench = new QueueBench({ size: 8 });
    const loop = [buffers(bench, 4)[0]!, buffers(bench, 4)[0]!];
    Object.assign(bench.chain, { table: 0x7fffffff });
    for (let n = 0; n < 2; n++) {
      loop.forEach((desc, index) => {
        bench.double.describe(index, { ...desc, flags: NEXT, next: 1 - index });
      });
      bench.chain.begin();
      assert.equal(faultName(bench.queue.walk(bench.chain, 0, 8)), 'descriptor-loop');
    }
  });

  it('[utest->req~queue.chain-checked~1] readable before writable is in order (2.7.4.2)', () => {
    const bench = new QueueBench({ size: 8 });
    const descs = buffers(bench, 2, 3, -1, -200);
    assert.equal(bench.submitAndWalk(descs), 'none');
    assert.deepEqual(
      bench.readable,
      descs.slice(0, 2).map((desc) => bench.segmentOf(desc)),
    );
    assert.deepEqual(
      bench.writable,
      descs.slice(2).map((desc) => bench.segmentOf(desc)),
    );
    assert.deepEqual([bench.chain.readableBytes, bench.chain.writableBytes], [5, 201]);
  });

  it('[utest->req~queue.chain-checked~1] readable after writable is a fault, even of length 0 (catalogue 12)', () => {
    const bench = new QueueBench({ size: 8 });
    assert.equal(bench.submitAndWalk(buffers(bench, 2, -3, 4)), 'readable-after-writable');
    const empty = { address: bench.slice.allocate(1), length: 0 };
    assert.equal(bench.submitAndWalk([...buffers(bench, -3), empty]), 'readable-after-writable');
    assert.equal(
      bench.submitAndWalk([{ ...empty, flags: WRITE }, ...buffers(bench, 3)]),
      'readable-after-writable',
    );
  });

  it('[utest->req~queue.bounded-walk~1] a chain as long as the limit is taken, one more is not (2.7.4.1)', () => {
    const bench = new QueueBench({ size: 16, descriptorsMax: 6 });
    assert.equal(bench.submitAndWalk(buffers(bench, 1, 1, 1, 1, 1, 1)), 'none');
    assert.equal(bench.submitAndWalk(buffers(bench, 1, 1, 1, 1, 1, 1, 1)), 'chain-too-long');
    assert.equal(bench.submitAndWalk(buffers(bench, 1, 1, 1), 3), 'none');
    assert.equal(bench.submitAndWalk(buffers(bench, 1, 1, 1, 1), 3), 'chain-too-long');
  });

  it('[utest->req~queue.bounded-walk~1] a chain of the whole table is taken (2.7.5.3.1)', () => {
    const bench = new QueueBench({ size: 8 });
    assert.equal(bench.submitAndWalk(buffers(bench, 1, 2, 3, 4, -1, -2, -3, -4)), 'none');
    assert.equal(bench.chain.segments, 8);
    assert.equal(bench.chain.steps, 8);
  });

  /** Walks several buffers into one chain; the name of each outcome. */
  function walkTogether(options: BenchOptions, ...packets: number[][]): string[] {
    const bench = new QueueBench(options);
    bench.chain.begin();
    return packets.map((lengths) => {
      const head = bench.double.submit(buffers(bench, ...lengths));
      bench.look();
      bench.queue.complete(bench.take(1)[0]!, 0);
      bench.queue.publish();
      return faultName(bench.queue.walk(bench.chain, head, 64));
    });
  }

  it('[utest->req~queue.bounded-walk~1] chains of one packet share one limit', () => {
    const outcomes = walkTogether({ descriptorsMax: 5 }, [-1, -1], [-1, -1, -1], [-1]);
    assert.deepEqual(outcomes, ['none', 'none', 'chain-too-long']);
  });

  it('[utest->req~queue.bounded-walk~1] chains of one packet may together be longer than the queue', () => {
    assert.deepEqual(walkTogether({ size: 4 }, [-1, -1, -1], [-1, -1, -1, -1], [-1, -1]), [
      'none',
      'none',
      'none',
    ]);
  });
});

describe('VIRTIO 2.7.5: descriptor table', () => {
  it('[utest->req~queue.chain-checked~1] next below the table size is followed, at it or above is a fault (catalogue 2)', () => {
    assert.equal(walkTable([to(7)]), 'none');
    for (const next of [8, 9, 0x7fff, 0xffff])
      assert.equal(walkTable([to(next)]), 'next-out-of-range');
  });

  it('[utest->req~queue.chain-checked~1] next without its flag is not looked at (2.7.5)', () => {
    assert.equal(walkTable([{ ...anywhere, next: 0xffff }]), 'none');
    assert.equal(walkTable([{ ...anywhere, next: 0 }]), 'none');
  });

  it('[utest->req~queue.chain-checked~1] flags that VIRTIO does not know change nothing (2.7.5)', () => {
    assert.equal(walkTable([{ ...anywhere, flags: 0xfff8 }]), 'none');
  });

  it('[utest->req~queue.chain-checked~1] a chain that names its own head is a loop (catalogue 1)', () => {
    assert.equal(walkTable([to(0)]), 'descriptor-loop');
    assert.equal(walkTable([to(0), to(0), to(0), to(3)], { head: 3 }), 'descriptor-loop');
  });

  it('[utest->req~queue.chain-checked~1] loops of two and three, and behind a tail, are loops (catalogue 1)', () => {
    assert.equal(walkTable([to(1), to(0)], { size: 16 }), 'descriptor-loop');
    assert.equal(walkTable([to(1), to(2), to(0)], { size: 16 }), 'descriptor-loop');
    assert.equal(walkTable([to(1), to(2), to(3), to(2)], { size: 16 }), 'descriptor-loop');
    assert.equal(walkTable([to(1, WRITE), to(0, WRITE)], { size: 16 }), 'descriptor-loop');
  });

  it('[utest->req~queue.bounded-walk~1] every loop of every length ends the walk within the table (catalogue 1)', () => {
    for (const size of [4, 16, 64]) {
      for (let length = 1; length <= size; length++) {
        const table = Array.from({ length }, (_, n) => to((n + 1) % length));
        const fault = walkTable(table, { size });
        assert.ok(
          ['descriptor-loop', 'chain-too-long'].includes(fault),
          `${length} of ${size}: ${fault}`,
        );
      }
    }
  });

  it('[utest->req~mem.bounds~1] a buffer ends with its memory region at the latest (catalogue 7)', () => {
    const bench = new QueueBench();
    const end = EMBEDDED_GUEST_PHYSICAL + bench.slice.size;
    assert.equal(bench.submitAndWalk([{ address: end - 16, length: 16 }]), 'none');
    for (const [address, length] of [
      [end - 16, 17],
      [end, 1],
      [end, 0],
      [0, 16],
      [EMBEDDED_GUEST_PHYSICAL - 1, 1],
    ]) {
      assert.equal(
        bench.submitAndWalk([{ address: address!, length: length! }]),
        'address-out-of-range',
      );
    }
  });

  it('[utest->req~mem.wrap~1] neither the high half of an address nor its end wraps (catalogue 8)', () => {
    for (const high of [0, 2, 0x10001, 0x200001, 0x80000001, 0xffffffff]) {
      const bench = new QueueBench();
      const head = bench.offer()[0]!;
      const word = bench.slice.at(bench.double.desc) / 4;
      bench.arena.i32[word + 1] = high;
      bench.look();
      bench.take(1);
      assert.equal(bench.walk(head), 'address-out-of-range', `high half ${high}`);
    }
    const bench = new QueueBench();
    assert.equal(
      bench.submitAndWalk([{ address: EMBEDDED_GUEST_PHYSICAL, length: 0xffffffff }]),
      'address-out-of-range',
    );
  });

  it('[utest->req~queue.chain-checked~1] a piece of length 0 is checked, counted as a step, and no segment (catalogue 9)', () => {
    const bench = new QueueBench();
    const descs = buffers(bench, 4, 1, 6);
    assert.equal(bench.submitAndWalk([descs[0]!, { ...descs[1]!, length: 0 }, descs[2]!]), 'none');
    assert.deepEqual(
      [bench.chain.segments, bench.chain.steps, bench.chain.readableBytes],
      [2, 3, 10],
    );
    assert.equal(
      bench.submitAndWalk([descs[0]!, { address: 0x100, length: 0 }]),
      'address-out-of-range',
    );
  });

  it('[utest->req~queue.chain-checked~1] 2.7.5.2: 2^31 - 1 bytes in one direction are taken, one more is not (catalogue 11)', () => {
    const half = 2 ** 30;
    for (const flags of [0, WRITE]) {
      const bench = new QueueBench();
      bench.memory.setRegions([{ guestPhysical: 0, size: 2 ** 31 + 64, arenaAt: 65536 }]);
      const piece = { address: 0, length: half, flags };
      assert.equal(bench.submitAndWalk([piece, { ...piece, length: half - 1 }]), 'none');
      assert.equal(bench.submitAndWalk([piece, piece]), 'chain-bytes-exceeded');
      assert.equal(
        bench.submitAndWalk([{ ...piece, length: 2 ** 31 }]),
        'chain-bytes-exceeded',
        'in one piece',
      );
      assert.equal(bench.submitAndWalk([{ ...piece, length: 2 ** 31 - 1 }]), 'none');
    }
  });

  it('[utest->req~mem.single-fetch~1] a chain is walked with what it held when it was read (catalogue 20)', () => {
    const bench = new QueueBench();
    const descs = buffers(bench, 10, -20);
    assert.equal(bench.submitAndWalk(descs), 'none');
    for (let n = 0; n < 2; n++)
      bench.double.describe(n, { address: 0, length: 0xffffffff, flags: 7, next: 9 });
    assert.deepEqual(
      [...bench.readable, ...bench.writable],
      descs.map((desc) => bench.segmentOf(desc)),
    );
    assert.deepEqual([bench.chain.readableBytes, bench.chain.writableBytes], [10, 20]);
  });
});

describe('regressions', () => {
  it('[utest->req~queue.chain-checked~1] 2.7.5.2: a loop with room left in the limit is named a loop (catalogue 1)', () => {
    const loop = Array.from({ length: 10 }, (_, n) => to((n + 1) % 10));
    assert.equal(walkTable(loop, { size: 16 }), 'descriptor-loop');
  });

  it('[utest->req~queue.chain-checked~1] 2.7.5.2: a loop is named before what only its second lap breaks (catalogue 1)', () => {
    assert.equal(walkTable([to(1), to(2), to(0, WRITE)]), 'descriptor-loop');
  });
});
