/** Configurations for guests: partitions with front-ends, routes both ways, a window each. */
import path from 'node:path';
import type {
  GatewayConfig,
  NetDeviceConfig,
  RouteConfig,
  WindowConfig,
} from '../../schedule/gateway-config.ts';
import { queueNamesOf } from '../../schedule/queue-names.ts';

/** How the schedule is cut; windows share what the control window leaves. */
export interface GuestsTiming {
  readonly majorFrameUs: number;
  readonly controlUs: number;
  readonly pollUs: number;
}

/** Long windows, which leave the processors to the guests. */
const EASY: GuestsTiming = { majorFrameUs: 2000, controlUs: 300, pollUs: 50 };
/** Between two windows, so that they do not touch. */
const GAP_US = 20;
const KIB = 1024;
const COMMAND_BYTES = 16 * KIB;
/** Linux starts with merged buffers of 1536 bytes: 43 of them for the longest segment of TCP. */
const RECEIVE_DESCRIPTORS = 64;
const WINDOW_BYTES = 4 * KIB * KIB;

/** All that a network guest can use, short of several queue pairs and of ring formats. */
export const NET_FEATURES: readonly string[] = [
  ...['VIRTIO_F_VERSION_1', 'VIRTIO_RING_F_EVENT_IDX', 'VIRTIO_RING_F_INDIRECT_DESC'],
  ...['MAC', 'MTU', 'STATUS', 'MRG_RXBUF', 'CSUM', 'GUEST_CSUM', 'HOST_TSO4', 'GUEST_TSO4'].map(
    netFeature,
  ),
  ...['CTRL_VQ', 'CTRL_RX', 'CTRL_VLAN', 'CTRL_GUEST_OFFLOADS'].map(netFeature),
];

export function netFeature(name: string): string {
  return `VIRTIO_NET_F_${name}`;
}

export interface GuestDevice {
  readonly id?: string;
  readonly mac: string;
  readonly queuePairs?: number;
  readonly queueSize?: number;
  readonly features?: readonly string[];
}

export interface GuestPartition {
  readonly id: string;
  readonly devices: readonly GuestDevice[];
  readonly memoryMiB?: number;
  readonly socketMode?: 'listen' | 'connect';
  /** Memory of user-mode Linux and of DPDK cannot be sealed. */
  readonly unsealed?: 'accept' | 'refuse';
}

export interface GuestRoute {
  readonly from: string;
  readonly to: string;
  readonly vlan?: number;
}

/** Routes in both directions between two devices. */
export function bothWays(one: string, other: string, vlan?: number): GuestRoute[] {
  const tag = vlan === undefined ? {} : { vlan };
  return [
    { from: one, to: other, ...tag },
    { from: other, to: one, ...tag },
  ];
}

export function socketOf(directory: string, partition: string, device = 'net0'): string {
  return path.join(directory, partition, `${device}.sock`);
}

function deviceConfig({
  id = 'net0',
  mac,
  queuePairs = 1,
  queueSize = 256,
  features,
}: GuestDevice): NetDeviceConfig {
  const offer = [...(features ?? NET_FEATURES)];
  if (queuePairs > 1) offer.push(netFeature('MQ'));
  return {
    ...{ id, type: 'virtio-net', mac, mtu: 1500, queuePairs, queueSize },
    features: { offer, require: ['VIRTIO_F_VERSION_1'] },
  };
}

function routeConfig({ from, to, vlan }: GuestRoute, n: number): RouteConfig {
  return {
    ...{ id: `route-${n}`, from, to, vlan: vlan ?? null },
    ...{ packetsPerMajorFrame: 4096, bytesPerMajorFrame: 4 * WINDOW_BYTES, excess: 'defer' },
    delivery: 'immediate',
    receiveDescriptorsMax: RECEIVE_DESCRIPTORS,
  };
}

/** A window for each partition, equally long, in which all its queues are served. */
function windows(
  partitions: GatewayConfig['partitions'],
  { majorFrameUs, controlUs, pollUs }: GuestsTiming,
): WindowConfig[] {
  const lengthUs = Math.floor((majorFrameUs - controlUs) / partitions.length);
  return partitions.map(({ id, devices }, n) => ({
    ...{ id, partition: id, offsetUs: controlUs + n * lengthUs, durationUs: lengthUs - GAP_US },
    pollUs,
    queues: devices.flatMap((device) =>
      queueNamesOf(device)
        .filter(({ role }) => role !== 'receive')
        .map(({ name, role }) => ({
          queue: `${device.id}.${name}`,
          ...(role === 'control'
            ? { requestsMax: 8, requestsGuaranteed: 1, bytesMax: 8 * COMMAND_BYTES }
            : { requestsMax: 1024, requestsGuaranteed: 1, bytesMax: WINDOW_BYTES }),
        })),
    ),
  }));
}

export function guestsConfig(
  directory: string,
  partitions: readonly GuestPartition[],
  routes: readonly GuestRoute[],
  timing = EASY,
): GatewayConfig {
  const configured: GatewayConfig['partitions'] = partitions.map((partition) => ({
    ...{ id: partition.id, asil: 'QM', memoryMiB: partition.memoryMiB ?? 256 },
    guest: {
      type: 'vhost-user',
      socketDirectory: path.join(directory, partition.id),
      socketMode: partition.socketMode ?? 'listen',
      unsealed: partition.unsealed ?? 'refuse',
    },
    devices: partition.devices.map(deviceConfig),
  }));
  return {
    formatVersion: 1,
    gateway: { name: 'guests', revision: 1, asil: 'QM' },
    partitions: configured,
    network: { routes: routes.map(routeConfig) },
    schedule: {
      majorFrameUs: timing.majorFrameUs,
      idle: 'sleep',
      windows: [
        { id: 'control', kind: 'control', offsetUs: 0, durationUs: timing.controlUs - GAP_US },
        ...windows(configured, timing),
      ],
    },
    costs: {
      netForward: { baseNs: 1000, perKibNs: 200, perDescriptorNs: 20 },
      netChecksum: { baseNs: 200, perKibNs: 100 },
      controlCommandNs: 20_000,
      windowSwitchNs: 20_000,
    },
    flows: [],
    health: { reactions: [{ fault: '*', partition: '*', action: 'needs-reset', log: true }] },
  };
}
