/** Control commands by name: those that a device with every feature carries out, and those it refuses. */
import { NetCtrl } from '../../src/wire/virtio-net.ts';
import { le16, le32 } from './net-guest.ts';

export const GUEST_CSUM = 1 << 1;
export const GUEST_TSO4 = 1 << 7;
export const GUEST_TSO6 = 1 << 8;

/** Every feature that admits commands, by its short name. */
export const EVERY_COMMAND = [
  'CTRL_VQ',
  'CTRL_RX',
  'CTRL_RX_EXTRA',
  'CTRL_VLAN',
  'GUEST_ANNOUNCE',
  'MQ',
  'CTRL_GUEST_OFFLOADS',
  'GUEST_CSUM',
  'GUEST_TSO4',
  'GUEST_TSO6',
];

/** For how many queue pairs the tables below are written. */
export const COMMAND_PAIRS = 4;

const entries = (count: number, first = 2) =>
  Array.from({ length: count }, (_, n) => [first, 0, 0, 0, n >>> 8, n & 0xff]).flat();
const macCommand = (...data: number[]): number[] => [NetCtrl.MAC, NetCtrl.MAC_TABLE_SET, ...data];
/** So many unicast and multicast entries, and bytes behind them. */
export const macTable = (unicast: number, multicast: number, extra: number[] = []): number[] =>
  macCommand(
    ...le32(unicast),
    ...entries(unicast),
    ...le32(multicast),
    ...entries(multicast, 3),
    ...extra,
  );
export const offloads = (low: number, high = 0): number[] => [
  NetCtrl.GUEST_OFFLOADS,
  NetCtrl.GUEST_OFFLOADS_SET,
  ...le32(low),
  ...le32(high),
];

export const ACCEPTED: [string, number[]][] = [
  ['promiscuous on', [NetCtrl.RX, NetCtrl.RX_PROMISC, 1]],
  ['promiscuous off', [NetCtrl.RX, NetCtrl.RX_PROMISC, 0]],
  ['the last receive mode', [NetCtrl.RX, NetCtrl.RX_NOBCAST, 1]],
  ['an empty MAC table', macTable(0, 0)],
  ['a full MAC table', macTable(64, 64)],
  ['VLAN 0', [NetCtrl.VLAN, NetCtrl.VLAN_ADD, ...le16(0)]],
  ['VLAN 4095', [NetCtrl.VLAN, NetCtrl.VLAN_ADD, ...le16(4095)]],
  ['removal of a VLAN that is not there', [NetCtrl.VLAN, NetCtrl.VLAN_DEL, ...le16(9)]],
  ['acknowledgement of an announcement', [NetCtrl.ANNOUNCE, NetCtrl.ANNOUNCE_ACK]],
  ['one pair', [NetCtrl.MQ, NetCtrl.MQ_VQ_PAIRS_SET, ...le16(1)]],
  ['all pairs', [NetCtrl.MQ, NetCtrl.MQ_VQ_PAIRS_SET, ...le16(4)]],
  ['no offloads', offloads(0)],
  ['all offloads', offloads(GUEST_CSUM | GUEST_TSO4 | GUEST_TSO6)],
];

export const REFUSED: [string, number[]][] = [
  ['a class that does not exist', [6, 0, 1]],
  ['the last class number', [255, 0, 1]],
  ['a receive mode that does not exist', [NetCtrl.RX, 6, 1]],
  ['the last command number', [NetCtrl.RX, 255, 1]],
  ['a receive mode without its value', [NetCtrl.RX, NetCtrl.RX_PROMISC]],
  ['a receive mode with a byte too many', [NetCtrl.RX, NetCtrl.RX_PROMISC, 1, 0]],
  ['a receive mode of 2', [NetCtrl.RX, NetCtrl.RX_PROMISC, 2]],
  ['a receive mode of 255', [NetCtrl.RX, NetCtrl.RX_PROMISC, 255]],
  [
    'setting the address, which was not negotiated',
    [NetCtrl.MAC, NetCtrl.MAC_ADDR_SET, 2, 0, 0, 0, 0, 9],
  ],
  ['a MAC table without its counts', macCommand()],
  ['a MAC table with half a count', macCommand(...le32(0), 0, 0)],
  ['a MAC table without its second count', macCommand(...le32(1), ...entries(1))],
  ['a MAC table that ends inside an entry', macTable(1, 1).slice(0, -1)],
  ['a MAC table with a byte too many', macTable(1, 1, [0])],
  ['a MAC table with an entry too many', macTable(1, 1, entries(1))],
  ['a first count beyond the command', macCommand(...le32(2), ...entries(1), ...le32(0))],
  ['a second count beyond the command', macCommand(...le32(0), ...le32(2), ...entries(1))],
  ['65 unicast addresses', macTable(65, 0)],
  ['65 multicast addresses', macTable(0, 65)],
  ['65,536 unicast addresses', macCommand(...le32(0x10000), ...le32(0))],
  ['65,536 multicast addresses', macCommand(...le32(0), ...le32(0x10000))],
  ['2^32 - 1 unicast addresses', macCommand(...le32(0xffffffff), ...le32(0))],
  ['2^32 - 1 multicast addresses', macCommand(...le32(0), ...le32(0xffffffff))],
  ['a first count that wraps around 2^32', macCommand(...le32(0x2aaaaaab), ...le32(0))],
  ['VLAN 4096', [NetCtrl.VLAN, NetCtrl.VLAN_ADD, ...le16(4096)]],
  ['VLAN 65535', [NetCtrl.VLAN, NetCtrl.VLAN_DEL, ...le16(65535)]],
  ['half a VLAN', [NetCtrl.VLAN, NetCtrl.VLAN_ADD, 1]],
  ['a VLAN and a byte', [NetCtrl.VLAN, NetCtrl.VLAN_ADD, 1, 0, 0]],
  ['a VLAN command that does not exist', [NetCtrl.VLAN, 2, 1, 0]],
  ['an announcement command that does not exist', [NetCtrl.ANNOUNCE, 1]],
  ['an acknowledgement with data', [NetCtrl.ANNOUNCE, NetCtrl.ANNOUNCE_ACK, 0]],
  ['no pairs', [NetCtrl.MQ, NetCtrl.MQ_VQ_PAIRS_SET, ...le16(0)]],
  ['a pair too many', [NetCtrl.MQ, NetCtrl.MQ_VQ_PAIRS_SET, ...le16(5)]],
  ['0x8000 pairs', [NetCtrl.MQ, NetCtrl.MQ_VQ_PAIRS_SET, ...le16(0x8000)]],
  ['0xffff pairs', [NetCtrl.MQ, NetCtrl.MQ_VQ_PAIRS_SET, ...le16(0xffff)]],
  ['steering by hash, which was not negotiated', [NetCtrl.MQ, 1, ...le16(1)]],
  ['half a number of pairs', [NetCtrl.MQ, NetCtrl.MQ_VQ_PAIRS_SET, 1]],
  ['pairs and a byte', [NetCtrl.MQ, NetCtrl.MQ_VQ_PAIRS_SET, 1, 0, 0]],
  ['an offload that is not one of the driver’s', offloads(1 << 10)],
  ['an offload of the other direction', offloads(1)],
  ['segmentation without checksums', offloads(GUEST_TSO4)],
  ['offloads in the upper half', offloads(GUEST_CSUM, 1)],
  ['offloads of seven bytes', offloads(0).slice(0, -1)],
  ['offloads of nine bytes', [...offloads(0), 0]],
  ['an offload command that does not exist', [NetCtrl.GUEST_OFFLOADS, 1, ...le32(0), ...le32(0)]],
];
