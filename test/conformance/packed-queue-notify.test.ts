/** VIRTIO 1.4, 2.8.10: notifications in both directions, with and without EVENT_IDX. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { PackedEventFlags } from '../../src/wire/virtqueue.ts';
import type { Place } from '../support/packed-double.ts';
import { PackedBench } from '../support/packed-bench.ts';
import { seededRuns } from '../support/seeded-runs.ts';

const { ENABLE, DISABLE, DESC } = PackedEventFlags;
const RESERVED = 3;
const SIZE = 7;

/** A ring whose device has used `count` buffers since the last decision, from `place` on. */
function published(count: number, place: Place, eventIdx: boolean): PackedBench {
  const bench = new PackedBench({ size: SIZE, place, eventIdx });
  bench.offer(count);
  bench.serve();
  return bench;
}

const START: Place = { position: 0, wrap: 1 };
const PLACES: readonly Place[] = Array.from({ length: 2 * SIZE }, (_, n) => ({
  position: n % SIZE,
  wrap: n < SIZE ? 1 : 0,
}));

describe('VIRTIO 2.8.10: used buffer notifications by flags', () => {
  for (const eventIdx of [false, true]) {
    const mode = eventIdx ? 'with' : 'without';
    it(`[utest->req~queue.notify-suppression~1] ${mode} EVENT_IDX, ENABLE asks for one and DISABLE for none`, () => {
      for (const [flags, wanted] of [
        [ENABLE, true],
        [DISABLE, false],
      ] as const) {
        const bench = published(2, START, eventIdx);
        bench.double.setDriverEvent(flags);
        assert.equal(bench.queue.takeNotification(), wanted);
        assert.equal(bench.queue.takeNotification(), false, 'once only');
      }
    });

    it(`[utest->req~queue.notify-suppression~1] ${mode} EVENT_IDX, the reserved value asks for one: none is lost`, () => {
      const bench = published(1, START, eventIdx);
      bench.double.setDriverEvent(RESERVED, { position: 5, wrap: 0 });
      assert.equal(bench.queue.takeNotification(), true);
    });

    it(`[utest->req~queue.notify-suppression~1] ${mode} EVENT_IDX, reserved bits of flags count for nothing`, () => {
      for (const flags of [ENABLE, DISABLE]) {
        const bench = published(1, START, eventIdx);
        bench.double.setDriverEvent(0xfffc | flags);
        assert.equal(bench.queue.takeNotification(), flags === ENABLE);
      }
    });
  }

  it('[utest->req~queue.notify-suppression~1] DESC without EVENT_IDX asks for one: it is not valid, and none is lost', () => {
    const bench = published(1, START, false);
    bench.double.setDriverEvent(DESC, { position: 5, wrap: 1 });
    assert.equal(bench.queue.takeNotification(), true);
  });

  it('[utest->req~queue.notify-suppression~1] without anything published nothing is asked for', () => {
    const bench = new PackedBench();
    bench.offer(2);
    bench.look();
    for (const head of bench.take()) bench.queue.complete(head, 0);
    assert.equal(bench.queue.takeNotification(), false);
    bench.queue.publish();
    assert.equal(bench.queue.takeNotification(), true);
  });

  it('[utest->req~queue.notify-once-per-window~1] several published ranges are one notification', () => {
    const bench = new PackedBench({ size: SIZE });
    for (let n = 0; n < 3; n++) {
      bench.offer(2);
      bench.serve();
    }
    assert.deepEqual(
      [bench.queue.takeNotification(), bench.queue.takeNotification()],
      [true, false],
    );
  });
});

