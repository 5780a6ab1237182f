/** VIRTIO 1.4, 2.8.5 to 2.8.7: lists of descriptors and indirect tables of a packed ring. */
import { strict as assert } from 'node:assert';
import { INDIRECT, NEXT, raw, WRITE, type RawDesc } from '../support/hostile-ring.ts';
import { PackedBench, type PackedBenchOptions } from '../support/packed-bench.ts';

const AVAIL_USED = 0x8080;

function bench(options: PackedBenchOptions = {}): PackedBench {
  return new PackedBench({ size: 16, indirect: true, ...options });
}

describe('VIRTIO 2.8.5, 2.8.6: lists', () => {
  it('[utest->req~queue.chain-checked~1] readable elements come first, writable ones behind them', () => {
    const b = bench();
    const readable = [b.piece(12), b.piece(100)];
    const writable = [b.piece(7, WRITE), b.piece(9, WRITE)];
    assert.equal(b.submitAndWalk([...readable, ...writable]), 'none');
    assert.deepEqual(
      b.readable,
      readable.map((desc) => b.segmentOf(desc)),
    );
    assert.deepEqual(
      b.writable,
      writable.map((desc) => b.segmentOf(desc)),
    );
    assert.deepEqual([b.chain.readableBytes, b.chain.writableBytes], [112, 16]);
    assert.equal(b.chain.steps, 4);
  });

  it('[utest->req~queue.chain-checked~1] a readable element behind a writable one is a fault (2.8.17)', () => {
    const b = bench();
    const list = [b.piece(4, WRITE), b.piece(4)];
    assert.equal(b.submitAndWalk(list), 'readable-after-writable');
  });

  it('[utest->req~queue.packed-lists~1] a list goes over the end of the ring, where the marks change', () => {
    for (const position of [13, 14, 15]) {
      const b = bench({ place: { position, wrap: 1 } });
      const list = [b.piece(1), b.piece(2), b.piece(3), b.piece(4)];
      assert.equal(b.submitAndWalk(list), 'none');
      assert.deepEqual(
        b.readable.map(({ length }) => length),
        [1, 2, 3, 4],
      );
    }
  });

  it('[utest->req~queue.packed-lists~1] the buffer id is that of the last descriptor (2.8.6)', () => {
    const b = bench();
    const id = b.double.submitRaw([raw(0, 0), raw(0, 0), raw(0, 0)], 0x1234);
    b.serve();
    assert.deepEqual(b.double.usedElements, [{ id, length: 0 }]);
  });

  it('[utest->req~queue.packed-lists~1] the used descriptor skips as many as the list had (2.8.6)', () => {
    const b = bench({ size: 5 });
    for (const length of [2, 5, 1, 3, 4, 5]) {
      const id = b.offerList(length);
      b.serve();
      assert.deepEqual(b.double.usedElements.at(-1), { id, length: 0 });
      assert.equal(b.queue.base, b.double.base);
    }
  });

  it('[utest->req~queue.packed-lists~1] a list longer than one look is seen when its last descriptor is', () => {
    const b = bench({ size: 256, descriptorsMax: 200 });
    b.offerList(150);
    for (const expected of [0, 0, 1]) {
      assert.equal(b.look(), 'none');
      assert.equal(b.queue.available, expected);
    }
    const [head] = b.take();
    assert.equal(b.walk(head!, 200), 'none');
    assert.equal(b.chain.segments, 150);
  });

  it('[utest->req~queue.packed-lists~1] a list as long as the ring is whole, one look may end with it', () => {
    for (const size of [1, 4, 64, 128]) {
      const b = bench({ size, descriptorsMax: size });
      const id = b.offerList(size);
      while (!b.queue.sawAll || b.queue.available === 0) assert.equal(b.look(), 'none');
      b.serve();
      assert.deepEqual(b.double.usedElements, [{ id, length: 0 }]);
    }
  });

  it('[utest->req~queue.bounded-walk~1] no more descriptors than the limit, over all buffers of a packet', () => {
    const b = bench({ descriptorsMax: 5 });
    b.offerList(3);
    b.offerList(3);
    b.look();
    const [first, second] = b.take() as [number, number];
    assert.equal(b.walk(first, 3), 'none');
    assert.equal(b.walk(first, 2), 'chain-too-long');
    b.chain.begin();
    assert.equal(b.queue.walk(b.chain, first, 64), 0);
    assert.notEqual(b.queue.walk(b.chain, second, 64), 0);
    assert.equal(b.chain.steps, 5);
  });

  it('[utest->req~queue.chain-checked~1] each element is checked as in a split ring', () => {
    const b = bench();
    const outside = raw(0x10, 4);
    const huge = raw(b.slice.allocate(16), 0x8000_0000);
    assert.equal(b.submitAndWalk([outside]), 'address-out-of-range');
    assert.equal(b.submitAndWalk([b.piece(4), outside]), 'address-out-of-range');
    assert.equal(b.submitAndWalk([huge]), 'address-out-of-range');
    assert.equal(b.submitAndWalk([b.piece(0)]), 'none');
    assert.deepEqual([b.chain.segments, b.chain.steps], [0, 1]);
  });
});

