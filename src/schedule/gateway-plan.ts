/**
 * The compiled configuration: plain data, indices instead of names, nanoseconds instead of units.
 */
import type { Area } from '../base/rectangle.ts';
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
  readonly displays: readonly PlanDisplay[];
  readonly planes: readonly PlanPlane[];
  readonly regions: readonly PlanRegion[];
  /** Longest time one band of a composition may take. */
  readonly composeNs: Nanoseconds;
  readonly controlCommandNs: Nanoseconds;
  readonly windowSwitchNs: Nanoseconds;
  /** One used buffer notification, and one look at a queue that shows nothing. */
  readonly notifyNs: Nanoseconds;
  readonly lookNs: Nanoseconds;
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

export type PlanDevice = PlanNetDevice | PlanGpuDevice;

interface PlanVirtioDevice {
  readonly index: number;
  /** `<partition>.<device>`, as routes and flows name it. */
  readonly id: string;
  readonly partition: number;
  readonly queueSizeMax: number;
  readonly descriptorsMax: number;
  readonly offered: FeatureBits;
  readonly required: readonly string[];
  /** Global queue numbers by the device's own queue index (5.1.2, 5.7.2). */
  readonly queues: readonly number[];
}

export interface PlanNetDevice extends PlanVirtioDevice {
  readonly type: 'virtio-net';
  readonly mac: readonly number[];
  readonly mtu: number;
  readonly speedMbps: number;
  readonly queuePairs: number;
  /** Largest packet the device takes from its driver, in bytes without the virtio-net header. */
  readonly packetBytesMax: number;
  readonly routes: readonly number[];
}

export interface PlanGpuDevice extends PlanVirtioDevice {
  readonly type: 'virtio-gpu';
  /** Plane of each scanout. */
  readonly planes: readonly number[];
  readonly resourceBytes: number;
  readonly resourcesMax: number;
  readonly backingEntriesMax: number;
}

/** `cursor` is of virtio-gpu only; `control` is controlq of either device. */
export type QueueRole = 'receive' | 'transmit' | 'control' | 'cursor';

export interface PlanDisplay {
  readonly index: number;
  readonly id: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly refreshNs: Nanoseconds;
  readonly planes: readonly number[];
}

export interface PlanPlane {
  readonly index: number;
  /** `<display>.<plane>`. */
  readonly id: string;
  readonly display: number;
  /** Device and number of the scanout that draws it; -1 while the configuration names none. */
  readonly device: number;
  readonly scanout: number;
  /** On its display. */
  readonly rectangle: Area;
  /** The parts of it that no higher plane covers, in its own pixels. */
  readonly visible: readonly Area[];
  readonly asil: Asil;
  readonly ownerLost: 'keep' | 'blank' | 'warning';
  readonly warningPicture: string;
  readonly regions: readonly number[];
}

export interface PlanRegion {
  readonly index: number;
  /** `<display>.<region>`. */
  readonly id: string;
  readonly plane: number;
  /** In pixels of its plane. */
  readonly rectangle: Area;
  /** As signed 32-bit patterns; none: whatever the owner draws. */
  readonly crcs: readonly number[];
  /** 0: its owner need not update it. */
  readonly frozenAfterNs: Nanoseconds;
}

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
  readonly kind: 'partition' | 'control' | 'compositor';
  /** -1 for windows that belong to the gateway. */
  readonly partition: number;
  /** -1 for windows without composition. */
  readonly display: number;
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

/** What a guest promises about the requests of a flow; see `analysis/arrival-curve.ts`. */
export interface ArrivalContract {
  readonly periodNs: Nanoseconds;
  readonly jitterNs: Nanoseconds;
  readonly spacingNs: Nanoseconds;
  readonly burst: number;
}

export interface PlanFlow {
  readonly index: number;
  readonly id: string;
  readonly queue: number;
  /** -1 for flows of virtio-gpu. */
  readonly route: number;
  readonly arrival: ArrivalContract;
  /** Longest request, in bytes without the virtio-net header. */
  readonly bytesMax: number;
  /** Pieces of the longest request, each of which the serving rule treats as a request. */
  readonly pieces: number;
  readonly deadlineNs: Nanoseconds;
  /** What the analysis proves; null while nobody has analysed the plan. */
  readonly boundNs: Nanoseconds | null;
}
