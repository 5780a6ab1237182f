/** VIRTIO 1.4, 2.8: wrap counters, positions, used descriptors, and where service resumes. */
import { strict as assert } from 'node:assert';
import { raw } from '../support/hostile-ring.ts';
import { baseOf, halfOf, type Place } from '../support/packed-double.ts';
import { PackedBench } from '../support/packed-bench.ts';
import { recordStores } from '../support/recorded-stores.ts';

const SIZES = [1, 2, 3, 5, 7, 8, 63, 100, 255];
/** AVAIL and USED, as 2.8.1 numbers them. */
const BOTH = 0x8080;
const WRITE = 2;

describe('VIRTIO 2.8.1: wrap counters', () => {
  for (const size of SIZES) {
    it(`[utest->req~queue.packed-lists~1] a ring of ${size} goes round three times, one buffer after the other`, () => {
      const bench = new PackedBench({ size });
      for (let n = 0; n < 3 * size; n++) {
        const [id] = bench.offer();
        bench.serve(undefined, n);
        assert.deepEqual(bench.double.usedElements.at(-1), { id, length: n });
      }
      assert.equal(bench.queue.base, bench.double.base);
    });

    it(`[utest->req~queue.packed-lists~1] a ring of ${size} is filled and emptied five times`, () => {
      const bench = new PackedBench({ size });
      const ids: number[] = [];
      for (let lap = 0; lap < 5; lap++) {
        ids.push(...bench.offer(size));
        while (bench.double.usedElements.length < ids.length) bench.serve();
      }
      assert.deepEqual(
        bench.double.usedElements.map(({ id }) => id),
        ids,
      );
    });
  }

  it('[utest->req~queue.packed-lists~1] the largest ring of 2.8, 32,768 descriptors, is looked through piece by piece', () => {
    const bench = new PackedBench({ size: 32768, sliceBytes: 64 * 65536 });
    const ids = Array.from({ length: 32768 }, () =>
      bench.double.submit([{ address: bench.slice.allocate(1, 1), length: 1 }]),
    );
    let looks = 0;
    for (; !bench.queue.sawAll || bench.queue.available < 32768; looks++) bench.look();
    assert.equal(looks, 32768 / 64 + 1, '64 descriptors per look');
    assert.deepEqual(
      bench.take().map((head) => bench.queue.complete(head, 0)),
      ids.map(() => undefined),
    );
    bench.queue.publish();
    assert.deepEqual(
      bench.double.usedElements.map(({ id }) => id),
      ids,
    );
    assert.equal(bench.queue.base, baseOf({ position: 0, wrap: 0 }));
  });

  for (const place of [
    { position: 0, wrap: 0 },
    { position: 3, wrap: 1 },
    { position: 4, wrap: 0 },
    { position: 4, wrap: 1 },
  ] as const) {
    it(`[utest->req~queue.packed-lists~1] service begins at position ${place.position} in the lap of ${place.wrap}`, () => {
      const bench = new PackedBench({ size: 5, place });
      bench.look();
      assert.equal(bench.queue.available, 0, 'what the lap before left is not available');
      const ids = bench.offer(5);
      bench.serve();
      assert.deepEqual(
        bench.double.usedElements.map(({ id }) => id),
        ids,
      );
      assert.equal(bench.queue.base, bench.double.base);
    });
  }

  it('[utest->req~queue.packed-lists~1] a zeroed ring has nothing available, and no look finds more than there is', () => {
    const bench = new PackedBench({ size: 8 });
    for (let n = 0; n < 3; n++) assert.equal(bench.look(), 'none');
    assert.equal(bench.queue.available, 0);
    bench.offer(3);
    for (let n = 0; n < 3; n++) assert.equal(bench.look(), 'none');
    assert.equal(bench.queue.available, 3);
  });

  it('[utest->req~queue.packed-lists~1] the counters of buffers go round at 65,536', () => {
    const bench = new PackedBench({ size: 64 });
    for (let n = 0; n < 0x10000 + 64; n++) {
      bench.double.submitRaw([raw(0, 0)]);
      bench.serve();
      assert.notEqual(bench.double.reap(), undefined);
    }
    assert.deepEqual([bench.queue.seen, bench.queue.taken], [64, 64]);
  });
});

describe('VIRTIO 2.8.2: a look', () => {
  it('[utest->req~sched.work-bound~1] reads at most 64 descriptors, and says whether it saw all', () => {
    const bench = new PackedBench({ size: 256 });
    bench.offer(130, 1);
    const seen = [1, 2, 3].map(() => {
      bench.look();
      return [bench.queue.available, bench.queue.sawAll];
    });
    assert.deepEqual(seen, [
      [64, false],
      [128, false],
      [130, true],
    ]);
  });

  it('[utest->req~queue.packed-lists~1] at a full ring reads nothing and says that it saw all', () => {
    const bench = new PackedBench({ size: 4 });
    bench.offer(4);
    bench.look();
    bench.take(2);
    for (let n = 0; n < 4; n++) bench.double.setFlags(n, 0xffff);
    assert.equal(bench.look(), 'none');
    assert.deepEqual([bench.queue.sawAll, bench.queue.available], [true, 2]);
  });

  it('[utest->req~queue.packed-lists~1] sees a buffer behind one that the driver has not made available yet only after it', () => {
    const bench = new PackedBench({ size: 8 });
    const reveal = bench.double.prepare([{ low: 0, high: 0, length: 0, flags: 0, next: 0 }]);
    bench.offer(1);
    bench.look();
    assert.equal(bench.queue.available, 0);
    reveal();
    bench.look();
    assert.equal(bench.queue.available, 2);
  });
});

