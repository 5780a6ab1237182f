/** One guest with a front-end of its own on the whole of one display. */
import path from 'node:path';
import type {
  GatewayConfig,
  GpuDeviceConfig,
  ScheduleConfig,
} from '../../schedule/gateway-config.ts';

const MIB = 2 ** 20;
const WIDTH = 1280;
const HEIGHT = 800;
/** Two buffers of a program, that of the console, and a margin. */
const RESOURCE_MIB = 32;
const MEMORY_MIB = 256;

const FEATURES: GpuDeviceConfig['features'] = {
  offer: [
    ...['VIRTIO_F_VERSION_1', 'VIRTIO_RING_F_EVENT_IDX', 'VIRTIO_RING_F_INDIRECT_DESC'],
    'VIRTIO_GPU_F_EDID',
  ],
  require: ['VIRTIO_F_VERSION_1'],
};

const SCHEDULE: ScheduleConfig = {
  majorFrameUs: 2000,
  idle: 'sleep',
  windows: [
    { id: 'control', kind: 'control', offsetUs: 0, durationUs: 280 },
    {
      ...{ id: 'screen', partition: 'screen', offsetUs: 300, durationUs: 1380, pollUs: 50 },
      queues: [
        // Each piece of a command is a request: two pictures of 4 MB are some 250.
        { queue: 'gpu0.controlq', requestsMax: 4096, requestsGuaranteed: 1, bytesMax: 64 * MIB },
        { queue: 'gpu0.cursorq', requestsMax: 16, requestsGuaranteed: 1, bytesMax: 65_536 },
      ],
    },
    { id: 'compose', kind: 'compositor', display: 'center', offsetUs: 1700, durationUs: 280 },
  ],
};

/** The partition is `screen`, its device `gpu0`: the socket is `screen/gpu0.sock`. */
export function displayConfig(directory: string): GatewayConfig {
  return {
    formatVersion: 1,
    gateway: { name: 'display', revision: 1, asil: 'QM' },
    partitions: [
      {
        ...{ id: 'screen', asil: 'QM', memoryMiB: MEMORY_MIB },
        guest: {
          type: 'vhost-user',
          socketDirectory: path.join(directory, 'screen'),
          socketMode: 'listen',
          unsealed: 'refuse',
        },
        devices: [
          {
            ...{ id: 'gpu0', type: 'virtio-gpu', features: FEATURES, resourceMiB: RESOURCE_MIB },
            scanouts: [{ display: 'center', plane: 'whole' }],
          },
        ],
      },
    ],
    network: { routes: [] },
    displays: [
      {
        ...{ id: 'center', widthPx: WIDTH, heightPx: HEIGHT, refreshHz: 60 },
        planes: [{ id: 'whole', z: 0, rectPx: [0, 0, WIDTH, HEIGHT], asil: 'QM' }],
      },
    ],
    schedule: SCHEDULE,
    costs: {
      netForward: { baseNs: 1000, perKibNs: 200, perDescriptorNs: 20 },
      gpuTransfer: { baseNs: 5000, perKibNs: 200, perDescriptorNs: 20 },
      gpuCompose: { baseNs: 5000, perKibNs: 200 },
      controlCommandNs: 20_000,
      windowSwitchNs: 20_000,
    },
    flows: [],
    health: { reactions: [{ fault: '*', partition: '*', action: 'needs-reset', log: true }] },
  };
}
