/** What every virtio device in the data plane is to those that do not care which one it is. */
import type { PlanDevice } from '../schedule/gateway-plan.ts';
import type { GuestMemory } from './guest-memory.ts';

export interface Device {
  readonly plan: PlanDevice;
  /** What its driver can reach. */
  readonly memory: GuestMemory;
  /** DRIVER_OK with this negotiated set, as two 32-bit words. */
  start(low: number, high: number): void;
  /** The driver's reset: nothing of it is used any more. */
  stop(): void;
  /** A ring was started, stopped, enabled or disabled. */
  ringsChanged(): void;
}
