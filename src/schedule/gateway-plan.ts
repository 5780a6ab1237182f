/**
 * The compiled configuration: plain data, indices instead of names, nanoseconds instead of units.
 */
import type { Nanoseconds } from '../base/time.ts';
import type { FeatureBits } from '../wire/features.ts';
import type { ArenaLayout } from './arena-layout.ts';
import type { Asil, GuestConfig } from './gateway-config.ts';

export interface GatewayPlan {
  readonly name: string;
  readonly majorFrameNs: Nanoseconds;
  readonly idle: 'sleep' | 'spin';
  readonly partitions: readonly PlanPartition[];
  readonly devices: readonly PlanDevice[];
  readonly queues: readonly PlanQueue[];
  readonly routes: readonly PlanRoute[];
  readonly windows: readonly PlanWindow[];
  readonly flows: readonly PlanFlow[];
  readonly controlCommandNs: Nanoseconds;
  readonly windowSwitchNs: Nanoseconds;
  readonly layout: ArenaLayout;
}

export interface PlanPartition {
  readonly index: number;
  readonly id: string;
  readonly asil: Asil;
  readonly memoryBytes: number;
  readonly guest: GuestConfig;
  readonly devices: readonly number[];
}

export interface PlanDevice {
  readonly index: number;
  /** `<partition>.<device>`, as routes and flows name it. */
  readonly id: string;
  readonly partition: number;
  readonly mac: readonly number[];
  readonly mtu: number;
  readonly speedMbps: number;
  readonly queuePairs: number;
  readonly queueSizeMax: number;
  readonly descriptorsMax: number;
  /** Largest packet the device takes from its driver, in bytes without the virtio-net header. */
  readonly packetBytesMax: number;
  readonly offered: FeatureBits;
  readonly required: readonly string[];
  /** Global queue numbers by the device's own queue index (receiveq0, transmitq0, …, controlq). */
  readonly queues: readonly number[];
  readonly routes: readonly number[];
}

export type QueueRole = 'receive' | 'transmit' | 'control';

export interface PlanQueue {
  readonly index: number;
  readonly name: string;
  readonly device: number;
  readonly partition: number;
  readonly role: QueueRole;
  /** Number of the pair; 0 for controlq. */
  readonly pair: number;
  /** Longest time one request of this queue may take, from the cost model. */
  readonly costNs: Nanoseconds;
}

export type VlanAction = 'keep' | 'insert' | 'remove';

export interface PlanRoute {
  readonly index: number;
  readonly id: string;
  readonly from: number;
  readonly to: number;
  /** -1: untagged packets only. */
  readonly vlan: number;
  readonly vlanAction: VlanAction;
  readonly packetsPerMajorFrame: number;
  readonly bytesPerMajorFrame: number;
  readonly excess: 'drop' | 'defer';
  /** Buffers that the other routes to the same receiver must leave. */
  readonly reservedByOthers: number;
  readonly receiveDescriptorsMax: number;
}

export interface PlanWindow {
  readonly index: number;
  readonly id: string;
  readonly kind: 'partition' | 'control';
  /** -1 for windows that belong to the gateway. */
  readonly partition: number;
  readonly offsetNs: Nanoseconds;
  readonly durationNs: Nanoseconds;
  readonly pollNs: Nanoseconds;
  readonly queues: readonly PlanWindowQueue[];
}

export interface PlanWindowQueue {
  readonly queue: number;
  readonly requestsMax: number;
  readonly requestsGuaranteed: number;
  readonly bytesMax: number;
  /** Publish after every request: the queue carries a flow with a deadline. */
  readonly publishEach: boolean;
}

export interface PlanFlow {
  readonly index: number;
  readonly id: string;
  readonly queue: number;
  readonly route: number;
  readonly deadlineNs: Nanoseconds;
}
