/** A valid configuration with a display that two partitions share, as data that a test may change. */
import type {
  DisplayConfig,
  GatewayConfig,
  GpuDeviceConfig,
} from '../../src/schedule/gateway-config.ts';
import type { Draft } from './two-partitions.ts';

interface GpuConfig extends Omit<GatewayConfig, 'partitions' | 'displays'> {
  readonly partitions: readonly (Omit<GatewayConfig['partitions'][number], 'devices'> & {
    readonly devices: readonly GpuDeviceConfig[];
  })[];
  readonly displays: readonly (Omit<DisplayConfig, 'protectedRegions'> &
    Required<Pick<DisplayConfig, 'protectedRegions'>>)[];
}

export type DisplayDraft = Draft<GpuConfig>;
export type GpuDeviceDraft = Draft<GpuDeviceConfig>;

export function gpuDraft(plane: string, changes: Partial<GpuDeviceDraft> = {}): GpuDeviceDraft {
  return {
    id: 'gpu0',
    type: 'virtio-gpu',
    queueSize: 64,
    resourceMiB: 8,
    scanouts: [{ display: 'center', plane }],
    features: {
      offer: ['VIRTIO_F_VERSION_1', 'VIRTIO_GPU_F_EDID', 'VIRTIO_GPU_F_RESOURCE_BLOB'],
      require: ['VIRTIO_F_VERSION_1'],
    },
    ...changes,
  };
}

function partition(id: string, asil: 'QM' | 'B'): DisplayDraft['partitions'][number] {
  return {
    id,
    asil,
    memoryMiB: 16,
    guest: {
      type: 'vhost-user',
      socketDirectory: `run/${id}`,
      socketMode: 'listen',
      unsealed: 'refuse',
    },
    devices: [gpuDraft(id)],
  };
}

function drawing(id: string, offsetUs: number): DisplayDraft['schedule']['windows'][number] {
  return {
    id,
    partition: id,
    offsetUs,
    durationUs: 1000,
    queues: [
      { queue: 'gpu0.controlq', requestsMax: 16, bytesMax: 524288 },
      { queue: 'gpu0.cursorq', requestsMax: 4, bytesMax: 65536 },
    ],
  };
}

/** The cluster's plane (ASIL B, with a protected region) above that of infotainment. */
export function sharedDisplay(change: (draft: DisplayDraft) => void = () => {}): DisplayDraft {
  const draft: DisplayDraft = {
    formatVersion: 1,
    gateway: { name: 'cockpit', revision: 1, asil: 'B' },
    partitions: [partition('cluster', 'B'), partition('infotainment', 'QM')],
    network: { routes: [] },
    displays: [
      {
        id: 'center',
        widthPx: 1280,
        heightPx: 800,
        refreshHz: 60,
        planes: [
          { id: 'infotainment', z: 0, rectPx: [0, 0, 1280, 800], asil: 'QM', ownerLost: 'blank' },
          {
            id: 'cluster',
            z: 1,
            rectPx: [0, 0, 640, 200],
            asil: 'B',
            ownerLost: 'warning',
            warningPicture: 'warning.png',
          },
        ],
        protectedRegions: [
          {
            id: 'telltales',
            plane: 'cluster',
            rectPx: [0, 0, 64, 32],
            crcs: ['0123abcd'],
            frozenAfterUs: 500000,
          },
        ],
      },
    ],
    schedule: {
      majorFrameUs: 10000,
      idle: 'sleep',
      windows: [
        drawing('cluster', 0),
        drawing('infotainment', 2000),
        {
          id: 'compositor',
          kind: 'compositor',
          display: 'center',
          offsetUs: 4000,
          durationUs: 2000,
        },
        { id: 'control', kind: 'control', offsetUs: 7000, durationUs: 1000 },
      ],
    },
    costs: {
      netForward: { baseNs: 2000, perKibNs: 200, perDescriptorNs: 20 },
      gpuTransfer: { baseNs: 10000, perKibNs: 500, perDescriptorNs: 50 },
      gpuCompose: { baseNs: 5000, perKibNs: 500 },
      windowSwitchNs: 20000,
    },
    flows: [
      {
        id: 'speed',
        from: 'cluster.gpu0.controlq',
        command: 'flush',
        arrival: { periodUs: 16667, jitterUs: 1000, spacingUs: 0 },
        bytesMax: 512000,
        deadlineUs: 30000,
      },
    ],
    health: {
      reactions: [
        { fault: 'region-crc-mismatch', partition: '*', action: 'safe-state', log: true },
        { fault: '*', partition: '*', action: 'needs-reset', log: true },
      ],
    },
  };
  change(draft);
  return draft;
}
