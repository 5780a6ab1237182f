/** TCP and UDP over IPv4 and IPv6 for tests, built and judged by RFC 1071, 768, 791, 8200, 9293 alone. */

export const TCP = 6;
export const UDP = 17;
export const TcpFlag = { FIN: 1, SYN: 2, PSH: 8, ACK: 16, CWR: 0x80 } as const;

export interface PacketShape {
  /** Destination and source address, 12 bytes. */
  readonly macs: readonly number[];
  readonly version: 4 | 6;
  readonly protocol: typeof TCP | typeof UDP;
  readonly payload: readonly number[];
  readonly flags?: number;
  readonly sequence?: number;
  readonly id?: number;
  /** Option bytes, multiples of four. */
  readonly ipOptions?: readonly number[];
  readonly tcpOptions?: readonly number[];
}

/** A packet whose transport checksum holds the pseudo-header sum only, as NEEDS_CSUM asks for. */
export interface UnfinishedPacket {
  readonly bytes: number[];
  readonly checksumStart: number;
  readonly checksumOffset: number;
  readonly headerLength: number;
}

export const be16 = (value: number): number[] => [(value >>> 8) & 0xff, value & 0xff];
const be32 = (value: number): number[] => [...be16(value >>> 16), ...be16(value & 0xffff)];

export function word16(bytes: readonly number[], at: number): number {
  return bytes[at]! * 256 + bytes[at + 1]!;
}

export function word32(bytes: readonly number[], at: number): number {
  return word16(bytes, at) * 65536 + word16(bytes, at + 2);
}

/** Ones' complement sum of big-endian 16-bit words; an odd byte counts as the upper half of a word. */
export function onesComplementSum(bytes: readonly number[]): number {
  let sum = 0;
  for (let n = 0; n < bytes.length; n += 2) {
    sum += bytes[n]! * 256 + (bytes[n + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

const ADDRESSES = {
  4: [10, 1, 0, 1, 10, 1, 0, 2],
  6: Array.from({ length: 32 }, (_, n) => (n * 29 + 3) & 0xff),
};

function pseudoHeader(
  version: 4 | 6,
  addresses: readonly number[],
  protocol: number,
  bytes: number,
): number[] {
  const rest = version === 4 ? [0, protocol, ...be16(bytes)] : [...be32(bytes), 0, 0, 0, protocol];
  return [...addresses, ...rest];
}

function ipHeader(shape: PacketShape, transportBytes: number): number[] {
  const { version, protocol, id = 0x1234, ipOptions = [] } = shape;
  if (version === 6) return [0x60, 0, 0, 0, ...be16(transportBytes), protocol, 64, ...ADDRESSES[6]];
  const words = 5 + ipOptions.length / 4;
  const header = [
    0x40 | words,
    0,
    ...be16(4 * words + transportBytes),
    ...be16(id),
    0x40,
    0,
    64,
    protocol,
    0,
    0,
    ...ADDRESSES[4],
    ...ipOptions,
  ];
  const checksum = 0xffff - onesComplementSum(header);
  return [...header.slice(0, 10), ...be16(checksum), ...header.slice(12)];
}

function transportHeader(shape: PacketShape): number[] {
  const { protocol, payload, flags = TcpFlag.ACK, sequence = 1, tcpOptions = [] } = shape;
  if (protocol === UDP) return [...be16(4000), ...be16(4001), ...be16(8 + payload.length), 0, 0];
  const words = 5 + tcpOptions.length / 4;
  const numbers = [...be32(sequence), ...be32(77)];
  const window = be16(512);
  return [
    ...be16(80),
    ...be16(40000),
    ...numbers,
    words << 4,
    flags,
    ...window,
    0,
    0,
    0,
    0,
    ...tcpOptions,
  ];
}

export function checksumOffsetOf(protocol: number): number {
  return protocol === UDP ? 6 : 16;
}

export function unfinished(shape: PacketShape): UnfinishedPacket {
  const { version, protocol, macs, payload } = shape;
  const transport = transportHeader(shape);
  const length = transport.length + payload.length;
  const head = [...macs, ...be16(version === 4 ? 0x0800 : 0x86dd), ...ipHeader(shape, length)];
  const offset = checksumOffsetOf(protocol);
  const pseudo = onesComplementSum(pseudoHeader(version, ADDRESSES[version], protocol, length));
  transport.splice(offset, 2, ...be16(pseudo));
  return {
    bytes: [...head, ...transport, ...payload],
    checksumStart: head.length,
    checksumOffset: offset,
    headerLength: head.length + transport.length,
  };
}

/** What a host reads in an untagged packet of TCP or UDP. */
export interface Dissected {
  readonly version: 4 | 6;
  readonly ip: number[];
  readonly transport: number[];
  /** Behind the TCP or UDP header. */
  readonly payload: number[];
  /** Length of the IP packet as its header says. */
  readonly saidBytes: number;
  readonly ipChecksumHolds: boolean;
  readonly transportChecksumHolds: boolean;
  readonly checksum: number;
}

export function dissect(packet: readonly number[]): Dissected {
  const ip = packet.slice(14);
  const version = word16(packet, 12) === 0x0800 ? 4 : 6;
  const ipBytes = version === 4 ? (ip[0]! & 15) * 4 : 40;
  const protocol = ip[version === 4 ? 9 : 6]!;
  const addresses = version === 4 ? ip.slice(12, 20) : ip.slice(8, 40);
  const transport = ip.slice(ipBytes);
  const headerBytes = protocol === UDP ? 8 : (transport[12]! >>> 4) * 4;
  const covered = [...pseudoHeader(version, addresses, protocol, transport.length), ...transport];
  return {
    version,
    ip,
    transport,
    payload: transport.slice(headerBytes),
    saidBytes: version === 4 ? word16(ip, 2) : 40 + word16(ip, 4),
    ipChecksumHolds: version === 6 || onesComplementSum(ip.slice(0, ipBytes)) === 0xffff,
    transportChecksumHolds: onesComplementSum(covered) === 0xffff,
    checksum: word16(transport, checksumOffsetOf(protocol)),
  };
}
