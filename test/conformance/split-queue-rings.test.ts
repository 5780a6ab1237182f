/** VIRTIO 1.4, 2.7.6 and 2.7.8: available and used ring of the device side, over every index wrap. */
import { strict as assert } from 'node:assert';
import { faultName } from '../../src/base/fault.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { QueueBench } from '../support/queue-bench.ts';
import { recordStores } from '../support/recorded-stores.ts';

const seed = Number(process.env['TEST_SEED'] ?? 27006);

describe('VIRTIO 2.7.6: available ring', () => {
  it('[utest->req~queue.index-plausible~1] heads are taken in ring order, each once (2.7.6)', () => {
    const bench = new QueueBench({ size: 8 });
    const heads = [5, 0, 7, 2];
    for (const head of heads) bench.double.expose(head);
    assert.equal(bench.look(), 'none');
    assert.equal(bench.queue.available, 4);
    assert.deepEqual(bench.take(), heads);
    assert.equal(bench.queue.available, 0);
  });

  it('[utest->req~queue.index-plausible~1] nothing is seen of entries behind the index (2.7.6)', () => {
    const bench = new QueueBench();
    bench.double.expose(3);
    bench.double.expose(4, false);
    bench.look();
    assert.equal(bench.queue.available, 1);
  });

  it('[utest->req~queue.index-plausible~1] what comes after a look is seen at the next one (catalogue 5)', () => {
    const bench = new QueueBench();
    bench.expose(1);
    bench.look();
    bench.expose(2);
    assert.equal(bench.queue.available, 1);
    bench.look();
    assert.equal(bench.queue.available, 3);
  });

  it('[utest->req~queue.index-plausible~1] a full ring is plausible, at every start index (2.7.6)', () => {
    for (const index of [0, 1, 0x7fff, 0xfff8, 0xfffc, 0xffff]) {
      const bench = new QueueBench({ size: 8, index });
      bench.expose(8);
      assert.equal(bench.look(), 'none', `from ${index}`);
      assert.equal(bench.take().length, 8);
    }
  });

  it('[utest->req~queue.index-plausible~1] one more than the queue size stops the ring (catalogue 4)', () => {
    for (const index of [0, 0xffff]) {
      const bench = new QueueBench({ size: 8, index });
      bench.double.setAvailIndex(index + 9);
      assert.equal(bench.look(), 'avail-index-out-of-range');
      assert.equal(bench.queue.started, false);
      assert.equal(bench.queue.available, 0);
    }
  });

  it('[utest->req~queue.index-plausible~1] an index behind what was taken stops the ring (2.7.6.1, catalogue 4)', () => {
    for (const back of [1, 2, 0x8000]) {
      const bench = new QueueBench({ size: 8 });
      bench.expose(4);
      bench.look();
      bench.take();
      bench.double.setAvailIndex(4 - back);
      assert.equal(bench.look(), 'avail-index-out-of-range', `back by ${back}`);
    }
  });

  it('[utest->req~queue.index-plausible~1] heads that the device still has are not free for the driver (catalogue 29)', () => {
    const bench = new QueueBench({ size: 4 });
    bench.expose(4);
    bench.look();
    const heads = bench.take(3);
    bench.double.setAvailIndex(5);
    assert.equal(bench.look(), 'avail-index-out-of-range', 'one is waiting, three are taken');
    assert.equal(heads.length, 3);
  });

  it('[utest->req~queue.index-plausible~1] completed heads become free with their publication, not before', () => {
    for (const published of [false, true]) {
      const bench = new QueueBench({ size: 4 });
      bench.expose(4);
      bench.look();
      bench.queue.complete(bench.take()[0]!, 0);
      if (published) bench.queue.publish();
      bench.double.setAvailIndex(5);
      assert.equal(bench.look(), published ? 'none' : 'avail-index-out-of-range');
    }
  });

  it('[utest->req~queue.in-flight-once~1] a head not below the queue size stops the ring (catalogue 3)', () => {
    for (const head of [8, 9, 0x7fff, 0xffff]) {
      const bench = new QueueBench({ size: 8 });
      bench.double.expose(head);
      bench.look();
      assert.equal(bench.queue.takeHead(), -1);
      assert.equal(faultName(bench.queue.brokenBy), 'head-out-of-range');
      assert.deepEqual([bench.queue.started, bench.queue.taken], [false, 0]);
    }
  });

  it('[utest->req~queue.in-flight-once~1] the largest head is still one (2.7.6)', () => {
    const bench = new QueueBench({ size: 8 });
    bench.double.expose(7);
    bench.look();
    assert.equal(bench.queue.takeHead(), 7);
  });

  it('[utest->req~queue.in-flight-once~1] a head that the device has stops the ring (catalogue 6)', () => {
    const bench = new QueueBench();
    for (const head of [3, 4, 3]) bench.double.expose(head);
    bench.look();
    assert.deepEqual(bench.take(), [3, 4, -1]);
    assert.equal(faultName(bench.queue.brokenBy), 'head-in-flight');
    assert.equal(bench.queue.started, false);
  });

  it("[utest->req~queue.in-flight-once~1] a completed head counts as the device's until it is published (2.7.8.2)", () => {
    for (const published of [false, true]) {
      const bench = new QueueBench();
      bench.double.expose(3);
      bench.look();
      bench.queue.complete(bench.queue.takeHead(), 0);
      if (published) bench.queue.publish();
      bench.double.expose(3);
      bench.look();
      assert.equal(bench.queue.takeHead(), published ? 3 : -1);
    }
  });

  it('[utest->req~queue.in-flight-once~1] a head that was given back can be taken again, at the same place', () => {
    const bench = new QueueBench({ index: 0xffff });
    for (const head of [2, 6]) bench.double.expose(head);
    bench.look();
    const first = bench.queue.takeHead();
    const second = bench.queue.takeHead();
    bench.queue.untake(second);
    bench.queue.untake(first);
    assert.equal(bench.queue.taken, 0xffff);
    assert.equal(bench.queue.available, 2);
    assert.deepEqual(bench.take(), [2, 6]);
  });
});

