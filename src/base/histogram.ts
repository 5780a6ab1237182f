/**
 * Log-linear histogram of nanoseconds in shared memory: 32 steps per power of two (error <= 3.2 %),
 * exact minimum, maximum and count. One writer; readers see values that are at most one sample old.
 */

const STEPS_LOG2 = 5;
const STEPS = 1 << STEPS_LOG2;
const EXPONENTS = 32 - STEPS_LOG2;
const BUCKETS = (EXPONENTS + 1) * STEPS;
const COUNT = 0;
const MINIMUM = 1;
const MAXIMUM = 2;
const FIRST_BUCKET = 3;

/** Size of one histogram, in 64-bit words. */
export const HISTOGRAM_WORDS = FIRST_BUCKET + BUCKETS;

const LARGEST = 0xffffffff;

function bucketOf(value: number): number {
  const clamped = (value > LARGEST ? LARGEST : value < 0 ? 0 : value) >>> 0;
  if (clamped < STEPS) return clamped;
  const exponent = 31 - Math.clz32(clamped) - STEPS_LOG2;
  return (exponent + 1) * STEPS + ((clamped >>> exponent) - STEPS);
}

/** The largest value that falls into a bucket: quantiles never understate. */
function upperEdge(bucket: number): number {
  if (bucket < STEPS) return bucket;
  const exponent = Math.floor(bucket / STEPS) - 1;
  return ((bucket % STEPS) + STEPS + 1) * 2 ** exponent - 1;
}

/** So many values were recorded from `fromNs` to `toNs`, both included. */
export interface HistogramBar {
  readonly fromNs: number;
  readonly toNs: number;
  readonly count: number;
}

// [impl->req~diag.histogram~1]
export class Histogram {
  private readonly words: Float64Array;
  private readonly base: number;

  constructor(words: Float64Array, base = 0) {
    this.base = base;
    this.words = words;
  }

  /** Sets every count to zero; only before use, by the writer. */
  clear(): void {
    this.words.fill(0, this.base, this.base + HISTOGRAM_WORDS);
  }

  /** Adds one value in nanoseconds: `cell[index]`, so that no double has to be passed. */
  recordFrom(cell: Float64Array, index: number): void {
    const { words, base } = this;
    const value = cell[index]!;
    if (words[base + COUNT] === 0 || value < words[base + MINIMUM]!) words[base + MINIMUM] = value;
    if (words[base + COUNT] === 0 || value > words[base + MAXIMUM]!) words[base + MAXIMUM] = value;
    words[base + COUNT]! += 1;
    words[base + FIRST_BUCKET + bucketOf(value)]! += 1;
  }

  get count(): number {
    return this.words[this.base + COUNT]!;
  }

  /** Exact smallest recorded value in nanoseconds, 0 when empty. */
  get min(): number {
    return this.words[this.base + MINIMUM]!;
  }

  /** Exact largest recorded value in nanoseconds, 0 when empty. */
  get max(): number {
    return this.words[this.base + MAXIMUM]!;
  }

  /** Upper edge of the bucket that holds quantile `q` (0 to 1), never above the exact maximum. */
  quantile(q: number): number {
    const wanted = Math.max(1, Math.ceil(q * this.count));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.words[this.base + FIRST_BUCKET + bucket]!;
      // The last bucket also holds what is beyond every bucket.
      if (seen >= wanted && bucket < BUCKETS - 1) return Math.min(upperEdge(bucket), this.max);
    }
    return this.max;
  }

  /** Every bucket that holds something, in order; the last one's values may lie beyond it. */
  bars(): HistogramBar[] {
    const bars: HistogramBar[] = [];
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = this.words[this.base + FIRST_BUCKET + bucket]!;
      const fromNs = bucket === 0 ? 0 : upperEdge(bucket - 1) + 1;
      if (count > 0) bars.push({ fromNs, toNs: upperEdge(bucket), count });
    }
    return bars;
  }
}
