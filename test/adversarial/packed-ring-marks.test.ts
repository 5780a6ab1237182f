/** Marks, wrap counters and buffer ids that a driver of a packed ring must not write (2.8.1, 2.8.17). */
import { strict as assert } from 'node:assert';
import { PackedDescFlag } from '../../src/wire/virtqueue.ts';
import { INDIRECT, NEXT, WRITE } from '../support/hostile-ring.ts';
import { baseOf, type Place } from '../support/packed-double.ts';
import { PackedBench } from '../support/packed-bench.ts';

const { AVAIL, USED } = PackedDescFlag;
const LAPS = [1, 0] as const;

/** A ring in the middle of a lap, with one buffer served and nothing available. */
function running(wrap: 0 | 1, size = 8): PackedBench {
  const bench = new PackedBench({ size, place: { position: 2, wrap } });
  bench.offer(1);
  bench.serve();
  return bench;
}

function assertBroken(bench: PackedBench, fault: string): void {
  assert.equal(bench.look(), fault);
  assert.deepEqual([bench.queue.started, bench.broken], [false, fault]);
}

describe('wrap counters', () => {
  for (const wrap of LAPS) {
    const available = wrap === 1 ? AVAIL : USED;
    const stale = wrap === 1 ? USED : AVAIL;
    const used = wrap === 1 ? AVAIL | USED : 0;
    const usedBefore = wrap === 1 ? 0 : AVAIL | USED;

    it(`[utest->req~queue.packed-lists~1] lap ${wrap}: marks of the lap before are not available (packed: wrap counter)`, () => {
      for (const marks of [stale, usedBefore]) {
        const bench = running(wrap);
        bench.double.setFlags(3, marks);
        assert.equal(bench.look(), 'none');
        assert.equal(bench.queue.available, 0);
        assert.equal(bench.queue.sawAll, true);
      }
    });

    it(`[utest->req~queue.packed-lists~1] lap ${wrap}: both marks as the device writes them stop the ring (packed: AVAIL==USED)`, () => {
      for (const other of [0, WRITE, NEXT, INDIRECT, 0x7f7f]) {
        const bench = running(wrap);
        bench.double.setFlags(3, used | other);
        assertBroken(bench, 'descriptor-marks-invalid');
      }
    });

    it(`[utest->req~queue.packed-lists~1] lap ${wrap}: the same in the middle of a list (packed: toggle mid-chain)`, () => {
      const bench = running(wrap);
      bench.double.setFlags(3, available | NEXT);
      bench.double.setFlags(4, used);
      assertBroken(bench, 'descriptor-marks-invalid');
    });

    it(`[utest->req~queue.packed-lists~1] lap ${wrap}: a list whose rest is not there stops the ring (packed: first before rest)`, () => {
      for (const marks of [stale, usedBefore, stale | NEXT]) {
        for (const length of [1, 2, 3]) {
          const bench = running(wrap);
          for (let n = 0; n < length; n++) bench.double.setFlags(3 + n, available | NEXT);
          bench.double.setFlags(3 + length, marks);
          assertBroken(bench, 'descriptor-list-incomplete');
          assert.equal(bench.queue.available, 0);
        }
      }
    });

    it(`[utest->req~queue.packed-lists~1] lap ${wrap}: a list that keeps its marks over the end stops the ring (packed: wrap counter)`, () => {
      const bench = running(wrap, 5);
      bench.double.setFlags(3, available | NEXT);
      bench.double.setFlags(4, available | NEXT);
      bench.double.setFlags(0, available);
      assertBroken(bench, 'descriptor-list-incomplete');
    });
  }

  it('[utest->req~queue.packed-lists~1] a ring of zeroes that starts in the lap of 0 stops at once (packed: wrap counter)', () => {
    const bench = new PackedBench({ size: 4 });
    for (let n = 0; n < 4; n++) bench.double.setFlags(n, 0);
    bench.start({}, baseOf({ position: 0, wrap: 0 }));
    assertBroken(bench, 'descriptor-marks-invalid');
  });

  it('[utest->req~queue.packed-lists~1] buffers before the mistake are served (packed: first before rest)', () => {
    const bench = new PackedBench({ size: 8 });
    const ids = bench.offer(2);
    bench.double.setFlags(2, AVAIL | NEXT);
    assert.equal(bench.look(), 'descriptor-list-incomplete');
    assert.equal(bench.queue.available, 2);
    for (const head of bench.take()) bench.queue.complete(head, 0);
    bench.queue.publish();
    assert.deepEqual(
      bench.double.usedElements.map(({ id }) => id),
      ids,
    );
  });
});

