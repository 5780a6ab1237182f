/** CLOCK_MONOTONIC as the gateway's clock, and waiting for it. */
import type { Clock, Pace } from '../base/time.ts';
import { readMonotonic, sleepUntil } from './native/clock.ts';

export const monotonicClock: Clock = { readInto: readMonotonic };

/** Waits by spinning on the clock only. */
export class SpinPace implements Pace {
  waitUntil(target: Float64Array, now: Float64Array): void {
    readMonotonic(now);
    while (now[0]! < target[0]!) readMonotonic(now);
  }

  rest(target: Float64Array, now: Float64Array): boolean {
    this.waitUntil(target, now);
    return true;
  }
}

/** Between these the host is expected to wake a sleeper late; the longest at first. */
const LATENESS_NS_MIN = 2_000;
export const LATENESS_NS_MAX = 100_000;
/** Shorter sleeps are not worth their system call. */
const SLEEP_NS_MIN = 5_000;
/**
 * Each wake-up that is later than expected raises what is expected, each other one lowers it: at
 * these steps one in 64 is later.
 */
const LOWER_NS = 16;
const RAISE_NS = 63 * LOWER_NS;

/** What the waiting is made of; tests give their own. */
export interface SleepingClock extends Clock {
  /** Sleeps until the clock reaches `target[0]`, or somewhat longer. */
  sleepUntil(target: Float64Array): void;
}

const hostClock: SleepingClock = { readInto: readMonotonic, sleepUntil };

/**
 * Sleeps until shortly before the target, by as much as this host is usually late, then spins:
 * nobody can delay the last stretch for long.
 */
// [impl->req~host.sleep-pace~1]
export class SleepPace implements Pace {
  private readonly clock: SleepingClock;
  private readonly wake = new Float64Array(1);
  private readonly lateness = new Float64Array([LATENESS_NS_MAX]);

  constructor(clock = hostClock) {
    this.clock = clock;
  }

  waitUntil(target: Float64Array, now: Float64Array): void {
    this.rest(target, now);
    while (now[0]! < target[0]!) this.clock.readInto(now);
  }

  rest(target: Float64Array, now: Float64Array): boolean {
    const { clock, wake, lateness } = this;
    clock.readInto(now);
    wake[0] = target[0]! - lateness[0]!;
    if (wake[0]! - now[0]! < SLEEP_NS_MIN) return false;
    clock.sleepUntil(wake);
    clock.readInto(now);
    const step = now[0]! - wake[0]! > lateness[0]! ? RAISE_NS : -LOWER_NS;
    lateness[0] = Math.min(LATENESS_NS_MAX, Math.max(LATENESS_NS_MIN, lateness[0]! + step));
    return true;
  }
}
