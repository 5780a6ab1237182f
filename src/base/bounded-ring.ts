/**
 * Bounded ring of fixed-size records in shared memory, one producer and one consumer.
 * A full ring refuses and counts; neither side ever waits for the other.
 */
import { assert } from './assert.ts';

const WRITTEN = 0;
const READ = 1;
const REFUSED = 2;
const HEADER_WORDS = 3;

export class BoundedRing {
  private readonly words: Int32Array;

  private readonly recordWords: number;
  private readonly capacity: number;

  constructor(buffer: SharedArrayBuffer, recordWords: number, capacity: number, byteOffset = 0) {
    this.recordWords = recordWords;
    this.capacity = capacity;
    assert(Number.isInteger(Math.log2(capacity)), 'a ring holds a power of two of records');
    this.words = new Int32Array(buffer, byteOffset, HEADER_WORDS + recordWords * capacity);
  }

  static bytes(recordWords: number, capacity: number): number {
    return (HEADER_WORDS + recordWords * capacity) * Int32Array.BYTES_PER_ELEMENT;
  }

  /** Copies `record` in; false (and counted) when the consumer is `capacity` records behind. */
  push(record: Int32Array): boolean {
    const { words, capacity, recordWords } = this;
    const written = words[WRITTEN]!;
    if (((written - Atomics.load(words, READ)) | 0) >= capacity) {
      Atomics.add(words, REFUSED, 1);
      return false;
    }
    const at = HEADER_WORDS + (written & (capacity - 1)) * recordWords;
    for (let n = 0; n < recordWords; n++) words[at + n] = record[n]!;
    Atomics.store(words, WRITTEN, (written + 1) | 0);
    return true;
  }

  /** Copies the oldest record out; false when there is none. */
  shift(record: Int32Array): boolean {
    const { words, capacity, recordWords } = this;
    const read = words[READ]!;
    if (Atomics.load(words, WRITTEN) === read) return false;
    const at = HEADER_WORDS + (read & (capacity - 1)) * recordWords;
    for (let n = 0; n < recordWords; n++) record[n] = words[at + n]!;
    Atomics.store(words, READ, (read + 1) | 0);
    return true;
  }

  get refused(): number {
    return Atomics.load(this.words, REFUSED);
  }
}