describe('VIRTIO 2.8.2, 2.8.4: used descriptors', () => {
  for (const wrap of [1, 0] as const) {
    it(`[utest->req~queue.used-order~1] in the lap of ${wrap}, id and length come first and the marks last`, () => {
      const bench = new PackedBench({ size: 4, place: { position: 1, wrap } });
      const [id] = bench.offer();
      bench.look();
      const [head] = bench.take();
      const at = bench.slice.at(bench.double.desc) + 16;
      const before = bench.double.flagsAt(1);
      const completing = recordStores(bench.arena, () => bench.queue.complete(head!, 77));
      assert.equal(bench.double.flagsAt(1), before, 'complete() marks nothing');
      assert.deepEqual(completing, [{ at: at + 8, value: 77 }]);
      const publishing = recordStores(bench.arena, () => bench.queue.publish());
      assert.deepEqual(publishing, [{ at: at + 14, value: (wrap === 1 ? BOTH : 0) | WRITE }]);
      assert.deepEqual(bench.slice.read(bench.double.desc + 16 + 12, 2), [id! & 255, id! >>> 8]);
    });
  }

  it('[utest->req~queue.used-order~1] the first of several is marked last: one store shows them all (2.8.2, 2.8.9)', () => {
    const bench = new PackedBench({ size: 4 });
    bench.offer(3);
    bench.look();
    for (const head of bench.take()) bench.queue.complete(head, 5);
    const { store } = Atomics;
    let before: number[] = [];
    Atomics.store = ((view: Int32Array, index: number, value: number) => {
      before = [0, 1, 2].map((position) => bench.double.flagsAt(position));
      return store(view, index, value);
    }) as typeof Atomics.store;
    try {
      bench.queue.publish();
    } finally {
      Atomics.store = store;
    }
    assert.deepEqual(before, [0x80, BOTH | WRITE, BOTH | WRITE], 'marked before the first');
    assert.equal(bench.double.flagsAt(0), BOTH | WRITE);
  });

  it('[utest->req~queue.used-order~1] WRITE says whether anything was written (2.8.3)', () => {
    const bench = new PackedBench({ size: 4 });
    bench.offer(2, 64, WRITE);
    bench.look();
    const [first, second] = bench.take();
    bench.queue.complete(first!, 0);
    bench.queue.complete(second!, 1);
    bench.queue.publish();
    assert.deepEqual([bench.double.flagsAt(0), bench.double.flagsAt(1)], [BOTH, BOTH | WRITE]);
  });

  it('[utest->req~queue.used-order~1] publishing nothing stores nothing', () => {
    const bench = new PackedBench();
    bench.offer(2);
    bench.look();
    bench.take();
    assert.deepEqual(
      recordStores(bench.arena, () => bench.queue.publish()),
      [],
    );
  });

  it('[utest->req~queue.in-order~1] used descriptors come in the order in which buffers were made available (2.8.8)', () => {
    const bench = new PackedBench({ size: 7 });
    const ids = [2, 1, 3].map((length) => bench.offerList(length));
    bench.look();
    for (const head of bench.take()) {
      bench.queue.complete(head, 0);
      bench.queue.publish();
    }
    assert.deepEqual(
      bench.double.usedElements.map(({ id }) => id),
      ids,
    );
    assert.deepEqual(
      [0, 2, 3].map((position) => bench.double.flagsAt(position)),
      [BOTH, BOTH, BOTH],
      'each where its list began',
    );
  });

  it('[utest->req~queue.in-order~1] a head that is given back is the next to be taken', () => {
    const bench = new PackedBench({ size: 5, place: { position: 4, wrap: 1 } });
    const ids = [bench.offerList(2), bench.offerList(1)];
    bench.look();
    const [first, second] = bench.take() as [number, number];
    bench.queue.untake(second);
    bench.queue.untake(first);
    assert.deepEqual([bench.queue.available, bench.queue.taken], [2, 0]);
    assert.deepEqual(bench.take(), [first, second]);
    for (const head of [first, second]) bench.queue.complete(head, 0);
    bench.queue.publish();
    assert.deepEqual(
      bench.double.usedElements.map(({ id }) => id),
      ids,
    );
  });

  it('[utest->req~mem.zero-residue~1] nothing but its own used descriptors and event structure is written', () => {
    const bench = new PackedBench({ size: 6 });
    bench.slice.write(bench.double.used + 4, [1, 2, 3, 4]);
    bench.slice.write(bench.double.desc + 6 * 16, [5, 6, 7, 8]);
    bench.offerList(3);
    const address = bench.slice.read(bench.double.desc, 8);
    const others = bench.slice.read(bench.double.desc + 16, 5 * 16);
    bench.serve(undefined, 9);
    assert.deepEqual(bench.slice.read(bench.double.desc, 8), address);
    assert.deepEqual(bench.slice.read(bench.double.desc + 16, 5 * 16), others);
    assert.deepEqual(bench.slice.read(bench.double.desc + 6 * 16, 4), [5, 6, 7, 8]);
    assert.deepEqual(bench.slice.read(bench.double.used + 4, 4), [1, 2, 3, 4]);
  });
});

