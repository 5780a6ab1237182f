/**
 * Every VIRTIO 1.4 feature bit the project knows, with what it depends on: the one table of them.
 */
import type { DeviceType } from './virtio.ts';

export interface Feature {
  readonly name: string;
  readonly bit: number;
  /**
   * A second name in use for the same bit: VIRTIO 1.4's own where the headers everybody writes
   * differ.
   */
  readonly alias?: string;
  /** 'ring' = bits of section 6, valid for every device type. */
  readonly device: DeviceType | 'ring';
  /** Whether this gateway implements it and may offer it. */
  readonly supported: boolean;
  /** All of these must be in a set that has this feature. */
  readonly requires?: readonly string[];
  /** At least one of these must be in a set that has this feature. */
  readonly requiresAny?: readonly string[];
}

const CTRL_VQ = ['VIRTIO_NET_F_CTRL_VQ'] as const;
const CSUM = ['VIRTIO_NET_F_CSUM'] as const;
const GUEST_CSUM = ['VIRTIO_NET_F_GUEST_CSUM'] as const;

const ring = (name: string, bit: number, supported: boolean): Feature => ({
  name,
  bit,
  device: 'ring',
  supported,
});
const net = (
  name: string,
  bit: number,
  supported: boolean,
  requires?: readonly string[],
): Feature => ({
  name: `VIRTIO_NET_F_${name}`,
  bit,
  device: 'virtio-net',
  supported,
  ...(requires && { requires }),
});
const gpu = (
  name: string,
  bit: number,
  supported: boolean,
  requires?: readonly string[],
): Feature => ({
  name: `VIRTIO_GPU_F_${name}`,
  bit,
  device: 'virtio-gpu',
  supported,
  ...(requires && { requires }),
});

