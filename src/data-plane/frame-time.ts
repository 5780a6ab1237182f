/**
 * The time of the data plane: absolute nanoseconds in cells, and small integers inside a major
 * frame.
 */
import type { Clock } from '../base/time.ts';

const ELAPSED_MAX = 0x7fffffff;

export class FrameTime {
  /** Last clock value that was read. */
  readonly now = new Float64Array(1);
  /** Planned start of the present major frame, and of the present window. */
  readonly frameStart = new Float64Array(1);
  readonly windowStart = new Float64Array(1);
  /** When the present window really started. */
  readonly started = new Float64Array(1);
  /**
   * When the host last took time that it should not have: a late wake-up, or a thread that did not
   * run.
   */
  readonly disturbed = new Float64Array(1);

  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /**
   * Reads the clock; nanoseconds since the planned start of the major frame, capped at 2^31 - 1.
   */
  read(): number {
    this.clock.readInto(this.now);
    const elapsed = this.now[0]! - this.frameStart[0]!;
    return elapsed > ELAPSED_MAX ? ELAPSED_MAX : elapsed | 0;
  }
}
