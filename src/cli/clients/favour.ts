/** Priority across sessions for what is measured, as real-time mode takes it for the gateway. */
import { writeFileSync } from 'node:fs';
import { sessionNice, thisHost, type HostView } from '../../host/host-view.ts';

const NICE = -20;

/**
 * Where processors are shared out by session, the session of a process goes first; no matter if it
 * may not.
 */
export function favourSession(pid: number, host: HostView = thisHost): void {
  if (sessionNice(host) !== undefined) setSessionNice(pid, NICE);
}

/** Does something while the session of this process goes first. */
export async function favoured<Result>(
  work: () => Promise<Result>,
  host: HostView = thisHost,
): Promise<Result> {
  const before = sessionNice(host);
  if (before === undefined) return work();
  setSessionNice(process.pid, NICE);
  try {
    return await work();
  } finally {
    setSessionNice(process.pid, before);
  }
}

function setSessionNice(pid: number, nice: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(nice));
  } catch {
    // Then everybody competes alike, on both sides of a comparison.
  }
}
