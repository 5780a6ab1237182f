/** What a thread may ask of the kernel's scheduler. */
import { cFunction } from './libc.ts';

const PR_SET_TIMERSLACK = 29;
const PRIO_PROCESS = 0;

const setpriority = cFunction('int setpriority(int which, unsigned int who, int priority)');
const prctl = cFunction('int prctl(int option, unsigned long value)');
const gettid = cFunction('int gettid()');

/** Asks for timers without slack (50 µs otherwise), for the calling thread. */
export function removeTimerSlack(): boolean {
  return prctl(PR_SET_TIMERSLACK, 1) === 0;
}

/** Sets the nice value of the calling thread; false when the host does not grant it. */
export function setThreadNice(nice: number): boolean {
  return setpriority(PRIO_PROCESS, gettid(), nice) === 0;
}
