/** VIRTIO 1.4, 2.7.5.3: indirect descriptor tables, at any address, behind direct descriptors, hostile or not. */
import { strict as assert } from 'node:assert';
import { EMBEDDED_GUEST_PHYSICAL } from '../../src/schedule/arena-layout.ts';
import {
  descriptorBytes,
  INDIRECT,
  linked,
  NEXT,
  QueueBench,
  WRITE,
  type BenchOptions,
} from '../support/queue-bench.ts';
import type { Desc } from '../support/ring-double.ts';

function bench(options: BenchOptions = {}): QueueBench {
  return new QueueBench({ indirect: true, ...options });
}

function pieces(bench: QueueBench, count: number, length = 16, flags = 0): Desc[] {
  return Array.from({ length: count }, () => ({
    address: bench.slice.allocate(length),
    length,
    flags,
  }));
}

describe('VIRTIO 2.7.5.3: indirect descriptors', () => {
  it('[utest->req~queue.chain-checked~1] a table takes the place of the chain (2.7.5.3)', () => {
    const b = bench();
    const inside = linked([...pieces(b, 2), ...pieces(b, 1, 100, WRITE)]);
    assert.equal(b.submitAndWalk([b.table(inside)]), 'none');
    assert.deepEqual(
      b.readable,
      inside.slice(0, 2).map((desc) => b.segmentOf(desc)),
    );
    assert.deepEqual(b.writable, [b.segmentOf(inside[2]!)]);
  });

  it('[utest->req~queue.chain-checked~1] WRITE on the descriptor that names a table is ignored (2.7.5.3.2, catalogue 16)', () => {
    const b = bench();
    const table = b.table(pieces(b, 1, 64));
    assert.equal(b.submitAndWalk([{ ...table, flags: INDIRECT | WRITE }]), 'none');
    assert.deepEqual([b.chain.readableBytes, b.chain.writableBytes], [64, 0]);
    const [writable] = pieces(b, 1, 8, WRITE);
    assert.equal(
      b.submitAndWalk([writable!, { ...b.table(pieces(b, 1, 4, WRITE)), flags: INDIRECT }]),
      'none',
    );
  });

  it('[utest->req~queue.chain-checked~1] direct descriptors, then one table: one chain (2.7.5.3.2)', () => {
    for (let direct = 0; direct <= 4; direct++) {
      const b = bench({ size: 8 });
      const before = pieces(b, direct);
      const inside = linked([...pieces(b, 1), ...pieces(b, 2, 32, WRITE)]);
      assert.equal(b.submitAndWalk([...before, b.table(inside)]), 'none');
      assert.deepEqual(
        b.readable,
        [...before, inside[0]!].map((desc) => b.segmentOf(desc)),
      );
      assert.equal(b.chain.writableBytes, 64);
    }
  });

  it("[utest->req~queue.chain-checked~1] the order of directions holds across the table's edge (2.7.4.2)", () => {
    const b = bench();
    assert.equal(
      b.submitAndWalk([...pieces(b, 1, 8, WRITE), b.table(pieces(b, 1))]),
      'readable-after-writable',
    );
  });

  it('[utest->req~queue.bounded-walk~1] a table of exactly queue-size entries is walked to its end (2.7.5.3.1)', () => {
    for (const size of [1, 4, 16]) {
      const b = bench({ size });
      assert.equal(b.submitAndWalk([b.table(linked(pieces(b, size)))]), 'none');
      assert.equal(b.chain.segments, size);
    }
  });

  it('[utest->req~queue.bounded-walk~1] a table of more entries than the queue has is a fault (catalogue 19)', () => {
    const b = bench({ size: 4 });
    assert.equal(b.submitAndWalk([b.table(pieces(b, 5))]), 'indirect-length');
  });

  it('[utest->req~queue.bounded-walk~1] direct and indirect descriptors together are at most the queue size (2.7.5.3.1)', () => {
    for (const [direct, inside, fault] of [
      [3, 5, 'none'],
      [3, 6, 'chain-too-long'],
      [7, 1, 'none'],
    ] as const) {
      const b = bench({ size: 8 });
      assert.equal(
        b.submitAndWalk([...pieces(b, direct), b.table(linked(pieces(b, inside)))]),
        fault,
      );
    }
  });

  it('[utest->req~queue.bounded-walk~1] the configured limit holds for direct and indirect ones together', () => {
    for (const [direct, inside, fault] of [
      [0, 4, 'none'],
      [0, 5, 'chain-too-long'],
      [2, 2, 'none'],
      [2, 3, 'chain-too-long'],
      [4, 1, 'chain-too-long'],
    ] as const) {
      const b = bench({ size: 16, descriptorsMax: 4 });
      assert.equal(
        b.submitAndWalk([...pieces(b, direct), b.table(linked(pieces(b, inside)))]),
        fault,
      );
      assert.ok(b.chain.segments <= 4);
    }
  });

  it('[utest->req~queue.chain-checked~1] tables at odd addresses are read as they are (2.7.5.3)', () => {
    for (let skew = 0; skew < 16; skew++) {
      const b = bench();
      const inside = linked([...pieces(b, 3, 11), ...pieces(b, 1, 5, WRITE)]);
      assert.equal(b.submitAndWalk([b.table(inside, skew)]), 'none', `${skew} bytes off`);
      assert.deepEqual(
        [...b.readable, ...b.writable],
        inside.map((desc) => b.segmentOf(desc)),
      );
    }
  });

  it('[utest->req~mem.bounds~1] tables above 2 GiB in the arena, aligned and odd, are read as they are', () => {
    for (const skew of [0, 3]) {
      const b = bench({ sliceAt: 0xc000_0000 });
      const inside = linked([...pieces(b, 2, 7), ...pieces(b, 1, 5, WRITE)]);
      b.slice.write(inside[0]!.address, [1, 2, 3, 4, 5, 6, 7]);
      b.slice.write(inside[1]!.address, [8, 9, 10, 11, 12, 13, 14]);
      assert.equal(b.submitAndWalk([b.table(inside, skew)]), 'none');
      assert.deepEqual(
        [...b.readable, ...b.writable],
        inside.map((desc) => b.segmentOf(desc)),
      );
      assert.deepEqual(
        b.gathered(),
        Array.from({ length: 14 }, (_, n) => n + 1),
      );
    }
  });

  it('[utest->req~queue.chain-checked~1] the entries need not be in the order of the table (2.7.5.3)', () => {
    const b = bench();
    const [first, second, third] = pieces(b, 3);
    const table = b.table([
      { ...first!, flags: NEXT, next: 2 },
      third!,
      { ...second!, flags: NEXT, next: 1 },
    ]);
    assert.equal(b.submitAndWalk([table]), 'none');
    assert.deepEqual(
      b.readable,
      [first!, second!, third!].map((desc) => b.segmentOf(desc)),
    );
  });

  it('[utest->req~queue.chain-checked~1] without the feature a table is a fault (2.7.5.3.1, catalogue 14)', () => {
    const b = bench({ indirect: false });
    assert.equal(b.submitAndWalk([b.table(pieces(b, 1))]), 'indirect-not-negotiated');
  });

  it('[utest->req~queue.chain-checked~1] a table in a table is a fault (2.7.5.3.1, catalogue 15)', () => {
    const b = bench();
    const inner = b.table(pieces(b, 1));
    assert.equal(b.submitAndWalk([b.table([inner])]), 'indirect-nested');
  });

  it('[utest->req~queue.chain-checked~1] INDIRECT with NEXT is a fault (2.7.5.3.1, catalogue 16)', () => {
    const b = bench();
    assert.equal(b.submitAndWalk([b.table(pieces(b, 1)), ...pieces(b, 1)]), 'indirect-with-next');
  });

  it('[utest->req~queue.chain-checked~1] a table is of whole descriptors, and not of none (catalogue 17)', () => {
    const b = bench();
    const table = b.table(linked(pieces(b, 3)));
    for (const length of [0, 1, 15, 17, 47, 16 * 9, 0x80000000, 0xfffffff0, 0xffffffff]) {
      assert.equal(b.submitAndWalk([{ ...table, length }]), 'indirect-length', `${length} bytes`);
    }
    assert.equal(
      b.submitAndWalk([{ ...table, length: 32 }]),
      'next-out-of-range',
      'entry 2 is outside',
    );
  });

  it('[utest->req~mem.bounds~1] a table lies wholly inside one region (catalogue 18)', () => {
    const b = bench();
    const end = EMBEDDED_GUEST_PHYSICAL + b.slice.size;
    const table = { length: 32, flags: INDIRECT };
    b.slice.write(
      end - 32,
      linked(pieces(b, 2)).flatMap((desc) => descriptorBytes(desc)),
    );
    assert.equal(b.submitAndWalk([{ ...table, address: end - 32 }]), 'none');
    for (const address of [end - 31, end - 16, end, 0]) {
      assert.equal(b.submitAndWalk([{ ...table, address }]), 'address-out-of-range');
    }
  });

  it('[utest->req~queue.chain-checked~1] a loop inside the table is a loop (catalogue 19)', () => {
    const b = bench();
    const [one, two] = pieces(b, 2);
    const table = b.table([
      { ...one!, flags: NEXT, next: 1 },
      { ...two!, flags: NEXT, next: 0 },
    ]);
    assert.equal(b.submitAndWalk([table]), 'descriptor-loop');
  });

  it('[utest->req~queue.chain-checked~1] the same index before and inside the table is no loop (2.7.5.3)', () => {
    const b = bench({ size: 4 });
    for (let head = 0; head < 4; head++) {
      assert.equal(b.submitAndWalk([...pieces(b, 1), b.table(linked(pieces(b, 3)))]), 'none');
      assert.equal(b.chain.segments, 4);
      b.double.submit(pieces(b, 1));
      b.serve(1);
    }
  });

  it('[utest->req~mem.single-fetch~1] scratch for odd tables is left behind, not read again (catalogue 20)', () => {
    const b = bench();
    const inside = linked(pieces(b, 2));
    const table = b.table(inside, 1);
    assert.equal(b.submitAndWalk([table]), 'none');
    b.slice.write(table.address, new Array(32).fill(0xff));
    assert.deepEqual(
      b.readable,
      inside.map((desc) => b.segmentOf(desc)),
    );
  });
});
