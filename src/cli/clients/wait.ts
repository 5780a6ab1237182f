/** Waiting for something that somebody else does, with a limit. */
import { monotonicClock } from '../../host/monotonic-clock.ts';
import { after } from '../../host/timers.ts';

const POLL_MS = 5;
const PATIENCE_MS = 20_000;

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    after(ms, resolve);
  });
}

/** The monotonic clock, in nanoseconds. */
export function nowNs(): number {
  const cell = new Float64Array(1);
  monotonicClock.readInto(cell);
  return cell[0]!;
}

/** @throws Error saying what was waited for */
export async function until(
  condition: () => boolean,
  what: string,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += POLL_MS) {
    if (waitedMs > patienceMs) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await pause(POLL_MS);
  }
}
