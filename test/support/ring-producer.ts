/** Thread that pushes numbered records into a bounded ring as fast as it can. */
import { workerData } from 'node:worker_threads';
import { BoundedRing } from '../../src/base/bounded-ring.ts';

export const RECORD_WORDS = 8;
export const RING_CAPACITY = 16;

export interface RingProducerData {
  readonly buffer: SharedArrayBuffer;
  readonly records: number;
  /** Word that becomes 1 when the last record has been offered. */
  readonly done: SharedArrayBuffer;
}

/** All words of record `n` follow from its number, so that a torn record shows. */
export function fillRecord(record: Int32Array, n: number): void {
  for (let word = 0; word < RECORD_WORDS; word++) record[word] = Math.imul(n + 1, word * 2 + 1);
}

if (workerData) {
  const { buffer, records, done } = workerData as RingProducerData;
  const ring = new BoundedRing(buffer, RECORD_WORDS, RING_CAPACITY);
  const record = new Int32Array(RECORD_WORDS);
  for (let n = 0; n < records; n++) {
    fillRecord(record, n);
    ring.push(record);
  }
  Atomics.store(new Int32Array(done), 0, 1);
}
