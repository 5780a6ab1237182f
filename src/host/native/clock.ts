/** Clocks of the kernel, read without allocation, and sleeping until one of them. */
import { cFunction } from './libc.ts';

const CLOCK_MONOTONIC = 1;
const CLOCK_THREAD_CPUTIME_ID = 3;
const TIMER_ABSTIME = 1;
const NS_PER_S = 1_000_000_000;
const TWO_32 = 0x1_0000_0000;

const clockGettime = cFunction('int clock_gettime(int clock, void *time)');
const clockNanosleep = cFunction(
  'int clock_nanosleep(int clock, int flags, void *time, void *rest)',
);

/** struct timespec of a 64-bit Linux: seconds and nanoseconds, 8 bytes each. */
class Timespec {
  readonly bytes = new Uint8Array(16);
  private readonly words = new Int32Array(this.bytes.buffer);

  writeTo(cell: Float64Array): void {
    const { words } = this;
    cell[0] = ((words[0]! >>> 0) + words[1]! * TWO_32) * NS_PER_S + words[2]!;
  }

  set(ns: Float64Array): void {
    const { words } = this;
    const seconds = Math.floor(ns[0]! / NS_PER_S);
    words[0] = (seconds % TWO_32) | 0;
    words[1] = Math.floor(seconds / TWO_32);
    words[2] = ns[0]! - seconds * NS_PER_S;
    words[3] = 0;
  }
}

const nowSpec = new Timespec();
const cpuSpec = new Timespec();
const sleepSpec = new Timespec();

/** Writes the monotonic time, in nanoseconds, to `cell[0]`; allocates nothing. */
export function readMonotonic(cell: Float64Array): void {
  clockGettime(CLOCK_MONOTONIC, nowSpec.bytes);
  nowSpec.writeTo(cell);
}

/** Writes the processor time this thread has had, in nanoseconds, to `cell[0]`. */
export function readThreadCpu(cell: Float64Array): void {
  clockGettime(CLOCK_THREAD_CPUTIME_ID, cpuSpec.bytes);
  cpuSpec.writeTo(cell);
}

/** Sleeps until the monotonic clock reaches `target[0]`, or until a signal. */
export function sleepUntil(target: Float64Array): void {
  sleepSpec.set(target);
  clockNanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, sleepSpec.bytes, null);
}
