/** CLOCK_MONOTONIC as the gateway's clock, and waiting for it. */
import type { Clock, Pace } from '../base/time.ts';
import { readMonotonic, sleepUntil } from './native/clock.ts';

export const monotonicClock: Clock = { readInto: readMonotonic };

/**
 * How long before the target the sleep ends and the spin begins: above the usual wake-up latency.
 */
const WAKE_AHEAD_NS = 100_000;

/** Waits by spinning on the clock only. */
export class SpinPace implements Pace {
  waitUntil(target: Float64Array, now: Float64Array): void {
    readMonotonic(now);
    while (now[0]! < target[0]!) readMonotonic(now);
  }
}

/**
 * Sleeps until shortly before the target, then spins: no other guest can delay the last stretch for
 * long.
 */
export class SleepPace extends SpinPace {
  private readonly wake = new Float64Array(1);

  override waitUntil(target: Float64Array, now: Float64Array): void {
    readMonotonic(now);
    this.wake[0] = target[0]! - WAKE_AHEAD_NS;
    if (this.wake[0]! > now[0]!) sleepUntil(this.wake);
    super.waitUntil(target, now);
  }
}
