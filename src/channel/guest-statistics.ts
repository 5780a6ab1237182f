/**
 * What an embedded guest says of itself, in arena words; the gateway reads it and believes nothing.
 */
import { Histogram, HISTOGRAM_WORDS } from '../base/histogram.ts';

export const GuestStatistic = {
  STARTED: 0,
  SENT: 1,
  RECEIVED: 2,
  ANSWERED: 3,
  LOST: 4,
  CORRUPT: 5,
  DUPLICATE: 6,
  ERRORS: 7,
  STOP_REQUESTED: 8,
  COUNT: 16,
} as const;

export class GuestStatistics {
  readonly words: Float64Array;
  /** From sending to the answer, in nanoseconds. */
  readonly roundTrip: Histogram;

  constructor(buffer: SharedArrayBuffer, byteOffset: number) {
    this.words = new Float64Array(buffer, byteOffset, GuestStatistic.COUNT + HISTOGRAM_WORDS);
    this.roundTrip = new Histogram(this.words, GuestStatistic.COUNT);
  }

  get(statistic: number): number {
    return this.words[statistic]!;
  }

  add(statistic: number, by = 1): void {
    this.words[statistic]! += by;
  }
}
