/** The declared worst-case cost of one request, from the cost table of the configuration. */
import type { Nanoseconds } from '../base/time.ts';
import type {
  CostsConfig,
  DeviceConfig,
  GpuDeviceConfig,
  NetDeviceConfig,
  RouteConfig,
} from './gateway-config.ts';
import type { QueueRole } from './gateway-plan.ts';
import { Ethernet, IP_PACKET_MAX } from '../wire/ethernet.ts';

const KIB = 1024;
const CONTROL_COMMAND_NS = 20_000;
const NET_CONTROL_NS = 5_000;
/** An eventfd write, and an empty look with its clock read: several times what was measured. */
const NOTIFY_NS = 2_000;
const LOOK_NS = 1_000;
/** Network and TCP headers with all options, IPv6: what a segment has besides its payload. */
const SEGMENT_HEADERS = 120;

/** Linux's largest skb: MAX_SKB_FRAGS 17, its linear part, and the virtio-net header apart. */
const DESCRIPTORS_MAX = 20;
/** 65,550 bytes and their header in buffers of 1,536 bytes are 43, and one may be partly used. */
const SEGMENTABLE_DESCRIPTORS_MAX = 64;
const MTU = 1500;

export function mtuOf(device: NetDeviceConfig): number {
  return device.mtu ?? MTU;
}

export function descriptorsMaxOf(device: NetDeviceConfig): number {
  return Math.min(device.descriptorsMax ?? DESCRIPTORS_MAX, device.queueSize);
}

/**
 * A sender of packets of 64 KiB fills many buffers of a receiver that takes them whole: Linux
 * supplies 1,536 bytes each.
 */
export function receiveDescriptorsMaxOf(route: RouteConfig, sender: NetDeviceConfig): number {
  const usual = segments(sender) ? SEGMENTABLE_DESCRIPTORS_MAX : DESCRIPTORS_MAX;
  return route.receiveDescriptorsMax ?? usual;
}

export function controlCommandNs(costs: CostsConfig): Nanoseconds {
  return costs.controlCommandNs ?? CONTROL_COMMAND_NS;
}

function netControlNs(costs: CostsConfig): Nanoseconds {
  return costs.netControlNs ?? NET_CONTROL_NS;
}

/** One piece of a gpu command moves at most so many bytes, in at most so many runs. */
export const GPU_PIECE_BYTES = 32 * KIB;
export const GPU_PIECE_RUNS = 128;
/** As many as an EDID can say. */
const PLANE_ROWS_MAX = 4096;
/** Commands of virtio-gpu with a list of entries are spread over many pages by Linux. */
const GPU_DESCRIPTORS_MAX = 128;
const GPU_TRANSFER = { baseNs: 10_000, perKibNs: 500, perDescriptorNs: 50 } as const;
const GPU_COMPOSE = { baseNs: 5_000, perKibNs: 500 } as const;

export function gpuDescriptorsMaxOf(device: GpuDeviceConfig): number {
  return device.descriptorsMax ?? GPU_DESCRIPTORS_MAX;
}

/** Worst case of one piece of a gpu command; the first one walks the chain. */
function gpuPieceCostNs(costs: CostsConfig, device: GpuDeviceConfig): Nanoseconds {
  const { baseNs, perKibNs, perDescriptorNs } = costs.gpuTransfer ?? GPU_TRANSFER;
  const runs = gpuDescriptorsMaxOf(device) + GPU_PIECE_RUNS;
  return Math.ceil(baseNs + perKibNs * (GPU_PIECE_BYTES / KIB) + perDescriptorNs * runs);
}

/** Pieces of a flush of so many bytes: a row is a run, and no plane has more than so many rows. */
function gpuPiecesOf(bytes: number): number {
  return Math.ceil(bytes / GPU_PIECE_BYTES) + Math.ceil(PLANE_ROWS_MAX / GPU_PIECE_RUNS);
}

/** Worst case of one band of a composition. */
export function composeCostNs(costs: CostsConfig): Nanoseconds {
  const { baseNs, perKibNs } = costs.gpuCompose ?? GPU_COMPOSE;
  return Math.ceil(baseNs + perKibNs * (GPU_PIECE_BYTES / KIB));
}

export function notifyNs(costs: CostsConfig): Nanoseconds {
  return costs.notifyNs ?? NOTIFY_NS;
}

export function lookNs(costs: CostsConfig): Nanoseconds {
  return costs.lookNs ?? LOOK_NS;
}

function offers(device: NetDeviceConfig, ...names: string[]): boolean {
  return names.some((name) => device.features.offer.includes(name));
}

/** Whether its driver may send packets for the device to cut. */
function segments(device: NetDeviceConfig): boolean {
  return offers(device, 'VIRTIO_NET_F_HOST_TSO4', 'VIRTIO_NET_F_HOST_TSO6');
}

/** Largest packet without offloads: MTU, Ethernet header and one VLAN tag, in bytes. */
export function plainPacketBytesMax(device: NetDeviceConfig): number {
  return mtuOf(device) + Ethernet.HEADER + Ethernet.TAG;
}

/** Largest packet the device admits from its driver, in bytes without the virtio-net header. */
export function packetBytesMax(device: NetDeviceConfig): number {
  const plain = plainPacketBytesMax(device);
  return segments(device) ? Math.max(plain, IP_PACKET_MAX + Ethernet.HEADER + Ethernet.TAG) : plain;
}

/**
 * Pieces of a packet of so many bytes: it is taken whole, or taken and then cut into segments that
 * fill the sender's MTU as far as headers of the longest kind leave room.
 */
export function piecesOf(device: DeviceConfig, bytes: number): number {
  if (device.type === 'virtio-gpu') return gpuPiecesOf(bytes);
  if (bytes <= plainPacketBytesMax(device)) return 1;
  const payload = Math.max(1, mtuOf(device) - SEGMENT_HEADERS);
  return 1 + Math.ceil(bytes / payload);
}

/**
 * Worst case of one request of a transmitq: walk, then one copy (and where offered one checksum)
 * for every route that leaves the device, because a multicast packet takes them all.
 */
function transmitCostNs(
  costs: CostsConfig,
  device: NetDeviceConfig,
  routes: readonly RouteConfig[],
): Nanoseconds {
  const { baseNs, perKibNs, perDescriptorNs } = costs.netForward;
  const kib = Math.ceil(packetBytesMax(device) / KIB);
  const checksum =
    offers(device, 'VIRTIO_NET_F_CSUM') && costs.netChecksum
      ? costs.netChecksum.baseNs + costs.netChecksum.perKibNs * kib
      : 0;
  const copies = routes.reduce(
    (sum, route) => sum + perKibNs * kib + perDescriptorNs * receiveDescriptorsMaxOf(route, device),
    0,
  );
  return Math.ceil(baseNs + perDescriptorNs * descriptorsMaxOf(device) + copies + checksum);
}

/** Longest time one request, or one piece of a long one, may take. */
export function requestCostNs(
  costs: CostsConfig,
  device: DeviceConfig,
  role: QueueRole,
  routes: readonly RouteConfig[],
): Nanoseconds {
  if (device.type === 'virtio-gpu') return gpuPieceCostNs(costs, device);
  if (role === 'control') return netControlNs(costs);
  return role === 'transmit' ? transmitCostNs(costs, device, routes) : 0;
}
