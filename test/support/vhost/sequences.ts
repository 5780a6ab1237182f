/** How real front-ends bring a network device up and down, message by message: QEMU, DPDK virtio-user, UML. */
import { UnixSocket } from '../../../src/host/unix-socket.ts';
import type { FrontEnd } from './front-end.ts';
import {
  configAccess,
  HeaderFlag,
  PROTOCOL_FEATURES,
  ProtocolBit,
  Request,
  u32,
  u64,
} from './message.ts';
import type { DeviceGuest } from './device-guest.ts';
import type { NetGuest } from './net-guest.ts';

/** Device status bits. */
export const FEATURES_OK = 8;
export const DRIVER_OK = 4;
export const DRIVER = 3;
/** What each front-end knows of the protocol features. */
const QEMU_KNOWS = 0xbbfffn & ~(1n << BigInt(ProtocolBit.INBAND_NOTIFICATIONS));
export const DPDK_KNOWS =
  (1n << BigInt(ProtocolBit.MQ)) |
  (1n << BigInt(ProtocolBit.REPLY_ACK)) |
  (1n << BigInt(ProtocolBit.STATUS));
const UML_KNOWS =
  (1n << BigInt(ProtocolBit.REPLY_ACK)) |
  (1n << BigInt(ProtocolBit.BACKEND_REQ)) |
  (1n << BigInt(ProtocolBit.CONFIG));

export type Client = 'qemu' | 'dpdk' | 'uml';
export const CLIENTS: readonly Client[] = ['qemu', 'dpdk', 'uml'];

/** Asks for the protocol features and takes those that are known. */
export async function negotiateProtocol(frontEnd: FrontEnd, known: bigint): Promise<void> {
  frontEnd.protocolOffered = await frontEnd.getU64(Request.GET_PROTOCOL_FEATURES);
  const taken = frontEnd.protocolOffered & known;
  await frontEnd.tell(Request.SET_PROTOCOL_FEATURES, u64(taken));
  frontEnd.protocolFeatures = taken;
}

/** Features that are offered and wanted, besides the protocol features' own bit. */
async function tellFeatures({ frontEnd, wanted }: NetGuest): Promise<void> {
  frontEnd.features = (frontEnd.offered & wanted) | PROTOCOL_FEATURES;
  await frontEnd.tell(Request.SET_FEATURES, u64(frontEnd.features));
}

async function readOffer(frontEnd: FrontEnd): Promise<void> {
  frontEnd.offered = await frontEnd.getU64(Request.GET_FEATURES);
}

export async function addStatus(frontEnd: FrontEnd, bits: number): Promise<void> {
  if (!frontEnd.has(ProtocolBit.STATUS)) return;
  const status = await frontEnd.getU64(Request.GET_STATUS);
  await frontEnd.tell(Request.SET_STATUS, u64(status | BigInt(bits)));
}

/** The channel for requests of the back-end: the front-end keeps one end. */
export async function giveChannel(guest: DeviceGuest): Promise<void> {
  if (!guest.frontEnd.has(ProtocolBit.BACKEND_REQ)) return;
  const [own, theirs] = UnixSocket.pair();
  guest.channel = guest.keep(own);
  await guest.frontEnd.set(Request.SET_BACKEND_REQ_FD, Buffer.alloc(0), [theirs.descriptor]);
  theirs.close();
}

/** What QEMU does for a device of any type before its guest runs. */
export async function qemuAttach(guest: DeviceGuest): Promise<void> {
  const { frontEnd } = guest;
  await readOffer(frontEnd);
  await negotiateProtocol(frontEnd, QEMU_KNOWS);
  if (frontEnd.has(ProtocolBit.MQ)) await frontEnd.getU64(Request.GET_QUEUE_NUM);
  if (frontEnd.has(ProtocolBit.CONFIGURE_MEM_SLOTS))
    await frontEnd.getU64(Request.GET_MAX_MEM_SLOTS);
  await giveChannel(guest);
  await frontEnd.tell(Request.SET_OWNER);
  await readOffer(frontEnd);
  for (const { index, call, error } of guest.rings) {
    await frontEnd.tell(Request.SET_VRING_CALL, u64(index), [call]);
    await frontEnd.tell(Request.SET_VRING_ERR, u64(index), [error]);
  }
}

/** The same for a network device, whose rings QEMU enables at once. */
export async function qemuConnect(guest: NetGuest): Promise<void> {
  await qemuAttach(guest);
  for (const { index } of guest.rings) await guest.enable(index);
}

/** Memory as QEMU gives it: region by region where the back-end has slots, else as a table. */
export async function giveMemory(guest: DeviceGuest): Promise<void> {
  const { frontEnd, ram, hasSlots } = guest;
  if (!frontEnd.has(ProtocolBit.CONFIGURE_MEM_SLOTS))
    return frontEnd.set(Request.SET_MEM_TABLE, ram.table, ram.descriptors);
  // Regions that the back-end has already are not sent again.
  if (hasSlots) return;
  for (const payload of ram.single)
    await frontEnd.set(Request.ADD_MEM_REG, payload, [ram.descriptor]);
  guest.hasSlots = true;
}

