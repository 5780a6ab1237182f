/** Honest commands of every class that this gateway carries out (VIRTIO 5.1.9.5), and how to see their effect. */
import { networkOf } from './network.ts';
import type { CommandScenario } from './fetch-scenarios.ts';
import { cutAt } from './ring-layouts.ts';
import type { Rig } from './rig.ts';

const le16 = (value: number) => [value & 0xff, value >> 8];
const le32 = (value: number) => [...le16(value & 0xffff), ...le16(value >>> 16)];

const UNICAST = [0x02, 0, 0, 0, 0, 0x11];
const MULTICAST = [0x33, 0x33, 0, 0, 0, 0x22];
const TABLE = [1, 0, ...le32(1), ...UNICAST, ...le32(1), ...MULTICAST];

function accepts(rig: Rig, [a, b, c, d, e, f]: readonly number[], vlan = -1): boolean {
  const low = a! | (b! << 8) | (c! << 16) | (d! << 24);
  return networkOf(rig.plane).filter.accepts(low, e! | (f! << 8), vlan);
}

/** All that commands can change in the device of a. */
export function deviceState(rig: Rig): unknown {
  const { filter, receivePairs, guestChecksum, guestTso4, guestTso6 } = networkOf(rig.plane);
  const { promiscuous, allMulticast, allUnicast, noMulticast, noUnicast, noBroadcast } = filter;
  return {
    promiscuous,
    allMulticast,
    allUnicast,
    noMulticast,
    noUnicast,
    noBroadcast,
    receivePairs,
    guestChecksum,
    guestTso4,
    guestTso6,
    unicast: accepts(rig, UNICAST),
    multicast: accepts(rig, MULTICAST),
    vlans: Array.from({ length: 16 }, (_, id) => accepts(rig, rig.guest('a').mac, id)),
  };
}

const CTRL_RX = ['VIRTIO_NET_F_CTRL_RX'];

export const NET_COMMANDS: readonly CommandScenario[] = [
  { title: 'a receive mode command', features: CTRL_RX, command: [0, 1, 1] },
  { title: 'a MAC table', features: CTRL_RX, command: TABLE },
  {
    title: 'a MAC table in four descriptors',
    features: CTRL_RX,
    command: TABLE,
    layout: cutAt([1, 5, 10]),
  },
  {
    title: 'a MAC table with its first bytes in single descriptors',
    features: CTRL_RX,
    command: TABLE,
    layout: cutAt(new Array<number>(10).fill(1)),
  },
  { title: 'a VLAN command', features: ['VIRTIO_NET_F_CTRL_VLAN'], command: [2, 0, ...le16(9)] },
  {
    title: 'an announcement',
    features: ['VIRTIO_NET_F_GUEST_ANNOUNCE', 'VIRTIO_NET_F_STATUS'],
    command: [3, 0],
  },
  {
    title: 'a queue pair command',
    features: ['VIRTIO_NET_F_MQ'],
    command: [4, 0, ...le16(2)],
    device: { queuePairs: 2 },
  },
  {
    title: 'an offload command',
    features: ['VIRTIO_NET_F_CTRL_GUEST_OFFLOADS', 'VIRTIO_NET_F_GUEST_CSUM'],
    command: [5, 0, ...le32(0), ...le32(0)],
  },
];