describe('lists that do not end', () => {
  for (const size of [1, 2, 3, 63, 64, 65, 100]) {
    it(`[utest->req~queue.packed-lists~1] NEXT on all ${size} descriptors stops the ring after one lap (packed: ring full)`, () => {
      const bench = new PackedBench({ size });
      for (let n = 0; n < size; n++) bench.double.setFlags(n, AVAIL | NEXT);
      for (let looks = 0; looks <= size / 64; looks++) {
        if (bench.queue.started) bench.look();
      }
      assert.deepEqual([bench.broken, bench.queue.available], ['descriptor-list-incomplete', 0]);
    });

    it(`[utest->req~queue.packed-lists~1] the same where they are available in both laps: ${size} (packed: ring full)`, () => {
      const bench = new PackedBench({ size });
      const { load } = Atomics;
      let loads = 0;
      // The driver marks each descriptor for the lap in which it is looked at.
      Atomics.load = ((view: Uint16Array, index: number) => {
        const lap = Math.floor(loads++ / size) % 2;
        return (load(view, index) & ~(AVAIL | USED)) | NEXT | (lap === 0 ? AVAIL : USED);
      }) as typeof Atomics.load;
      try {
        for (let looks = 0; looks <= size / 64; looks++) if (bench.queue.started) bench.look();
      } finally {
        Atomics.load = load;
      }
      assert.equal(bench.broken, 'descriptor-list-incomplete');
      assert.equal(loads, size, 'no descriptor is read in a second lap');
    });
  }

  it('[utest->req~queue.packed-lists~1] a list with no room behind buffers that are out stops the ring (2.8.17)', () => {
    const bench = new PackedBench({ size: 5 });
    bench.offer(3);
    bench.look();
    bench.take();
    bench.double.setFlags(3, AVAIL | NEXT);
    bench.double.setFlags(4, AVAIL | NEXT);
    bench.double.setFlags(0, USED);
    assertBroken(bench, 'descriptor-list-incomplete');
  });

  it('[utest->req~queue.packed-lists~1] a descriptor that the device has is not taken again, whatever its marks say (packed: ring full)', () => {
    const bench = new PackedBench({ size: 4 });
    const ids = bench.offer(4);
    bench.look();
    const heads = bench.take();
    // As if all four were available in the next lap too.
    for (let n = 0; n < 4; n++) bench.double.setFlags(n, USED);
    assert.equal(bench.look(), 'none');
    assert.equal(bench.queue.available, 0);
    for (const head of heads) bench.queue.complete(head, 0);
    bench.queue.publish();
    assert.deepEqual(
      bench.double.usedElements.map(({ id }) => id),
      ids,
    );
  });
});

describe('flags that change after they were seen', () => {
  const flips: readonly [string, number][] = [
    ['NEXT', NEXT],
    ['WRITE', WRITE],
    ['INDIRECT', INDIRECT],
    ['AVAIL', AVAIL],
    ['USED', USED],
    ['all', 0xffff],
  ];
  for (const [name, mask] of flips) {
    it(`[utest->req~mem.single-fetch~1] ${name} of any descriptor: the walk uses what was seen (packed: toggle mid-chain)`, () => {
      for (let position = 0; position < 3; position++) {
        const bench = new PackedBench({ size: 4, indirect: true });
        const list = [bench.piece(10), bench.piece(20), bench.piece(30, WRITE)];
        const id = bench.double.submit(list);
        bench.look();
        bench.double.setFlags(position, bench.double.flagsAt(position) ^ mask);
        const [head] = bench.take();
        assert.equal(bench.walk(head!), 'none');
        assert.deepEqual([bench.chain.readableBytes, bench.chain.writableBytes], [30, 30]);
        bench.queue.complete(head!, 30);
        bench.queue.publish();
        assert.deepEqual(bench.double.reap(), { id, length: 30 });
      }
    });
  }
});