/** The guest's driver is ready: pairs are enabled first, then features, memory and rings. */
export async function qemuStart(guest: NetGuest, bases: readonly number[] = []): Promise<void> {
  const { frontEnd } = guest;
  for (const { index } of guest.rings) await guest.enable(index);
  await tellFeatures(guest);
  await addStatus(frontEnd, FEATURES_OK);
  await giveMemory(guest);
  for (const { index } of guest.rings) await guest.startRing(index, bases[index] ?? 0);
  await addStatus(frontEnd, DRIVER | DRIVER_OK);
}

/** The indices of all rings, which stop. QEMU 7.2 resets the status before, QEMU 10 behind it. */
export async function qemuStop(guest: NetGuest, version: 7 | 10 = 10): Promise<number[]> {
  const { frontEnd } = guest;
  const reset = async () => {
    if (frontEnd.has(ProtocolBit.STATUS)) await frontEnd.tell(Request.SET_STATUS, u64(0));
  };
  if (version === 7) await reset();
  const bases: number[] = [];
  for (const { index } of guest.rings) bases.push(await frontEnd.base(index));
  if (version === 10) await reset();
  return bases;
}

async function dpdkStart(guest: NetGuest): Promise<void> {
  const { frontEnd, ram } = guest;
  await frontEnd.tell(Request.SET_OWNER);
  await readOffer(frontEnd);
  await negotiateProtocol(frontEnd, DPDK_KNOWS);
  const receiveFirst = guest.rings.toSorted((left, right) => (left.index % 2) - (right.index % 2));
  for (const { index, call } of receiveFirst)
    await frontEnd.tell(Request.SET_VRING_CALL, u64(index), [call]);
  await tellFeatures(guest);
  await addStatus(frontEnd, FEATURES_OK | DRIVER);
  await frontEnd.set(Request.SET_MEM_TABLE, ram.table, ram.descriptors);
  for (const { index, double, kick } of receiveFirst) {
    await frontEnd.tell(Request.SET_VRING_NUM, u32(index, double.size));
    await frontEnd.tell(Request.SET_VRING_BASE, u32(index, 0));
    await frontEnd.tell(Request.SET_VRING_ADDR, guest.addresses(index));
    await frontEnd.tell(Request.SET_VRING_KICK, u64(index), [kick]);
  }
  for (const { index } of guest.rings.slice(0, 2))
    await frontEnd.tell(Request.SET_VRING_ENABLE, u32(index, 1));
  await addStatus(frontEnd, DRIVER_OK);
}

async function dpdkStop({ frontEnd, rings }: NetGuest): Promise<number[]> {
  for (const { index } of rings) await frontEnd.tell(Request.SET_VRING_ENABLE, u32(index, 0));
  const bases: number[] = [];
  for (const { index } of rings) bases.push(await frontEnd.base(index));
  return bases;
}

/** UML reads the configuration from its beginning to behind the field it wants. */
async function umlReadConfig(frontEnd: FrontEnd): Promise<void> {
  if (!frontEnd.has(ProtocolBit.CONFIG)) return;
  const flags = HeaderFlag.VERSION | HeaderFlag.NEED_REPLY;
  for (let size = 1; size <= 6; size++)
    await frontEnd.get(Request.GET_CONFIG, configAccess(0, size), flags);
}

async function umlStart(guest: NetGuest): Promise<void> {
  const { frontEnd } = guest;
  await frontEnd.tell(Request.SET_OWNER);
  await readOffer(frontEnd);
  await negotiateProtocol(frontEnd, UML_KNOWS);
  await giveChannel(guest);
  await umlDriverStart(guest);
}

/** What follows each time the guest loads its driver. */
export async function umlDriverStart(guest: NetGuest): Promise<void> {
  const { frontEnd, ram, rings } = guest;
  frontEnd.features = (frontEnd.offered & guest.wanted) | PROTOCOL_FEATURES;
  await frontEnd.setU64(Request.SET_FEATURES, frontEnd.features);
  await umlReadConfig(frontEnd);
  // The payload has room for two regions, whatever their number.
  const room = Buffer.alloc(8 + 2 * 32);
  ram.table.copy(room);
  await frontEnd.set(Request.SET_MEM_TABLE, room, ram.descriptors);
  for (const { index, double } of rings) {
    await frontEnd.setU64(Request.SET_VRING_CALL, index, [guest.callBySocket(index)]);
    await frontEnd.setState(Request.SET_VRING_NUM, index, double.size);
    await frontEnd.setState(Request.SET_VRING_BASE, index, 0);
    await frontEnd.set(Request.SET_VRING_ADDR, guest.addresses(index));
  }
  for (const { index, kick } of rings) {
    await frontEnd.setU64(Request.SET_VRING_KICK, index, [kick]);
    await guest.enable(index);
  }
}

/** Rings are disabled from the last to the first; none is ever asked for its index. */
export async function umlDriverStop(guest: NetGuest): Promise<void> {
  for (const { index } of guest.rings.toReversed()) await guest.enable(index, 0);
  await readOffer(guest.frontEnd);
}

/** Brings a guest up; QEMU's rings continue at these indices. */
export async function start(
  client: Client,
  guest: NetGuest,
  bases: readonly number[] = [],
): Promise<void> {
  if (client === 'dpdk') return dpdkStart(guest);
  if (client === 'uml') return umlStart(guest);
  await qemuConnect(guest);
  await qemuStart(guest, bases);
}

export async function stop(client: Client, guest: NetGuest): Promise<void> {
  if (client === 'dpdk') await dpdkStop(guest);
  else if (client === 'uml') await umlDriverStop(guest);
  else await qemuStop(guest);
}
