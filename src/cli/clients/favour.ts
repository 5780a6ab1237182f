/** Priority across sessions for what is measured, as real-time mode takes it for the gateway. */
import { writeFileSync } from 'node:fs';
import { sessionNice, thisHost } from '../../host/host-view.ts';

const NICE = -20;

/**
 * Where processors are shared out by session, the session of a process goes first; no matter if it
 * may not.
 */
export function favourSession(pid: number): void {
  setSessionNice(pid, NICE);
}

/** Does something while the session of this process goes first. */
export async function favoured<Result>(work: () => Promise<Result>): Promise<Result> {
  const before = sessionNice(thisHost) ?? 0;
  favourSession(process.pid);
  try {
    return await work();
  } finally {
    setSessionNice(process.pid, before);
  }
}

function setSessionNice(pid: number, nice: number): void {
  if (sessionNice(thisHost) === undefined) return;
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(nice));
  } catch {
    // Then everybody competes alike, on both sides of a comparison.
  }
}