describe('buffer ids', () => {
  for (const id of [4, 5, 0x7fff, 0x8000, 0xffff]) {
    it(`[utest->req~queue.in-flight-once~1] ${id} in a ring of 4 goes back as it came (packed: buffer id == qsize)`, () => {
      const bench = new PackedBench({ size: 4 });
      bench.double.submit([bench.piece()], id);
      bench.serve();
      assert.deepEqual(bench.double.usedElements, [{ id, length: 0 }]);
    });
  }

  it('[utest->req~queue.in-flight-once~1] an id that the device still has stops the ring (packed: duplicate id)', () => {
    for (const ids of [
      [9, 9],
      [0xffff, 3, 0xffff],
      [8, 9, 10, 8],
    ]) {
      const bench = new PackedBench({ size: 8 });
      for (const id of ids) bench.double.submit([bench.piece()], id);
      bench.look();
      const heads = bench.take();
      assert.deepEqual(heads, [...ids.slice(1).map((_, n) => n), -1]);
      assert.deepEqual([bench.broken, bench.queue.started], ['head-in-flight', false]);
    }
  });

  it('[utest->req~queue.in-flight-once~1] an id is free again when its buffer is published, and not before', () => {
    const bench = new PackedBench({ size: 8 });
    const again = () => bench.double.submit([bench.piece()], 5);
    again();
    bench.look();
    const [head] = bench.take();
    bench.queue.complete(head!, 0);
    bench.queue.publish();
    assert.notEqual(bench.double.reap(), undefined);
    again();
    bench.look();
    const [second] = bench.take();
    bench.queue.complete(second!, 0);
    again();
    bench.look();
    assert.deepEqual(bench.take(), [-1]);
  });

  it('[utest->req~queue.in-flight-once~1] an id that was given back with its buffer is free again', () => {
    const bench = new PackedBench({ size: 8 });
    bench.double.submit([bench.piece()], 5);
    bench.look();
    const [head] = bench.take();
    bench.queue.untake(head!);
    assert.deepEqual(bench.take(), [head]);
    assert.equal(bench.broken, 'none');
  });
});

describe('the smallest ring', () => {
  it('[utest->req~queue.packed-lists~1] one descriptor: each buffer is a lap (packed: queue size 1)', () => {
    const bench = new PackedBench({ size: 1 });
    let place: Place = { position: 0, wrap: 1 };
    for (let n = 0; n < 5; n++) {
      assert.equal(bench.queue.base, baseOf(place));
      const [id] = bench.offer();
      assert.equal(bench.look(), 'none');
      assert.equal(bench.look(), 'none', 'a full ring');
      assert.equal(bench.queue.available, 1);
      bench.serve();
      assert.deepEqual(bench.double.usedElements.at(-1), { id, length: 0 });
      place = { position: 0, wrap: place.wrap === 1 ? 0 : 1 };
    }
  });

  it('[utest->req~queue.packed-lists~1] one descriptor with NEXT has no room for its list (packed: queue size 1)', () => {
    const bench = new PackedBench({ size: 1 });
    bench.double.setFlags(0, AVAIL | NEXT);
    assertBroken(bench, 'descriptor-list-incomplete');
  });

  it('[utest->req~queue.packed-tables~1] one descriptor with a table of one (packed: queue size 1)', () => {
    const bench = new PackedBench({ size: 1, indirect: true });
    const piece = bench.piece(33);
    assert.equal(bench.submitAndWalk([bench.table([piece])]), 'none');
    assert.deepEqual(bench.readable, [bench.segmentOf(piece)]);
    assert.equal(bench.walk(0, 0), 'chain-too-long', 'no descriptor is read where none is allowed');
  });
});
