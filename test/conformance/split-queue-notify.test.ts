/** VIRTIO 1.4, 2.7.7 and 2.7.10: notifications in both directions, with and without EVENT_IDX. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { QueueBench } from '../support/queue-bench.ts';

const seed = Number(process.env['TEST_SEED'] ?? 27007);
const numRuns = Number(process.env['TEST_RUNS'] ?? 500);

/** A ring whose device has published `count` entries since the last decision, from `index` on. */
function published(count: number, index: number, eventIdx: boolean): QueueBench {
  const bench = new QueueBench({ size: 16, index, eventIdx });
  bench.expose(count);
  bench.serve(count);
  return bench;
}

describe('VIRTIO 2.7.7: used buffer notifications without EVENT_IDX', () => {
  it('[utest->req~queue.notify-suppression~1] flags 0 asks for a notification (2.7.7.2)', () => {
    const bench = published(1, 0, false);
    bench.double.setAvailFlags(0);
    assert.equal(bench.queue.takeNotification(), true);
  });

  it('[utest->req~queue.notify-suppression~1] flags 1 asks for none (2.7.7.2)', () => {
    const bench = published(3, 0xffff, false);
    bench.double.setAvailFlags(1);
    assert.equal(bench.queue.takeNotification(), false);
  });

  it('[utest->req~queue.notify-suppression~1] only the lowest bit of flags counts', () => {
    for (const [flags, wanted] of [
      [0xfffe, true],
      [0xffff, false],
      [2, true],
    ] as const) {
      const bench = published(1, 0, false);
      bench.double.setAvailFlags(flags);
      assert.equal(bench.queue.takeNotification(), wanted, `flags ${flags}`);
    }
  });

  it('[utest->req~queue.notify-suppression~1] the value of used_event is ignored (2.7.7.2)', () => {
    for (let event = 0; event < 6; event++) {
      const bench = published(3, 0, false);
      bench.double.setUsedEvent(event);
      assert.equal(bench.queue.takeNotification(), true, `used_event ${event}`);
    }
  });

  it('[utest->req~queue.notify-suppression~1] without anything published nothing is asked for', () => {
    const bench = new QueueBench();
    bench.expose(2);
    bench.look();
    for (const head of bench.take()) bench.queue.complete(head, 0);
    assert.equal(bench.queue.takeNotification(), false);
    bench.queue.publish();
    assert.equal(bench.queue.takeNotification(), true);
  });

  it('[utest->req~queue.notify-suppression~1] what a suppressed decision covered is not asked for later', () => {
    const bench = published(2, 0, false);
    bench.double.setAvailFlags(1);
    assert.equal(bench.queue.takeNotification(), false);
    bench.double.setAvailFlags(0);
    assert.equal(bench.queue.takeNotification(), false);
  });

  it('[utest->req~queue.notify-once-per-window~1] several published ranges are one notification', () => {
    const bench = new QueueBench({ size: 8 });
    bench.expose(6);
    for (let n = 0; n < 3; n++) bench.serve(2);
    assert.deepEqual(
      [bench.queue.takeNotification(), bench.queue.takeNotification()],
      [true, false],
    );
  });
});

describe('VIRTIO 2.7.7: used buffer notifications with EVENT_IDX', () => {
  it('[utest->req~queue.notify-suppression~1] exactly the entry that used_event names asks for one (catalogue 24)', () => {
    for (const index of [0, 5, 0xfffd, 0xfffe, 0xffff]) {
      for (let offset = -3; offset <= 6; offset++) {
        const bench = published(3, index, true);
        bench.double.setUsedEvent((index + offset) & 0xffff);
        const named = offset >= 0 && offset < 3;
        assert.equal(
          bench.queue.takeNotification(),
          named,
          `index ${index}, used_event at +${offset}`,
        );
      }
    }
  });

  it('[utest->req~queue.notify-suppression~1] poisoned values of used_event ask for nothing (catalogue 24)', () => {
    for (const event of [0x7fff, 0x8000, 0x8003, 0xffff]) {
      const bench = published(3, 0, true);
      bench.double.setUsedEvent(event);
      assert.equal(bench.queue.takeNotification(), false);
    }
  });

  it('[utest->req~queue.notify-suppression~1] the lower bit of flags is ignored (2.7.7.2)', () => {
    for (const [event, wanted] of [
      [0, true],
      [1, false],
    ] as const) {
      const bench = published(1, 0, true);
      bench.double.setAvailFlags(1);
      bench.double.setUsedEvent(event);
      assert.equal(bench.queue.takeNotification(), wanted);
    }
  });

  it('[utest->req~queue.notify-once-per-window~1] an entry asks once, however often the decision is taken', () => {
    const bench = published(2, 0xffff, true);
    bench.double.setUsedEvent(0);
    assert.deepEqual(
      [bench.queue.takeNotification(), bench.queue.takeNotification()],
      [true, false],
    );
    bench.expose(1);
    bench.serve(1);
    assert.equal(bench.queue.takeNotification(), false);
  });

  it('[utest->req~queue.notify-suppression~1] a whole life: each event is notified once, at its own range', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffff }),
        fc.array(
          fc.record({
            count: fc.integer({ min: 0, max: 16 }),
            ahead: fc.integer({ min: 0, max: 20 }),
          }),
          { minLength: 1, maxLength: 60 },
        ),
        (index, steps) => {
          const bench = new QueueBench({ size: 16, index, eventIdx: true });
          let used = index;
          let event = index;
          let asked = true;
          bench.double.setUsedEvent(event);
          for (const { count, ahead } of steps) {
            bench.expose(count);
            bench.serve(count);
            const passed: boolean = asked && used + count > event;
            used += count;
            assert.equal(bench.queue.takeNotification(), passed);
            asked &&= !passed;
            if (asked) continue;
            event = used + ahead;
            asked = true;
            bench.double.setUsedEvent(event & 0xffff);
          }
        },
      ),
      { seed, numRuns: Math.min(numRuns, 20_000) },
    );
  });
});