describe('VIRTIO 2.7.8: used ring', () => {
  it('[utest->req~queue.used-order~1] elements carry head and length, in the order of completion (2.7.8)', () => {
    const bench = new QueueBench();
    for (const head of [1, 6, 2]) bench.double.expose(head);
    bench.look();
    bench.take();
    bench.queue.complete(6, 1514);
    bench.queue.complete(1, 0);
    bench.queue.complete(2, 0x7fffffff);
    bench.queue.publish();
    assert.deepEqual(bench.double.usedElements, [
      { id: 6, length: 1514 },
      { id: 1, length: 0 },
      { id: 2, length: 0x7fffffff },
    ]);
  });

  it('[utest->req~queue.used-order~1] nothing shows before publication, and then everything at once (2.7.8.2)', () => {
    const bench = new QueueBench();
    bench.expose(3);
    bench.look();
    for (const head of bench.take()) bench.queue.complete(head, 12);
    assert.equal(bench.double.usedIndex, 0);
    bench.queue.publish();
    assert.equal(bench.double.usedIndex, 3);
  });

  it('[utest->req~queue.used-order~1] id and len are stored before the one store of the index (2.7.8.2)', () => {
    const bench = new QueueBench({ size: 4, index: 0xffff });
    bench.expose(2);
    bench.look();
    const used = bench.slice.at(bench.double.used);
    const stores = recordStores(bench.arena, () => {
      for (const head of bench.take()) bench.queue.complete(head, 40 + head);
      bench.queue.publish();
    });
    assert.deepEqual(stores, [
      { at: used + 4 + 8 * 3, value: 3 },
      { at: used + 8 + 8 * 3, value: 43 },
      { at: used + 4, value: 0 },
      { at: used + 8, value: 40 },
      { at: used + 2, value: 1 },
    ]);
  });

  it('[utest->req~queue.used-order~1] with nothing completed the index is not stored (2.7.8.2)', () => {
    const bench = new QueueBench({ eventIdx: true });
    bench.expose(2);
    bench.look();
    bench.take();
    assert.deepEqual(
      recordStores(bench.arena, () => bench.queue.publish()),
      [],
    );
  });

  it('[utest->req~queue.used-order~1] a used ring that the guest rewrites changes nothing for us (catalogue 22)', () => {
    const bench = new QueueBench({ size: 4 });
    bench.expose(2);
    bench.serve(1, 7);
    const at = bench.slice.at(bench.double.used);
    bench.arena.u8.fill(0xee, at, at + 4 + 8 * 4);
    bench.serve(1, 9);
    assert.equal(bench.double.usedIndex, 2);
    assert.deepEqual(bench.double.usedElement(1), { id: 1, length: 9 });
  });

  it('[utest->req~queue.used-order~1] no entry of the descriptor table is ever written (2.7.5.1)', () => {
    const bench = new QueueBench({ size: 4, eventIdx: true });
    bench.double.submit([{ address: bench.slice.allocate(64), length: 64, flags: 2 }]);
    const table = bench.slice.read(bench.double.desc, 64);
    bench.look();
    const head = bench.queue.takeHead();
    assert.equal(bench.walk(head), 'none');
    bench.chain.scatter(64, 20);
    bench.queue.complete(head, 20);
    bench.queue.publish();
    assert.deepEqual(bench.slice.read(bench.double.desc, 64), table);
  });

  it('[utest->req~queue.used-order~1] from random starts over the wrap, all heads come back in order (2.7.13, 2.7.14)', () => {
    const random = new SeededRandom(seed);
    for (const index of [0, 0xffff, random.below(0x10000), random.below(0x10000)]) {
      const size = 1 << (1 + random.below(5));
      const bench = new QueueBench({ size, index, eventIdx: random.below(2) === 1 });
      const free = Array.from({ length: size }, (_, n) => n);
      const owed: number[] = [];
      let reaped = index;
      for (let step = 0; step < 140_000;) {
        const count = 1 + random.below(size);
        for (const head of free.splice(0, count)) bench.double.expose(head);
        assert.equal(bench.look(), 'none', `seed ${seed}, index ${index}, step ${step}`);
        const heads = bench.take(random.below(bench.queue.available + 1));
        for (const head of heads) bench.queue.complete(head, head * 3 + 1);
        owed.push(...heads);
        if (random.below(3) > 0) bench.queue.publish();
        for (; reaped !== bench.double.usedIndex; reaped = (reaped + 1) & 0xffff) {
          const head = owed.shift()!;
          assert.deepEqual(bench.double.usedElement(reaped), { id: head, length: head * 3 + 1 });
          free.push(head);
        }
        step += count;
      }
    }
  });
});