/** Section 6 and 2.7; 5.1.3 with 5.1.3.1; 5.7.3. */
export const FEATURES: readonly Feature[] = [
  { ...ring('VIRTIO_RING_F_INDIRECT_DESC', 28, true), alias: 'VIRTIO_F_INDIRECT_DESC' },
  { ...ring('VIRTIO_RING_F_EVENT_IDX', 29, true), alias: 'VIRTIO_F_EVENT_IDX' },
  ring('VIRTIO_F_VERSION_1', 32, true),
  ring('VIRTIO_F_ACCESS_PLATFORM', 33, false),
  ring('VIRTIO_F_RING_PACKED', 34, true),
  ring('VIRTIO_F_IN_ORDER', 35, true),
  ring('VIRTIO_F_ORDER_PLATFORM', 36, false),
  ring('VIRTIO_F_SR_IOV', 37, false),
  ring('VIRTIO_F_NOTIFICATION_DATA', 38, false),
  ring('VIRTIO_F_NOTIF_CONFIG_DATA', 39, false),
  ring('VIRTIO_F_RING_RESET', 40, true),
  ring('VIRTIO_F_ADMIN_VQ', 41, false),
  ring('VIRTIO_F_SUSPEND', 43, false),

  net('CSUM', 0, true),
  net('GUEST_CSUM', 1, true),
  net('CTRL_GUEST_OFFLOADS', 2, true, CTRL_VQ),
  net('MTU', 3, true),
  net('MAC', 5, true),
  net('GUEST_TSO4', 7, true, GUEST_CSUM),
  net('GUEST_TSO6', 8, true, GUEST_CSUM),
  {
    ...net('GUEST_ECN', 9, false),
    requiresAny: ['VIRTIO_NET_F_GUEST_TSO4', 'VIRTIO_NET_F_GUEST_TSO6'],
  },
  net('GUEST_UFO', 10, false, GUEST_CSUM),
  net('HOST_TSO4', 11, true, CSUM),
  net('HOST_TSO6', 12, true, CSUM),
  {
    ...net('HOST_ECN', 13, false),
    requiresAny: ['VIRTIO_NET_F_HOST_TSO4', 'VIRTIO_NET_F_HOST_TSO6'],
  },
  net('HOST_UFO', 14, false, CSUM),
  net('MRG_RXBUF', 15, true),
  net('STATUS', 16, true),
  net('CTRL_VQ', 17, true),
  net('CTRL_RX', 18, true, CTRL_VQ),
  net('CTRL_VLAN', 19, true, CTRL_VQ),
  net('CTRL_RX_EXTRA', 20, true, CTRL_VQ),
  net('GUEST_ANNOUNCE', 21, true, CTRL_VQ),
  net('MQ', 22, true, CTRL_VQ),
  net('CTRL_MAC_ADDR', 23, false, CTRL_VQ),
  net('DEVICE_STATS', 50, false, CTRL_VQ),
  {
    ...net('HASH_TUNNEL', 51, false, CTRL_VQ),
    requiresAny: ['VIRTIO_NET_F_RSS', 'VIRTIO_NET_F_HASH_REPORT'],
  },
  net('VQ_NOTF_COAL', 52, false, CTRL_VQ),
  net('NOTF_COAL', 53, false, CTRL_VQ),
  net('GUEST_USO4', 54, false, GUEST_CSUM),
  net('GUEST_USO6', 55, false, GUEST_CSUM),
  net('HOST_USO', 56, false, CSUM),
  net('HASH_REPORT', 57, false),
  net('GUEST_HDRLEN', 59, false),
  net('RSS', 60, false, CTRL_VQ),
  {
    ...net('RSC_EXT', 61, false),
    requiresAny: ['VIRTIO_NET_F_HOST_TSO4', 'VIRTIO_NET_F_HOST_TSO6'],
  },
  net('STANDBY', 62, false),
  net('SPEED_DUPLEX', 63, true),
  // From 64 on a bit fits neither vhost-user's u64 nor the two words below: known, never offered.
  net('RSS_CONTEXT', 64, false, [...CTRL_VQ, 'VIRTIO_NET_F_RSS']),
  net('GUEST_UDP_TUNNEL_GSO', 65, false, [
    'VIRTIO_NET_F_GUEST_TSO4',
    'VIRTIO_NET_F_GUEST_TSO6',
    'VIRTIO_NET_F_GUEST_USO4',
    'VIRTIO_NET_F_GUEST_USO6',
  ]),
  net('GUEST_UDP_TUNNEL_GSO_CSUM', 66, false, ['VIRTIO_NET_F_GUEST_UDP_TUNNEL_GSO']),
  net('HOST_UDP_TUNNEL_GSO', 67, false, [
    'VIRTIO_NET_F_HOST_TSO4',
    'VIRTIO_NET_F_HOST_TSO6',
    'VIRTIO_NET_F_HOST_USO',
  ]),
  net('HOST_UDP_TUNNEL_GSO_CSUM', 68, false, ['VIRTIO_NET_F_HOST_UDP_TUNNEL_GSO']),
  net('OUT_NET_HEADER', 69, false),
  net('IPSEC', 70, false),

  gpu('VIRGL', 0, false),
  gpu('EDID', 1, true),
  gpu('RESOURCE_UUID', 2, true),
  gpu('RESOURCE_BLOB', 3, true),
  gpu('CONTEXT_INIT', 4, false, ['VIRTIO_GPU_F_VIRGL']),
  gpu('BLOB_ALIGNMENT', 5, false, ['VIRTIO_GPU_F_RESOURCE_BLOB']),
];

/** The features that a device of this type can have: its own and those of every virtqueue. */
export function featuresOf(device: DeviceType): readonly Feature[] {
  return FEATURES.filter((feature) => feature.device === device || feature.device === 'ring');
}

/** A set of feature bits as two 32-bit words, for bits 0-31 and 32-63. */
export interface FeatureBits {
  readonly low: number;
  readonly high: number;
}

export function bitsOf(device: DeviceType, names: Iterable<string>): FeatureBits {
  const wanted = new Set(names);
  let low = 0;
  let high = 0;
  for (const feature of featuresOf(device)) {
    if (feature.bit > 63) continue;
    if (!wanted.has(feature.name) && !(feature.alias && wanted.has(feature.alias))) continue;
    if (feature.bit < 32) low = (low | (1 << feature.bit)) >>> 0;
    else high = (high | (1 << (feature.bit - 32))) >>> 0;
  }
  return { low, high };
}

export function hasBit(bits: FeatureBits, bit: number): boolean {
  if (bit < 0 || bit > 63) return false;
  return (bit < 32 ? (bits.low >>> bit) & 1 : (bits.high >>> (bit - 32)) & 1) === 1;
}

/**
 * The names of the bits that are set, in table order; bits the table does not know are left out.
 */
export function namesOf(device: DeviceType, bits: FeatureBits): string[] {
  return featuresOf(device)
    .filter((feature) => hasBit(bits, feature.bit))
    .map((feature) => feature.name);
}

/** Bit number of a feature of this device type. */
export function bitOf(device: DeviceType, name: string): number {
  return (
    featuresOf(device).find((feature) => feature.name === name || feature.alias === name)?.bit ?? -1
  );
}