describe('VIRTIO 2.7.10: available buffer notifications', () => {
  it('[utest->req~queue.polled-no-kicks~1] without EVENT_IDX flags are 1 from the start, for good (2.7.10.2)', () => {
    const bench = new QueueBench();
    assert.equal(bench.double.usedFlags, 1);
    bench.expose(8);
    bench.serve(8);
    assert.equal(bench.double.usedFlags, 1);
  });

  it('[utest->req~queue.polled-no-kicks~1] without EVENT_IDX avail_event is left as the driver had it', () => {
    const bench = new QueueBench({ size: 8 });
    const at = bench.slice.at(bench.double.used) + 4 + 8 * 8;
    bench.arena.u16[at / 2] = 0xabcd;
    bench.start();
    bench.expose(3);
    bench.serve(3);
    assert.equal(bench.double.availEvent, 0xabcd);
  });

  it('[utest->req~queue.polled-no-kicks~1] with EVENT_IDX flags are 0, whatever was there before (2.7.10.2)', () => {
    const bench = new QueueBench();
    assert.equal(bench.double.usedFlags, 1);
    bench.start({ eventIdx: true });
    assert.equal(bench.double.usedFlags, 0);
    bench.expose(4);
    bench.serve(4);
    assert.equal(bench.double.usedFlags, 0);
  });

  it('[utest->req~queue.polled-no-kicks~1] with EVENT_IDX a driver that fills any ring never reaches avail_event', () => {
    for (const size of [1, 2, 256, 32768]) {
      for (const index of [0, 0x7fff, 0x8000, 0xffff]) {
        const bench = new QueueBench({ size, index, eventIdx: true, sliceBytes: 32 * 65536 });
        const ahead = (bench.double.availEvent - index) & 0xffff;
        assert.ok(ahead >= size, `size ${size}, index ${index}: a kick at +${ahead}`);
      }
    }
  });

  it('[utest->req~queue.polled-no-kicks~1] with EVENT_IDX a driver that follows the rules never kicks, over the wrap', () => {
    const size = 8;
    const bench = new QueueBench({ size, index: 0xff00, eventIdx: true });
    let used = 0;
    for (let step = 0; step < 30_000; step++) {
      const room = size - ((bench.double.availIndex - 0xff00 - used) & 0xffff);
      const before = bench.double.availIndex;
      const count = 1 + (step % room);
      bench.expose(count);
      const event = bench.double.availEvent;
      const kick = ((before + count - event - 1) & 0xffff) < count;
      assert.equal(
        kick,
        false,
        `step ${step}: ${before} to ${before + count}, avail_event ${event}`,
      );
      bench.serve(count);
      used = (used + count) & 0xffff;
    }
  });

  it('[utest->req~queue.polled-no-kicks~1] with EVENT_IDX nothing but avail_event is written behind the used ring', () => {
    const size = 4;
    const bench = new QueueBench({ size });
    const end = bench.double.used + 4 + 8 * size + 2;
    bench.slice.write(end, [1, 2, 3, 4]);
    bench.start({ eventIdx: true });
    bench.expose(4);
    bench.serve(4);
    assert.deepEqual(bench.slice.read(end, 4), [1, 2, 3, 4]);
  });
});

describe('regressions', () => {
  it('[utest->req~queue.notify-suppression~1] 65,536 entries between two decisions are not taken for none', () => {
    const bench = new QueueBench({ size: 8 });
    for (let n = 0; n < 0x10000; n += 8) {
      bench.expose(8);
      bench.serve(8);
    }
    assert.equal(bench.queue.takeNotification(), true);
  });

  it('[utest->req~queue.notify-suppression~1] with EVENT_IDX an event is not lost behind 65,536 entries', () => {
    const bench = new QueueBench({ size: 16, eventIdx: true });
    for (let n = 0; n < 0x10000 + 8; n += 8) {
      bench.expose(8);
      if (n === 0xfff8) bench.double.setUsedEvent(0xffff);
      bench.serve(8);
    }
    assert.equal(bench.queue.takeNotification(), true);
  });
});
