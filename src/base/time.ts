/** Time as data: whole nanoseconds in a Number (exact to 2^53 ns, 104 days), from a given clock. */

export type Nanoseconds = number;

export const NS_PER_US = 1_000;
export const NS_PER_MS = 1_000_000;
export const NS_PER_S = 1_000_000_000;

/**
 * Monotonic clock. It writes into a cell instead of returning, because a returned double above 2^31
 * would be a heap object wherever the call is not inlined.
 */
export interface Clock {
  /** Writes the present time, in nanoseconds, to `cell[0]`. */
  readInto(cell: Float64Array): void;
}

/** Waits for an instant of the same clock. */
export interface Pace {
  /** Returns when the clock has reached `target[0]`; leaves the last clock value in `now[0]`. */
  waitUntil(target: Float64Array, now: Float64Array): void;
  /**
   * Returns at `target[0]` at the latest, as far as the host wakes sleepers in time; leaves the
   * last clock value in `now[0]`. False, at once, when the target is too near to sleep.
   */
  rest(target: Float64Array, now: Float64Array): boolean;
}
