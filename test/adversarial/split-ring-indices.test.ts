/** Available, used and event indices at every value they can have (VIRTIO 2.7.6 to 2.7.8). */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { Fault, NO_FAULT } from '../../src/base/fault.ts';
import { RingBench } from '../support/ring-bench.ts';

const MODULUS = 0x10000;
const STARTS = [0, 0x7ffe, 0xfffd, 0xffff];
const SIZE = 4;
const seed = Number(process.env['TEST_SEED'] ?? 20_260_129);
const numRuns = Number(process.env['TEST_RUNS'] ?? 200);

/** Exposes and takes `count` heads, and completes and publishes `returned` of them. */
function hold(bench: RingBench, count: number, returned = 0): void {
  for (let head = 0; head < count; head++) bench.ring.expose(head);
  assert.equal(bench.queue.look(), NO_FAULT);
  const heads = bench.take(count);
  heads.slice(0, returned).forEach((head) => bench.queue.complete(head, 0));
  bench.queue.publish();
}

describe('every value of the available index', () => {
  for (let held = 0; held <= SIZE; held++) {
    it(`[utest->req~queue.index-plausible~1] with ${held} of ${SIZE} heads held, at most the others come (catalogue 4)`, () => {
      const bench = new RingBench({ size: SIZE });
      for (const start of STARTS) {
        for (let ahead = 0; ahead < MODULUS; ahead++) {
          bench.start(start);
          if (held > 0) hold(bench, held);
          bench.ring.setAvailIndex(start + held + ahead);
          const fault = bench.queue.look();
          const plausible = ahead <= SIZE - held;
          assert.equal(
            fault,
            plausible ? NO_FAULT : Fault.AvailIndexOutOfRange,
            `${start} + ${ahead}`,
          );
          assert.equal(bench.queue.started, plausible);
        }
      }
    });
  }

  it('[utest->req~queue.index-plausible~1] heads that are completed but not yet published are still held (catalogue 29)', () => {
    const bench = new RingBench({ size: SIZE });
    for (let head = 0; head < SIZE; head++) bench.ring.expose(head);
    bench.queue.look();
    bench.take(SIZE).forEach((head) => bench.queue.complete(head, 0));
    bench.ring.setAvailIndex(SIZE + 1);
    assert.equal(bench.queue.look(), Fault.AvailIndexOutOfRange);
  });

  it('[utest->req~queue.index-plausible~1] never more heads than the ring has are with the device (catalogue 29)', () => {
    const act = fc.constantFrom('expose', 'take', 'complete', 'publish');
    const acts = fc.array(fc.tuple(act, fc.integer({ min: 1, max: 5 })), { maxLength: 60 });
    fc.assert(fc.property(fc.constantFrom(...STARTS), acts, drivesBounded), { seed, numRuns });
  });
});

/** Any order of acts of driver and device: the device goes along exactly while the driver has heads left. */
function drivesBounded(start: number, acts: readonly (readonly [string, number])[]): void {
  const bench = new RingBench({ size: SIZE });
  bench.start(start);
  const count = { exposed: 0, taken: 0, completed: 0, published: 0 };
  const heads: number[] = [];
  for (const [act, times] of acts) {
    if (act === 'publish') {
      bench.queue.publish();
      count.published = count.completed;
    }
    for (let n = 0; n < times; n++) {
      if (act === 'expose') bench.ring.expose(count.exposed++ % SIZE);
      if (act === 'complete' && count.completed < count.taken) {
        bench.queue.complete(heads[count.completed++]!, 0);
      }
    }
    if (act !== 'take') continue;
    const plausible = count.exposed - count.published <= SIZE;
    assert.equal(bench.queue.look(), plausible ? NO_FAULT : Fault.AvailIndexOutOfRange);
    if (!plausible) return;
    for (let n = 0; n < times && bench.queue.available > 0; n++) {
      heads.push(bench.queue.takeHead());
      count.taken++;
    }
    assert.ok(count.taken - count.published <= SIZE, 'in flight at most the size of the ring');
    assert.equal(bench.queue.brokenBy, NO_FAULT, 'an honest order of heads never breaks the ring');
  }
}

describe('every value of the event index', () => {
  /** Whether a step from `before` to `after`, index by index, passes `event` (2.7.7.2 by counting). */
  function passes(event: number, before: number, after: number): boolean {
    for (let index = before; index !== after; index = (index + 1) % MODULUS) {
      if (index === event) return true;
    }
    return false;
  }

  for (const start of STARTS) {
    it(
      `[utest->req~queue.notify-suppression~1] from used index ${start} a driver is notified as it asked ` +
        '(catalogue 24)',
      () => {
        const bench = new RingBench({ size: SIZE, eventIdx: true });
        for (let count = 0; count <= SIZE; count++) {
          const after = (start + count) % MODULUS;
          for (let event = 0; event < MODULUS; event++) {
            bench.start(start);
            hold(bench, count, count);
            bench.ring.setUsedEvent(event);
            assert.equal(
              bench.queue.takeNotification(),
              passes(event, start, after),
              `${event}, ${count} used`,
            );
            assert.equal(bench.queue.takeNotification(), false, 'a notification is sent once');
          }
        }
      },
    );
  }

  it('[utest->req~queue.polled-no-kicks~1] the driver is told not to kick wherever the index stands (catalogue 24)', () => {
    const bench = new RingBench({ size: SIZE, eventIdx: true });
    bench.start(0xfff0);
    for (let n = 0; n < 64; n++) {
      const before = bench.ring.availIndex;
      hold(bench, 1, 1);
      assert.equal(
        passes(bench.ring.availEvent, before, bench.ring.availIndex),
        false,
        `kick at ${before}`,
      );
      assert.equal(bench.ring.usedFlags, 0, 'flags stay 0 with EVENT_IDX');
    }
  });
});

describe('the used index', () => {
  it('[utest->req~queue.used-order~1] wraps from 65,535 to 0 without losing an element (catalogue 24)', () => {
    const bench = new RingBench({ size: SIZE });
    bench.start(0xfffe);
    const returned = [];
    for (let n = 0; n < 2 * SIZE; n++) {
      const head = n % SIZE;
      bench.ring.expose(head);
      bench.queue.look();
      bench.queue.complete(bench.queue.takeHead(), n);
      bench.queue.publish();
      assert.equal(bench.ring.usedIndex, (0xfffe + n + 1) % MODULUS);
      returned.push(bench.ring.usedElement((0xfffe + n) % MODULUS));
    }
    assert.deepEqual(
      returned,
      Array.from({ length: 2 * SIZE }, (_, n) => ({ id: n % SIZE, length: n })),
    );
  });
});
