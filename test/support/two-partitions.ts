/** The valid configuration that config/invalid is derived from, as data that a test may change. */
import type {
  GatewayConfig,
  NetDeviceConfig,
  NetFlowConfig,
  PartitionConfig,
  RouteConfig,
  WindowConfig,
} from '../../src/schedule/gateway-config.ts';

export type Draft<T> = T extends object ? { -readonly [K in keyof T]: Draft<T[K]> } : T;

/** These configurations have network devices only. */
interface NetConfig extends Omit<GatewayConfig, 'partitions' | 'flows' | 'displays'> {
  readonly partitions: readonly (Omit<PartitionConfig, 'devices'> & {
    readonly devices: readonly NetDeviceConfig[];
  })[];
  readonly flows: readonly NetFlowConfig[];
}

export type ConfigDraft = Draft<NetConfig>;
export type DeviceDraft = Draft<NetDeviceConfig>;
export type RouteDraft = Draft<RouteConfig>;
export type WindowDraft = Draft<WindowConfig>;

export function deviceDraft(last: number, changes: Partial<DeviceDraft> = {}): DeviceDraft {
  return {
    id: 'net0',
    type: 'virtio-net',
    mac: `52:54:00:00:00:0${last}`,
    queuePairs: 1,
    queueSize: 64,
    features: {
      offer: ['VIRTIO_F_VERSION_1', 'VIRTIO_NET_F_MAC'],
      require: ['VIRTIO_F_VERSION_1'],
    },
    ...changes,
  };
}

export function routeDraft(
  from: string,
  to: string,
  changes: Partial<RouteDraft> = {},
): RouteDraft {
  return {
    id: `${from}-to-${to}`,
    from: `${from}.net0`,
    to: `${to}.net0`,
    vlan: null,
    packetsPerMajorFrame: 8,
    bytesPerMajorFrame: 12112,
    excess: 'drop',
    delivery: 'immediate',
    ...changes,
  };
}

export function windowDraft(
  partition: string,
  offsetUs: number,
  changes: Partial<WindowDraft> = {},
): WindowDraft {
  return {
    id: partition,
    partition,
    offsetUs,
    durationUs: 1000,
    queues: [{ queue: 'net0.transmitq0', requestsMax: 8, bytesMax: 12144 }],
    ...changes,
  };
}

/** Partitions cluster (traffic) and telematics (echo), a window each, and a control window. */
export function twoPartitions(change: (draft: ConfigDraft) => void = () => {}): ConfigDraft {
  const draft: ConfigDraft = {
    formatVersion: 1,
    gateway: { name: 'cockpit', revision: 1, asil: 'B' },
    partitions: [
      {
        id: 'cluster',
        asil: 'B',
        memoryMiB: 1,
        guest: {
          type: 'embedded',
          program: 'traffic',
          parameters: { to: 'telematics.net0', periodUs: 10000, bytes: 256 },
        },
        devices: [deviceDraft(1)],
      },
      {
        id: 'telematics',
        asil: 'QM',
        memoryMiB: 1,
        guest: { type: 'embedded', program: 'echo' },
        devices: [deviceDraft(2)],
      },
    ],
    network: { routes: [routeDraft('cluster', 'telematics'), routeDraft('telematics', 'cluster')] },
    schedule: {
      majorFrameUs: 10000,
      idle: 'sleep',
      windows: [
        windowDraft('cluster', 0),
        windowDraft('telematics', 2000),
        { id: 'control', kind: 'control', offsetUs: 4000, durationUs: 1000 },
      ],
    },
    costs: {
      netForward: { baseNs: 2000, perKibNs: 200, perDescriptorNs: 20 },
      windowSwitchNs: 20000,
    },
    flows: [
      {
        id: 'vehicle-status',
        from: 'cluster.net0.transmitq0',
        route: 'cluster-to-telematics',
        arrival: { periodUs: 10000, jitterUs: 1000, spacingUs: 0 },
        bytesMax: 1514,
        deadlineUs: 12000,
      },
    ],
    health: {
      reactions: [
        { fault: 'guest-died', partition: 'telematics', action: 'isolate', log: true },
        { fault: '*', partition: '*', action: 'needs-reset', log: true },
      ],
    },
  };
  change(draft);
  return draft;
}

/** First device, window, route or flow: they exist by construction. */
export function first<T>(items: readonly T[] | undefined): T {
  return items![0]!;
}
