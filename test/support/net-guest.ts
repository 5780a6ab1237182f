/** What a network driver does, for tests: headers, chains in pieces, control commands, and what arrived. */
import { CommandKind, CommandWord, RingFlag } from '../../src/channel/command-channel.ts';
import { VirtqDescFlag } from '../../src/wire/virtqueue.ts';
import { ringFor, type Rig } from './rig.ts';

export const HEADER_BYTES = 12;
const WRITE = VirtqDescFlag.WRITE;

/** struct virtio_net_hdr by name. */
export interface HeaderFields {
  readonly flags: number;
  readonly gsoType: number;
  readonly headerLength: number;
  readonly gsoSize: number;
  readonly checksumStart: number;
  readonly checksumOffset: number;
  readonly buffers: number;
}

const WORDS = ['headerLength', 'gsoSize', 'checksumStart', 'checksumOffset', 'buffers'] as const;

export function netHeader(fields: Partial<HeaderFields> = {}): number[] {
  const words = WORDS.map((name) => fields[name] ?? 0);
  return [
    fields.flags ?? 0,
    fields.gsoType ?? 0,
    ...words.flatMap((word) => [word & 0xff, word >>> 8]),
  ];
}

export function readHeader(bytes: readonly number[]): HeaderFields {
  const word = (n: number) => bytes[2 + 2 * n]! | (bytes[3 + 2 * n]! << 8);
  return {
    flags: bytes[0]!,
    gsoType: bytes[1]!,
    headerLength: word(0),
    gsoSize: word(1),
    checksumStart: word(2),
    checksumOffset: word(3),
    buffers: word(4),
  };
}

/** A feature set by short names; VERSION_1 and MAC are always in it. */
export function features(...names: string[]): string[] {
  return ['VIRTIO_F_VERSION_1', ...['MAC', ...names].map((name) => `VIRTIO_NET_F_${name}`)];
}

export function indexOfQueue(rig: Rig, name: string): number {
  return rig.plan.queues.findIndex((queue) => queue.name === name);
}

function post(rig: Rig, kind: number, target: number, operands: Record<number, number> = {}): void {
  const command = new Int32Array(CommandWord.COUNT);
  command[CommandWord.KIND] = kind;
  command[CommandWord.TARGET] = target;
  for (const [at, value] of Object.entries(operands)) command[Number(at)] = value;
  rig.channel.send(command);
}

/** What a driver's device reset posts: the device and all its rings stop in the next control window. */
export function postReset(rig: Rig, id: string): void {
  const device = rig.plan.devices.find((candidate) => candidate.id === `${id}.net0`)!;
  post(rig, CommandKind.STOP_DEVICE, device.index);
  for (const queue of device.queues) post(rig, CommandKind.STOP_QUEUE, queue);
}

/** What DRIVER_OK posts: the device starts with fresh rings, which replace the guest's. */
export function postStart(rig: Rig, id: string, bits?: { low: number; high: number }): void {
  const device = rig.plan.devices.find((candidate) => candidate.id === `${id}.net0`)!;
  const { low, high } = bits ?? device.offered;
  post(rig, CommandKind.START_DEVICE, device.index, {
    [CommandWord.FEATURES_LOW]: low | 0,
    [CommandWord.FEATURES_HIGH]: high | 0,
  });
  for (const queue of device.queues) postQueueStart(rig, id, queue);
}

/** Starts one ring anew, with fresh memory, in the next control window. */
export function postQueueStart(rig: Rig, id: string, queue: number): void {
  const { role, pair } = rig.plan.queues[queue]!;
  const guest = rig.guest(id);
  const { slice } = guest;
  const rings = role === 'receive' ? guest.receive : guest.transmit;
  const old = (rings[pair] ?? guest.control)!;
  const ring = ringFor(old.packed, slice, old.size);
  if (role === 'control') Object.assign(guest, { control: ring });
  else rings[pair] = ring;
  post(rig, CommandKind.START_QUEUE, queue, {
    [CommandWord.SIZE]: ring.size,
    [CommandWord.DESC]: slice.at(ring.desc) | 0,
    [CommandWord.AVAIL]: slice.at(ring.avail) | 0,
    [CommandWord.USED]: slice.at(ring.used) | 0,
    [CommandWord.FLAGS]: ring.packed ? RingFlag.PACKED : 0,
    [CommandWord.INDEX]: ring.base,
  });
}