describe('where service resumes', () => {
  const at = (position: number, wrap: 0 | 1): Place => ({ position, wrap });

  it('[utest->req~queue.resume~1] before its first start a ring begins where 2.8.1 says', () => {
    const { queue } = new PackedBench();
    assert.equal(queue.base, baseOf(at(0, 1)));
  });

  it('[utest->req~queue.resume~1] is behind what was published, whatever was taken or completed', () => {
    const bench = new PackedBench({ size: 5 });
    const ids = [2, 1, 1].map((length) => bench.offerList(length));
    bench.look();
    const [first, second] = bench.take(2) as [number, number];
    assert.equal(bench.queue.base, baseOf(at(0, 1)));
    bench.queue.complete(first, 0);
    assert.equal(bench.queue.base, baseOf(at(0, 1)));
    bench.queue.publish();
    assert.equal(bench.queue.base, baseOf(at(2, 1)));
    bench.queue.complete(second, 0);
    bench.queue.stop();
    bench.queue.publish();
    assert.equal(bench.queue.base, baseOf(at(2, 1)), 'what was not published is forgotten');
    assert.deepEqual(bench.double.usedElements, [{ id: ids[0], length: 0 }]);
    const { double, queue, slice } = bench;
    queue.start({
      ...{ size: 5, eventIdx: false, indirect: false, packed: true, index: queue.base },
      descAt: slice.at(double.desc),
      availAt: slice.at(double.avail),
      usedAt: slice.at(double.used),
    });
    bench.serve();
    assert.deepEqual(
      double.usedElements.map(({ id }) => id),
      ids,
      'taken and completed buffers are offered again',
    );
    assert.equal(queue.base, baseOf(at(4, 1)));
  });

  it('[utest->req~queue.resume~1] where the used half is not given, it is the available one', () => {
    for (const place of [at(0, 1), at(3, 1), at(2, 0)]) {
      const bench = new PackedBench({ size: 5, place });
      bench.start({ place }, halfOf(place));
      bench.offer(2);
      bench.serve();
      assert.equal(bench.double.usedElements.length, 2);
    }
  });

  it('[utest->req~queue.resume~1] buffers between the used and the available position are offered again', () => {
    const bench = new PackedBench({ size: 5, place: at(1, 1) });
    const ids = bench.offer(3);
    bench.queue.start({
      ...{ size: 5, eventIdx: false, indirect: false, packed: true },
      index: (halfOf(at(1, 1)) << 16) | halfOf(at(3, 1)),
      descAt: bench.slice.at(bench.double.desc),
      availAt: bench.slice.at(bench.double.avail),
      usedAt: bench.slice.at(bench.double.used),
    });
    bench.serve();
    assert.deepEqual(
      bench.double.usedElements.map(({ id }) => id),
      ids,
    );
  });

  it('[utest->req~queue.resume~1] a position outside the ring leaves it broken, and nothing is read', () => {
    for (const position of [5, 6, 0x7fff]) {
      const bench = new PackedBench({ size: 5 });
      bench.start({}, baseOf(at(position, 1)));
      assert.deepEqual([bench.queue.started, bench.broken], [false, 'queue-setup-invalid']);
      assert.equal(bench.queue.available, 0);
      bench.queue.stop();
      bench.start();
      bench.offer(1);
      bench.serve();
      assert.equal(bench.double.usedElements.length, 1, 'another setup starts it');
    }
  });

  it('[utest->req~queue.reset~1] a ring that starts anew owes nothing and knows no id of its old life', () => {
    const bench = new PackedBench({ size: 4 });
    bench.double.submit([bench.piece()], 7);
    bench.serve();
    bench.double.submit([bench.piece()], 8);
    bench.look();
    bench.take();
    bench.start();
    for (let n = 0; n < 4; n++) bench.double.setFlags(n, 0);
    assert.equal(bench.queue.takeNotification(), false);
    bench.double.submit([bench.piece()], 8);
    bench.serve();
    assert.equal(bench.broken, 'none');
    assert.deepEqual(bench.double.usedElements.at(-1), { id: 8, length: 0 });
  });

  it('[utest->req~queue.reset~1] a broken ring may notify what it published; a stopped one may not', () => {
    const bench = new PackedBench({ size: 4 });
    assert.equal(bench.queue.mayNotify, true);
    bench.double.setFlags(0, BOTH);
    assert.equal(bench.look(), 'descriptor-marks-invalid');
    assert.equal(bench.queue.mayNotify, true);
    bench.queue.stop();
    assert.equal(bench.queue.mayNotify, false);
  });
});
