/** What a thread may ask of the kernel's scheduler. */
import { cFunction } from './libc.ts';

const PR_SET_TIMERSLACK = 29;
const PRIO_PROCESS = 0;
const SCHED_OTHER = 0;
const SCHED_FIFO = 1;
/** cpu_set_t has 1024 bits. */
const CPU_SET_BYTES = 128;

const setpriority = cFunction('int setpriority(int which, unsigned int who, int priority)');
const prctl = cFunction('int prctl(int option, unsigned long value)');
const cGettid = cFunction('int gettid()');
const cSetAffinity = cFunction('int sched_setaffinity(int tid, intptr_t bytes, void *set)');
const cSetScheduler = cFunction('int sched_setscheduler(int tid, int policy, void *priority)');

/** Asks for timers without slack (50 µs otherwise), for the calling thread. */
export function removeTimerSlack(): boolean {
  return prctl(PR_SET_TIMERSLACK, 1) === 0;
}

/** Gives the calling thread the slack that it was born with. */
export function restoreTimerSlack(): void {
  prctl(PR_SET_TIMERSLACK, 0);
}

/** The kernel's number of the calling thread. */
export function thisThread(): number {
  return cGettid();
}

/** Sets the nice value of the calling thread; false when the host does not grant it. */
export function setThreadNice(nice: number): boolean {
  return setpriority(PRIO_PROCESS, thisThread(), nice) === 0;
}

/** The thread runs on these CPUs only; false when it is gone or the host does not grant it. */
export function setAffinity(thread: number, cpus: readonly number[]): boolean {
  const set = new Uint8Array(CPU_SET_BYTES);
  for (const cpu of cpus) set[cpu >> 3]! |= 1 << (cpu & 7);
  return cSetAffinity(thread, set.length, set) === 0;
}

/** The calling thread goes before every ordinary thread of its CPU, for as long as it likes. */
export function useFifo(priority: number): boolean {
  return setScheduler(SCHED_FIFO, priority);
}

/** The calling thread is an ordinary thread again. */
export function useOrdinaryScheduling(): boolean {
  return setScheduler(SCHED_OTHER, 0);
}

function setScheduler(policy: number, priority: number): boolean {
  const parameters = new Uint8Array(new Int32Array([priority]).buffer);
  return cSetScheduler(0, policy, parameters) === 0;
}