/** Bytes as consecutive pieces of these lengths; the last piece takes what is left. */
export function split(bytes: readonly number[], lengths: readonly number[]): number[][] {
  const pieces: number[][] = [];
  let at = 0;
  for (const length of lengths) {
    pieces.push(bytes.slice(at, at + length));
    at += length;
  }
  return at < bytes.length ? [...pieces, bytes.slice(at)] : pieces;
}

/** Sends header and packet as one chain of these pieces, none of them where another one ends. */
export function sendPieces(
  rig: Rig,
  id: string,
  pieces: readonly (readonly number[])[],
  pair = 0,
): number {
  const { slice, transmit } = rig.guest(id);
  return transmit[pair]!.submit(
    pieces.map((piece, n) => {
      const address = slice.allocate(piece.length + 3, 1) + (n % 3);
      slice.write(address, piece);
      return { address, length: piece.length };
    }),
  );
}

/** Supplies one receive buffer made of device-writable pieces of these lengths; their addresses. */
export function supplyPieces(rig: Rig, id: string, lengths: readonly number[], pair = 0): number[] {
  const { slice, receive } = rig.guest(id);
  const addresses = lengths.map((length, n) => slice.allocate(length + 3, 1) + (n % 3));
  receive[pair]!.submit(
    lengths.map((length, n) => ({ address: addresses[n]!, length, flags: WRITE })),
  );
  return addresses;
}

/** One packet as the receiving driver puts it together from its used buffers. */
export interface Arrival {
  readonly header: HeaderFields;
  readonly packet: number[];
  /** Used length of each of its buffers. */
  readonly lengths: number[];
}

export function arrivals(rig: Rig, id: string, pair = 0): Arrival[] {
  const ring = rig.guest(id).receive[pair]!;
  const { usedElements } = ring;
  const found: Arrival[] = [];
  for (let n = 0; n < usedElements.length;) {
    const first = ring.bytesOf(usedElements[n]!.id, usedElements[n]!.length);
    const buffers = first.length < HEADER_BYTES ? 1 : readHeader(first).buffers;
    const parts = usedElements.slice(n, n + buffers);
    const bytes = parts.flatMap((element) => ring.bytesOf(element.id, element.length));
    const lengths = parts.map(({ length }) => length);
    found.push({ header: readHeader(bytes), packet: bytes.slice(HEADER_BYTES), lengths });
    n += Math.max(1, buffers);
  }
  return found;
}

export function packets(rig: Rig, id: string, pair = 0): number[][] {
  return arrivals(rig, id, pair).map((arrival) => arrival.packet);
}

export const ACK_UNTOUCHED = 0xee;

/** Puts a control command into the controlq; where its ack byte will be. */
export function postCommand(rig: Rig, id: string, bytes: readonly number[]): number {
  const { slice, control } = rig.guest(id);
  const commandAt = slice.allocate(Math.max(1, bytes.length));
  const ackAt = slice.allocate(1);
  slice.write(commandAt, bytes);
  slice.write(ackAt, [ACK_UNTOUCHED]);
  control!.submit([
    { address: commandAt, length: bytes.length },
    { address: ackAt, length: 1, flags: WRITE },
  ]);
  return ackAt;
}

/** Runs one control command through one major frame; its ack byte. */
export function command(rig: Rig, id: string, ...bytes: number[]): number {
  const ackAt = postCommand(rig, id, bytes);
  rig.frames();
  return rig.guest(id).slice.read(ackAt, 1)[0]!;
}

export function le16(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff];
}

export function le32(value: number): number[] {
  return [...le16(value), ...le16(value >>> 16)];
}

/** A packet of a guest with an 802.1Q tag, and optionally a second one behind it. */
export function tagged(packet: readonly number[], ...ids: number[]): number[] {
  const tags = ids.flatMap((id) => [0x81, 0x00, id >>> 8, id & 0xff]);
  return [...packet.slice(0, 12), ...tags, ...packet.slice(12)];
}

export function untagged(packet: readonly number[]): number[] {
  return [...packet.slice(0, 12), ...packet.slice(16)];
}