describe('VIRTIO 2.7: start and stop of a ring', () => {
  it('[utest->req~queue.reset~1] a broken ring names its fault and stays stopped until it is started anew', () => {
    const bench = new QueueBench();
    bench.double.expose(99);
    bench.look();
    bench.take(1);
    assert.equal(bench.queue.started, false);
    assert.notEqual(bench.queue.brokenBy, 0);
    bench.start();
    assert.deepEqual([bench.queue.started, bench.queue.brokenBy], [true, 0]);
  });

  it('[utest->req~queue.reset~1] a ring that starts anew has forgotten every head, index and notification', () => {
    const bench = new QueueBench({ size: 4 });
    bench.expose(4);
    bench.look();
    for (const head of bench.take(2)) bench.queue.complete(head, 1);
    bench.queue.stop();
    assert.equal(bench.queue.started, false);
    bench.start({ index: 9 });
    assert.deepEqual([bench.queue.taken, bench.queue.available], [9, 0]);
    bench.queue.publish();
    assert.equal(bench.double.usedIndex, 9);
    assert.equal(bench.queue.takeNotification(), false);
    bench.expose(4);
    assert.equal(bench.look(), 'none');
    assert.deepEqual(bench.take(), [1, 2, 3, 0]);
  });

  it('[utest->req~queue.reset~1] a ring can start anew with another size', () => {
    const bench = new QueueBench({ size: 16 });
    const { slice, double, queue } = bench;
    queue.start({
      size: 4,
      eventIdx: false,
      indirect: false,
      packed: false,
      index: 0,
      descAt: slice.at(double.desc) | 0,
      availAt: slice.at(double.avail) | 0,
      usedAt: slice.at(double.used) | 0,
    });
    double.setAvailIndex(5);
    assert.equal(bench.look(), 'avail-index-out-of-range');
  });
});

describe('regressions', () => {
  it('[utest->req~queue.index-plausible~1] 2.7.6.1: an index behind what was seen stops the ring (catalogue 4)', () => {
    const bench = new QueueBench({ size: 8 });
    bench.expose(4);
    bench.look();
    bench.take(1);
    bench.double.setAvailIndex(3);
    assert.equal(bench.look(), 'avail-index-out-of-range');
  });
});
