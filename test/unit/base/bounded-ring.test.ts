/** Bounded ring: order, full, empty, wrap, and one producer against one consumer on two threads. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { BoundedRing } from '../../../src/base/bounded-ring.ts';
import { fillRecord, RECORD_WORDS, RING_CAPACITY } from '../../support/ring-producer.ts';

function ringOf(capacity: number, recordWords = 2, byteOffset = 0) {
  const buffer = new SharedArrayBuffer(byteOffset + BoundedRing.bytes(recordWords, capacity));
  return { buffer, ring: new BoundedRing(buffer, recordWords, capacity, byteOffset) };
}

function shiftAll(ring: BoundedRing, recordWords = 2): number[][] {
  const records: number[][] = [];
  const record = new Int32Array(recordWords);
  while (ring.shift(record)) records.push([...record]);
  return records;
}

describe('base/bounded-ring', () => {
  it('[utest->req~diag.event-log~1] an empty ring gives nothing and leaves the record as it was', () => {
    const { ring } = ringOf(4);
    const record = Int32Array.of(7, 8);
    assert.equal(ring.shift(record), false);
    assert.deepEqual([...record], [7, 8]);
    assert.equal(ring.refused, 0);
  });

  it('[utest->req~diag.event-log~1] records come out in order, whole, and once', () => {
    const { ring } = ringOf(4);
    for (let n = 0; n < 3; n++) assert.equal(ring.push(Int32Array.of(n, -n)), true);
    assert.deepEqual(
      shiftAll(ring),
      [
        [0, -0],
        [1, -1],
        [2, -2],
      ].map(([a, b]) => [a! | 0, b! | 0]),
    );
    assert.deepEqual(shiftAll(ring), []);
  });

  it('[utest->req~diag.event-log~1] a full ring refuses, counts, and keeps what it has', () => {
    for (const capacity of [1, 2, 8]) {
      const { ring } = ringOf(capacity);
      for (let n = 0; n < capacity; n++) assert.equal(ring.push(Int32Array.of(n, n)), true);
      for (let n = 0; n < 3; n++) assert.equal(ring.push(Int32Array.of(99, 99)), false);
      assert.equal(ring.refused, 3);
      assert.deepEqual(
        shiftAll(ring),
        Array.from({ length: capacity }, (_, n) => [n, n]),
      );
    }
  });

  it('[utest->req~diag.event-log~1] one place that became free takes exactly one record', () => {
    const { ring } = ringOf(2);
    for (const n of [1, 2]) ring.push(Int32Array.of(n, n));
    assert.ok(ring.shift(new Int32Array(2)));
    assert.equal(ring.push(Int32Array.of(3, 3)), true);
    assert.equal(ring.push(Int32Array.of(4, 4)), false);
    assert.deepEqual(shiftAll(ring), [
      [2, 2],
      [3, 3],
    ]);
  });

  it('[utest->req~diag.event-log~1] positions wrap, and the counters behind them pass 2^31 and 2^32', () => {
    for (const start of [0, 0x7ffffffe, -2]) {
      const { buffer, ring } = ringOf(4);
      new Int32Array(buffer).fill(start, 0, 2);
      for (let n = 0; n < 40; n++) {
        for (let k = 0; k < 4; k++) assert.equal(ring.push(Int32Array.of(n, k)), true);
        assert.equal(ring.push(Int32Array.of(0, 0)), false);
        assert.deepEqual(
          shiftAll(ring),
          [0, 1, 2, 3].map((k) => [n, k]),
        );
      }
    }
  });

  it('[utest->req~diag.event-log~1] a ring uses its own bytes only', () => {
    const { buffer, ring } = ringOf(2, 3, 64);
    const words = new Int32Array(buffer);
    words.fill(-7, 0, 16);
    assert.equal(buffer.byteLength, 64 + BoundedRing.bytes(3, 2));
    for (let n = 0; n < 3; n++) ring.push(Int32Array.of(1, 2, 3, 4, 5));
    assert.ok(words.subarray(0, 16).every((word) => word === -7));
    assert.deepEqual(shiftAll(ring, 3), [
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it('[utest->req~diag.event-log~1] a capacity that is no power of two is our own mistake', () => {
    for (const capacity of [0, 3, 12]) {
      assert.throws(() => ringOf(capacity), { name: 'InternalError' });
    }
  });

  it('[utest->req~diag.event-log~1] two threads: every record arrives once, whole and in order, or is counted', async () => {
    const records = 200_000;
    const buffer = new SharedArrayBuffer(BoundedRing.bytes(RECORD_WORDS, RING_CAPACITY));
    const done = new SharedArrayBuffer(4);
    const worker = new Worker(path.join(__dirname, '../../support/ring-producer.js'), {
      workerData: { buffer, records, done },
    });
    const exited = once(worker, 'exit');
    await once(worker, 'online');
    const ring = new BoundedRing(buffer, RECORD_WORDS, RING_CAPACITY);
    const record = new Int32Array(RECORD_WORDS);
    const expected = new Int32Array(RECORD_WORDS);
    let received = 0;
    let last = -1;
    for (let ended = false; !ended;) {
      ended = Atomics.load(new Int32Array(done), 0) === 1;
      while (ring.shift(record)) {
        const n = record[0]! - 1;
        assert.ok(n > last, `record ${n} after ${last}`);
        fillRecord(expected, n);
        assert.deepEqual(record, expected);
        last = n;
        received++;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await exited;
    assert.equal(received + ring.refused, records);
    assert.ok(received >= RING_CAPACITY);
  });
});
