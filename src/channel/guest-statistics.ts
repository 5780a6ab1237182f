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
  /** Pictures handed to a GPU device; those of them that were answered; those left out. */
  FRAMES: 9,
  FRAMES_SHOWN: 10,
  FRAMES_SKIPPED: 11,
  /** Commands of a GPU driver that its device refused. */
  REFUSED: 12,
  /** Number of the picture that was handed over last. */
  FRAME: 13,
  COUNT: 16,
} as const;

export class GuestStatistics {
  readonly words: Float64Array;
  /** From sending to the answer, in nanoseconds. */
  readonly roundTrip: Histogram;
  /** From handing a picture over to the answer, in nanoseconds. */
  readonly frameTime: Histogram;

  constructor(buffer: SharedArrayBuffer, byteOffset: number) {
    const histograms = GuestStatistic.COUNT;
    this.words = new Float64Array(buffer, byteOffset, histograms + 2 * HISTOGRAM_WORDS);
    this.roundTrip = new Histogram(this.words, histograms);
    this.frameTime = new Histogram(this.words, histograms + HISTOGRAM_WORDS);
  }

  get(statistic: number): number {
    return this.words[statistic]!;
  }

  add(statistic: number, by = 1): void {
    this.words[statistic]! += by;
  }
}