describe('VIRTIO 2.8.10: used buffer notifications by descriptor', () => {
  it('[utest->req~queue.notify-suppression~1] exactly the descriptors of the range ask for one (catalogue 24)', () => {
    for (const from of PLACES) {
      for (let count = 1; count <= SIZE; count++) {
        const range = new PackedBench({ size: SIZE }).double.placesFrom(from, count);
        for (const event of PLACES) {
          const bench = published(count, from, true);
          bench.double.setDriverEvent(DESC, event);
          const named = range.some(
            ({ position, wrap }) => position === event.position && wrap === event.wrap,
          );
          const what = `${count} from ${JSON.stringify(from)}, event ${JSON.stringify(event)}`;
          assert.equal(bench.queue.takeNotification(), named, what);
        }
      }
    }
  });

  it('[utest->req~queue.notify-suppression~1] any descriptor of a list asks, not only the one that is written', () => {
    for (let position = 0; position < 5; position++) {
      const bench = new PackedBench({ size: SIZE, eventIdx: true });
      bench.offerList(4);
      bench.serve();
      bench.double.setDriverEvent(DESC, { position, wrap: 1 });
      assert.equal(bench.queue.takeNotification(), position < 4, `position ${position}`);
    }
  });

  it('[utest->req~queue.notify-suppression~1] an offset outside the ring asks for one: none is lost', () => {
    for (const position of [SIZE, SIZE + 1, 0x7fff]) {
      for (const wrap of [0, 1] as const) {
        const bench = published(1, START, true);
        bench.double.setDriverEvent(DESC, { position, wrap });
        assert.equal(bench.queue.takeNotification(), true);
      }
    }
  });

  it('[utest->req~queue.notify-suppression~1] an event is not lost behind two laps', () => {
    const bench = new PackedBench({ size: SIZE, eventIdx: true });
    bench.double.setDriverEvent(DESC, { position: 3, wrap: 0 });
    for (let n = 0; n < 5 * SIZE; n++) {
      bench.offer(1, 1);
      bench.serve();
    }
    assert.equal(bench.queue.takeNotification(), true);
    assert.equal(bench.queue.takeNotification(), false);
  });

  it('[utest->req~mem.single-fetch~1] flags and offset are read in one load', () => {
    const bench = published(1, START, true);
    const { load } = Atomics;
    let loads = 0;
    Atomics.load = ((view: Int32Array, index: number) => {
      loads++;
      return load(view, index);
    }) as typeof Atomics.load;
    try {
      bench.queue.takeNotification();
    } finally {
      Atomics.load = load;
    }
    assert.equal(loads, 1);
  });

  it('[utest->req~queue.notify-suppression~1] a whole life: each event is notified once, at its own range', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.nat(1),
        fc.array(
          fc.record({
            lists: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 8 }),
            ahead: fc.nat(40),
          }),
          { minLength: 1, maxLength: 40 },
        ),
        (size, wrap, steps) => {
          const place = { position: 0, wrap: wrap as 0 | 1 };
          const bench = new PackedBench({ size, place, eventIdx: true });
          // Free-running over both laps, as no 16 bits could say it.
          let used = 0;
          let event = 0;
          let asked = true;
          const arm = (at: number) =>
            bench.double.setDriverEvent(DESC, bench.double.placesFrom(place, at + 1).at(-1)!);
          arm(0);
          for (const { lists, ahead } of steps) {
            for (const length of lists) {
              const list = Math.min(length, size);
              bench.offerList(list);
              bench.serve();
              used += list;
            }
            const passed: boolean = asked && used > event;
            // A stale event comes round again after two laps: the driver that left it there asked.
            if (!asked) bench.double.setDriverEvent(DISABLE);
            assert.equal(bench.queue.takeNotification(), passed);
            asked &&= !passed;
            if (asked) continue;
            event = used + (ahead % (2 * size));
            asked = true;
            arm(event);
          }
        },
      ),
      seededRuns(2810, 150),
    );
  });
});

describe('VIRTIO 2.8.10: available buffer notifications', () => {
  for (const eventIdx of [false, true]) {
    it(`[utest->req~queue.polled-no-kicks~1] are suppressed from the start and for good (EVENT_IDX: ${eventIdx})`, () => {
      const bench = new PackedBench({ size: 4, eventIdx });
      assert.deepEqual(bench.double.deviceEvent, { flags: DISABLE, offset: 0 });
      for (let n = 0; n < 9; n++) {
        bench.offer(4, 1);
        bench.serve();
      }
      assert.deepEqual(bench.double.deviceEvent, { flags: DISABLE, offset: 0 });
    });
  }
});