describe('VIRTIO 2.8.7: indirect tables', () => {
  const pieces = (b: PackedBench, count: number) =>
    Array.from({ length: count }, (_, n) => b.piece(n + 1));

  it('[utest->req~queue.packed-tables~1] a table is read from its first descriptor to its last', () => {
    const b = bench();
    const list = [...pieces(b, 3), b.piece(50, WRITE)];
    assert.equal(b.submitAndWalk([b.table(list)]), 'none');
    assert.deepEqual(
      b.readable,
      list.slice(0, 3).map((desc) => b.segmentOf(desc)),
    );
    assert.deepEqual(b.writable, [b.segmentOf(list[3]!)]);
    assert.equal(b.chain.steps, 5);
  });

  it('[utest->req~queue.packed-tables~1] a table may lie at any address', () => {
    for (const align of [1, 2, 4, 8]) {
      const b = bench();
      const list = pieces(b, 3);
      assert.equal(b.submitAndWalk([b.table(list, align)]), 'none');
      assert.deepEqual(
        b.readable,
        list.map((desc) => b.segmentOf(desc)),
      );
    }
  });

  for (const [name, flags] of [
    ['NEXT', NEXT],
    ['AVAIL and USED', AVAIL_USED],
    ['all but WRITE and INDIRECT', 0xffff & ~(WRITE | INDIRECT)],
  ] as const) {
    it(`[utest->req~queue.packed-tables~1] ${name} in a table changes nothing`, () => {
      const b = bench();
      const list = pieces(b, 3);
      const marked = list.map((desc) => ({ ...desc, flags }));
      assert.equal(b.submitAndWalk([b.table(marked)]), 'none');
      assert.deepEqual(
        b.readable,
        list.map((desc) => b.segmentOf(desc)),
      );
    });
  }

  it('[utest->req~queue.packed-tables~1] WRITE beside INDIRECT changes nothing', () => {
    const b = bench();
    assert.equal(b.submitAndWalk([b.table(pieces(b, 2), 16, INDIRECT | WRITE)]), 'none');
    assert.equal(b.chain.readableBytes, 3);
  });

  it('[utest->req~queue.packed-tables~1] a table takes one place in the ring', () => {
    const b = bench({ size: 3 });
    const ids = [b.double.submitRaw([b.table(pieces(b, 3))]), b.offerList(2)];
    b.serve();
    assert.deepEqual(
      b.double.usedElements.map(({ id }) => id),
      ids,
    );
  });

  it('[utest->req~queue.chain-checked~1] without the feature INDIRECT is a fault (2.8.19)', () => {
    const b = bench({ indirect: false });
    assert.equal(b.submitAndWalk([b.table(pieces(b, 1))]), 'indirect-not-negotiated');
  });

  it('[utest->req~queue.chain-checked~1] a table in a table is a fault (2.8.19)', () => {
    const b = bench();
    const inner = b.table(pieces(b, 1));
    assert.equal(b.submitAndWalk([b.table([b.piece(4), inner])]), 'indirect-nested');
  });

  it('[utest->req~queue.chain-checked~1] a table in a list that NEXT links is a fault (2.8.19)', () => {
    for (const place of [0, 1, 2]) {
      const b = bench();
      const list: RawDesc[] = [0, 1, 2].map(() => raw(b.slice.allocate(8), 8));
      list[place] = b.table(pieces(b, 1));
      assert.equal(b.submitAndWalk(list), 'indirect-with-next', `the table is number ${place}`);
    }
  });

  for (const [title, bytes] of [
    ['of no byte', 0],
    ['of half a descriptor', 8],
    ['of one and a half', 24],
    ['longer than the queue', 16 * 17],
  ] as const) {
    it(`[utest->req~queue.chain-checked~1] a table ${title} is a fault`, () => {
      const b = bench();
      const table = b.table(pieces(b, 2));
      assert.equal(b.submitAndWalk([{ ...table, length: bytes }]), 'indirect-length');
    });
  }

  it('[utest->req~queue.bounded-walk~1] a table counts descriptor by descriptor, and may be as long as the queue', () => {
    const b = bench();
    const table = b.table(pieces(b, 16));
    assert.equal(b.submitAndWalk([table]), 'none');
    assert.equal(b.submitAndWalk([table], 16), 'none');
    assert.equal(b.submitAndWalk([table], 15), 'chain-too-long');
  });

  it('[utest->req~queue.chain-checked~1] a table and what it names must be in the memory', () => {
    const b = bench();
    assert.equal(
      b.submitAndWalk([raw(0x10, 16, INDIRECT)]),
      'address-out-of-range',
      'the table itself',
    );
    assert.equal(b.submitAndWalk([b.table([raw(0x10, 16)])]), 'address-out-of-range');
    const list = [b.piece(1, WRITE), b.piece(1)];
    assert.equal(b.submitAndWalk([b.table(list)]), 'readable-after-writable');
  });

  it('[utest->req~queue.chain-returned~1] a faulty buffer goes back whole, and the next one is served', () => {
    const b = bench({ size: 4 });
    const bad = b.double.submitRaw([raw(0x10, 4), raw(0x10, 4), raw(0x10, 4)]);
    const good = b.offerList(1);
    b.look();
    const [first, second] = b.take() as [number, number];
    assert.equal(b.walk(first), 'address-out-of-range');
    b.queue.complete(first, 0);
    assert.equal(b.walk(second), 'none');
    b.queue.complete(second, 0);
    b.queue.publish();
    assert.deepEqual(b.double.usedElements, [
      { id: bad, length: 0 },
      { id: good, length: 0 },
    ]);
  });
});
