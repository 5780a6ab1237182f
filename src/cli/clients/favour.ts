/** Priority across sessions for what is measured, as real-time mode takes it for the gateway. */
import { writeFileSync } from 'node:fs';
import { sessionNice, thisHost } from '../../host/host-view.ts';

const NICE = -20;

/** Where processors are shared out by session, this one goes first; no matter if it may not. */
export function favourSession(pid: number): void {
  if (sessionNice(thisHost) === undefined) return;
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(NICE));
  } catch {
    // Then it competes like everybody else, on both sides of a comparison.
  }
}
