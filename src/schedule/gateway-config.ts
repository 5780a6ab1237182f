/** The configuration file as typed data, in the form that `config/gateway.schema.json` admits. */

/** From the lowest to the highest. */
export const ASILS = ['QM', 'A', 'B', 'C', 'D'] as const;
export type Asil = (typeof ASILS)[number];
export type FaultAction = 'ignore' | 'needs-reset' | 'isolate' | 'restart' | 'safe-state';

export interface GatewayConfig {
  readonly $schema?: string;
  readonly formatVersion: 1;
  readonly gateway: { readonly name: string; readonly revision: number; readonly asil: Asil };
  readonly partitions: readonly PartitionConfig[];
  readonly network: {
    readonly routes: readonly RouteConfig[];
    readonly uplinks?: readonly never[];
  };
  readonly displays?: readonly DisplayConfig[];
  readonly schedule: ScheduleConfig;
  readonly costs: CostsConfig;
  readonly flows: readonly FlowConfig[];
  readonly health: HealthConfig;
}

export interface PartitionConfig {
  readonly id: string;
  readonly asil: Asil;
  readonly memoryMiB: number;
  readonly guest: GuestConfig;
  readonly devices: readonly DeviceConfig[];
}

export type GuestConfig = EmbeddedGuestConfig | VhostUserGuestConfig;

/** A front-end of its own: QEMU, user-mode Linux, DPDK. */
export interface VhostUserGuestConfig {
  readonly type: 'vhost-user';
  readonly socketDirectory: string;
  readonly socketMode: 'listen' | 'connect';
  readonly unsealed: 'refuse' | 'accept';
}

export type EmbeddedProgram =
  'traffic' | 'echo' | 'babbler' | 'cluster-display' | 'infotainment-display' | 'gpu-babbler';

export interface EmbeddedGuestConfig {
  readonly type: 'embedded';
  readonly program: EmbeddedProgram;
  readonly parameters?: GuestParameters;
}

/** Parameters of an embedded guest's program, if it is one and has some. */
export function parametersOf(guest: GuestConfig): GuestParameters | undefined {
  return guest.type === 'embedded' ? guest.parameters : undefined;
}

/** What an embedded program does; each program says which of these it reads. */
export interface GuestParameters {
  readonly device?: string;
  readonly to?: string;
  readonly periodUs?: number;
  readonly burst?: number;
  readonly bytes?: number;
  /** From one picture of a display program to the next. */
  readonly framePeriodUs?: number;
  /** Pictures stay in guest memory, where the device reads them. */
  readonly blob?: boolean;
  readonly cursor?: boolean;
  /** Fault injection: the display program draws so many pictures and no more. */
  readonly freezeAfterFrames?: number;
}

export type DeviceConfig = NetDeviceConfig | GpuDeviceConfig;

interface FeatureSets {
  readonly offer: readonly string[];
  readonly require: readonly string[];
}

export interface NetDeviceConfig {
  readonly id: string;
  readonly type: 'virtio-net';
  readonly mac: string;
  readonly mtu?: number;
  readonly queuePairs: number;
  readonly queueSize: number;
  readonly descriptorsMax?: number;
  readonly speedMbps?: number;
  readonly features: FeatureSets;
}

export interface GpuDeviceConfig {
  readonly id: string;
  readonly type: 'virtio-gpu';
  readonly queueSize?: number;
  readonly descriptorsMax?: number;
  /** Memory for the pixels of all its resources. */
  readonly resourceMiB: number;
  readonly resourcesMax?: number;
  /** Entries of all backings together. */
  readonly backingEntriesMax?: number;
  /** The plane that each scanout shows on. */
  readonly scanouts: readonly { readonly display: string; readonly plane: string }[];
  readonly features: FeatureSets;
}

/** A rectangle in pixels: x, y, width, height. */
export type RectanglePx = readonly [number, number, number, number];

export interface DisplayConfig {
  readonly id: string;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly refreshHz: number;
  readonly planes: readonly PlaneConfig[];
  readonly protectedRegions?: readonly ProtectedRegionConfig[];
}

export interface PlaneConfig {
  readonly id: string;
  /** Higher planes cover lower ones. */
  readonly z: number;
  /** Where it lies on its display. */
  readonly rectPx: RectanglePx;
  readonly asil: Asil;
  /** What it shows when its owner is not served any more; "keep" where absent. */
  readonly ownerLost?: 'keep' | 'blank' | 'warning';
  /** PNG file of the plane's size, from the configuration's directory. */
  readonly warningPicture?: string;
}

export interface ProtectedRegionConfig {
  readonly id: string;
  readonly plane: string;
  /** In pixels of its plane. */
  readonly rectPx: RectanglePx;
  /** CRC-32 values of pictures that may be shown there, eight hexadecimal digits each. */
  readonly crcs?: readonly string[];
  /** Its owner must update it within this time. */
  readonly frozenAfterUs?: number;
}

export interface RouteConfig {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly vlan: number | null;
  readonly vlanAction?: 'keep' | 'insert' | 'remove';
  readonly packetsPerMajorFrame: number;
  readonly bytesPerMajorFrame: number;
  readonly excess: 'drop' | 'defer';
  readonly delivery: 'immediate';
  readonly receiveReserve?: number;
  readonly receiveDescriptorsMax?: number;
}

export interface ScheduleConfig {
  readonly majorFrameUs: number;
  readonly idle: 'sleep' | 'spin';
  readonly windows: readonly WindowConfig[];
}

export interface WindowConfig {
  readonly id: string;
  readonly kind?: 'partition' | 'control' | 'compositor';
  readonly partition?: string;
  /** Of a compositor window. */
  readonly display?: string;
  readonly offsetUs: number;
  readonly durationUs: number;
  readonly pollUs?: number;
  readonly queues?: readonly WindowQueueConfig[];
}

export interface WindowQueueConfig {
  readonly queue: string;
  readonly requestsMax: number;
  readonly requestsGuaranteed?: number;
  readonly bytesMax: number;
}

export interface OperationCost {
  readonly baseNs: number;
  readonly perKibNs: number;
  readonly perDescriptorNs: number;
}

export interface CostsConfig {
  readonly netForward: OperationCost;
  readonly netChecksum?: { readonly baseNs: number; readonly perKibNs: number };
  readonly netControlNs?: number;
  readonly controlCommandNs?: number;
  /** One piece of a command of virtio-gpu. */
  readonly gpuTransfer?: OperationCost;
  /** One band of a display's composition. */
  readonly gpuCompose?: { readonly baseNs: number; readonly perKibNs: number };
  readonly windowSwitchNs: number;
  readonly notifyNs?: number;
  readonly lookNs?: number;
}

export type FlowConfig = NetFlowConfig | GpuFlowConfig;

/** Packets of a transmitq that one route carries. */
export interface NetFlowConfig extends FlowDemand {
  readonly route: string;
}

/** Commands of a controlq of virtio-gpu. */
export interface GpuFlowConfig extends FlowDemand {
  readonly command: 'flush';
}

interface FlowDemand {
  readonly id: string;
  readonly from: string;
  readonly arrival: {
    readonly periodUs: number;
    readonly jitterUs: number;
    readonly spacingUs: number;
    /** Requests that come together in every period; 1 when absent. */
    readonly burst?: number;
  };
  readonly bytesMax: number;
  readonly deadlineUs: number;
}

export interface HealthConfig {
  readonly reactions: readonly ReactionConfig[];
}

export interface ReactionConfig {
  readonly fault: string;
  readonly partition: string;
  readonly action: FaultAction;
  readonly after?: number;
  readonly log: boolean;
}
