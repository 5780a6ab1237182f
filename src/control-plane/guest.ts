/** What the gateway asks of a guest, whoever runs it. */
import type { GuestStatistics } from '../channel/guest-statistics.ts';

export interface Guest {
  /** What an embedded guest says about itself; nobody else does. */
  readonly statistics?: GuestStatistics;
  /** @throws HostProblem when the host does not grant what it needs */
  start(): void;
  /** A tick of the supervision. */
  tick(): void;
  restart(): Promise<void>;
  close(): Promise<void>;
}
