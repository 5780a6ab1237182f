/** Device-specific configuration as a driver reads it (2.5), whatever the device. */
import type { PlanDevice } from '../schedule/gateway-plan.ts';
import { GpuConfiguration } from './gpu-configuration.ts';
import { NetConfiguration } from './net-configuration.ts';

export interface DeviceConfiguration {
  /** Length of its fields in bytes, so that 32-bit reads of the last one stay inside. */
  readonly bytes: number;
  /** 4.1.4.3.1: changes whenever a field has changed since it was read last. */
  readonly generation: number;
  read(offset: number, width: number): number;
  /** False for a write to a field that the driver may only read. */
  write(offset: number, width: number, value: number): boolean;
  readonly linkUp: boolean;
  /** True when that changed what the driver reads. */
  setLink(up: boolean): boolean;
}

/** `statusAt`: the word of link and announce bits that both planes see. */
export function configurationOf(
  plan: PlanDevice,
  words: Int32Array,
  statusAt: number,
): DeviceConfiguration {
  return plan.type === 'virtio-net'
    ? new NetConfiguration(plan, words, statusAt)
    : new GpuConfiguration(plan.planes.length);
}
