/**
 * Exact supply of a cyclic table of windows to fluid work: how much service time any interval of
 * a length contains at least, and the inverse.
 */
import type { Nanoseconds } from '../base/time.ts';

/** Half-open, inside the major frame. */
export interface ServiceInterval {
  readonly startNs: Nanoseconds;
  readonly endNs: Nanoseconds;
}

export class FluidSupply {
  readonly perFrameNs: Nanoseconds;
  private readonly intervals: readonly ServiceInterval[];
  private readonly majorFrameNs: Nanoseconds;

  /** `intervals` do not overlap and stand in order. */
  constructor(intervals: readonly ServiceInterval[], majorFrameNs: Nanoseconds) {
    this.intervals = intervals.filter(({ startNs, endNs }) => endNs > startNs);
    this.majorFrameNs = majorFrameNs;
    this.perFrameNs = this.intervals.reduce((sum, { startNs, endNs }) => sum + endNs - startNs, 0);
  }

  /** Service time between the start of a major frame and `at` (of any later frame too). */
  private before(at: Nanoseconds): Nanoseconds {
    const frames = Math.floor(at / this.majorFrameNs);
    const rest = at - frames * this.majorFrameNs;
    return this.intervals.reduce(
      (sum, { startNs, endNs }) => sum + Math.max(0, Math.min(endNs, rest) - startNs),
      frames * this.perFrameNs,
    );
  }

  /** Least service time in an interval of this length: it is enough to begin at window ends. */
  least(length: Nanoseconds): Nanoseconds {
    if (this.intervals.length === 0) return 0;
    return Math.min(
      ...this.intervals.map(({ endNs }) => this.before(endNs + length) - this.before(endNs)),
    );
  }

  /** Length within which so much service time (above 0) is sure; Infinity without windows. */
  lengthFor(work: Nanoseconds): Nanoseconds {
    if (this.intervals.length === 0) return Infinity;
    return Math.max(...this.intervals.map((_, first) => this.lengthBehind(first, work)));
  }

  private lengthBehind(first: number, work: Nanoseconds): Nanoseconds {
    const from = this.intervals[first]!.endNs;
    const frames = Math.max(0, Math.ceil(work / this.perFrameNs) - 1);
    let left = work - frames * this.perFrameNs;
    for (let n = 1; n <= this.intervals.length; n++) {
      const wraps = first + n >= this.intervals.length ? 1 : 0;
      const interval = this.intervals[(first + n) % this.intervals.length]!;
      const length = interval.endNs - interval.startNs;
      const start = interval.startNs + (wraps + frames) * this.majorFrameNs;
      if (left <= length) return start + left - from;
      left -= length;
    }
    return Infinity;
  }
}
