/**
 * What the gateway does itself when sender and receiver negotiated unlike offloads: complete a
 * checksum, or cut a TCP packet into segments (VIRTIO 5.1.9.2, 5.1.9.4; RFC 1071, RFC 9293).
 * Everything here works on a packet that lies whole in host memory.
 */
import { Ethernet, EtherType, IP_PROTOCOL_TCP, Ipv4, Ipv6, Tcp } from '../../wire/ethernet.ts';
import { loadBe16, storeBe16, type Arena } from '../arena.ts';

const UDP_CHECKSUM_OFFSET = 6;

function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/**
 * Completes the checksum of the packet at `at` (5.1.9.2: the field holds the pseudo-header sum).
 * The caller has checked that the field lies in the packet.
 */
export function completeChecksum(
  arena: Arena,
  at: number,
  bytes: number,
  start: number,
  offset: number,
): void {
  let checksum = ~arena.sum16((at + start) | 0, bytes - start, 0) & 0xffff;
  // A UDP checksum of 0 means "none"; all ones says the same sum.
  if (checksum === 0 && offset === UDP_CHECKSUM_OFFSET) checksum = 0xffff;
  const field = (at + start + offset) | 0;
  arena.u8[field >>> 0] = checksum;
  arena.u8[(field + 1) >>> 0] = checksum >>> 8;
}

/** Where the headers of a TCP packet lie; all offsets from the start of the packet, in bytes. */
export class TcpHeaders {
  ip = 0;
  tcp = 0;
  payload = 0;
  version = 4;

  /** Finds the headers of a packet in host memory; false when this is not whole TCP over IP. */
  parse(arena: Arena, at: number, bytes: number): boolean {
    const { u8 } = arena;
    let type = loadBe16(u8, at + Ethernet.TYPE);
    this.ip = Ethernet.HEADER;
    if (type === EtherType.VLAN) {
      type = loadBe16(u8, at + Ethernet.TYPE + Ethernet.TAG);
      this.ip += Ethernet.TAG;
    }
    if (type === EtherType.IPV4) {
      if (bytes < this.ip + Ipv4.HEADER_MIN) return false;
      const ip = at + this.ip;
      this.version = 4;
      this.tcp = this.ip + (u8[ip >>> 0]! & 0xf) * 4;
      if (this.tcp < this.ip + Ipv4.HEADER_MIN) return false;
      if (u8[(ip + Ipv4.PROTOCOL) >>> 0] !== IP_PROTOCOL_TCP) return false;
    } else if (type === EtherType.IPV6) {
      if (bytes < this.ip + Ipv6.HEADER) return false;
      this.version = 6;
      this.tcp = this.ip + Ipv6.HEADER;
      if (u8[(at + this.ip + Ipv6.NEXT_HEADER) >>> 0] !== IP_PROTOCOL_TCP) return false;
    } else return false;
    if (bytes < this.tcp + Tcp.HEADER_MIN) return false;
    this.payload = this.tcp + (u8[(at + this.tcp + Tcp.DATA_OFFSET) >>> 0]! >>> 4) * 4;
    return this.payload >= this.tcp + Tcp.HEADER_MIN && this.payload < bytes;
  }
}

/** One TCP packet being cut; kept over windows, one segment at a time. */
export class Segmentation {
  readonly headers = new TcpHeaders();
  active = false;
  private at = 0;
  private bytes = 0;
  private segmentBytes = 0;
  private sent = 0;
  private count = 0;

  /** Begins with a whole packet at `at`; false when its headers do not allow it. */
  begin(arena: Arena, at: number, bytes: number, segmentBytes: number): boolean {
    if (!this.headers.parse(arena, at, bytes)) return false;
    this.at = at;
    this.bytes = bytes;
    this.segmentBytes = segmentBytes;
    this.sent = 0;
    this.count = 0;
    this.active = true;
    return true;
  }

  /** Payload bytes that are not in a segment yet. */
  private get left(): number {
    return this.bytes - this.headers.payload - this.sent;
  }

  /** Length of the segment that {@link next} would build, without the virtio-net header. */
  get nextBytes(): number {
    return this.headers.payload + Math.min(this.left, this.segmentBytes);
  }

  /** Builds the next segment at `to`; ends the work when it was the last. */
  next(arena: Arena, to: number): void {
    const { headers } = this;
    const piece = Math.min(this.left, this.segmentBytes);
    const last = piece === this.left;
    const bytes = headers.payload + piece;
    arena.copy(to, this.at, headers.payload);
    arena.copy((to + headers.payload) | 0, (this.at + headers.payload + this.sent) | 0, piece);
    this.patchIp(arena, to, bytes);
    this.patchTcp(arena, to, last);
    completeTcpChecksum(arena, to, bytes, headers);
    this.sent += piece;
    this.count++;
    if (last) this.active = false;
  }

  private patchIp(arena: Arena, to: number, bytes: number): void {
    const { u8 } = arena;
    const ip = to + this.headers.ip;
    if (this.headers.version === 6) {
      storeBe16(u8, ip + Ipv6.PAYLOAD_LENGTH, bytes - this.headers.tcp);
      return;
    }
    storeBe16(u8, ip + Ipv4.TOTAL_LENGTH, bytes - this.headers.ip);
    storeBe16(u8, ip + Ipv4.ID, (loadBe16(u8, ip + Ipv4.ID) + this.count) & 0xffff);
    u8[(ip + Ipv4.CHECKSUM) >>> 0] = 0;
    u8[(ip + Ipv4.CHECKSUM + 1) >>> 0] = 0;
    const checksum = ~arena.sum16(ip | 0, this.headers.tcp - this.headers.ip, 0) & 0xffff;
    u8[(ip + Ipv4.CHECKSUM) >>> 0] = checksum;
    u8[(ip + Ipv4.CHECKSUM + 1) >>> 0] = checksum >>> 8;
  }

  private patchTcp(arena: Arena, to: number, last: boolean): void {
    const { u8 } = arena;
    const tcp = to + this.headers.tcp;
    const sequence =
      loadBe16(u8, tcp + Tcp.SEQUENCE) * 0x10000 + loadBe16(u8, tcp + Tcp.SEQUENCE + 2);
    const shifted = (sequence + this.sent) | 0;
    storeBe16(u8, tcp + Tcp.SEQUENCE, shifted >>> 16);
    storeBe16(u8, tcp + Tcp.SEQUENCE + 2, shifted & 0xffff);
    const flags = (tcp + Tcp.FLAGS) >>> 0;
    if (!last) u8[flags]! &= ~(Tcp.FIN | Tcp.PSH);
    if (this.count > 0) u8[flags]! &= ~Tcp.CWR;
  }
}

/** Computes the whole TCP checksum, pseudo header included (RFC 9293 3.1, RFC 8200 8.1). */
export function completeTcpChecksum(
  arena: Arena,
  at: number,
  bytes: number,
  headers: TcpHeaders,
): void {
  const { u8 } = arena;
  const field = at + headers.tcp + Tcp.CHECKSUM;
  u8[field >>> 0] = 0;
  u8[(field + 1) >>> 0] = 0;
  const addressesAt = at + headers.ip + (headers.version === 4 ? 12 : 8);
  const addressBytes = headers.version === 4 ? 8 : 32;
  const tcpBytes = bytes - headers.tcp;
  // The length and the protocol number are big-endian words of the pseudo header.
  const lengthWord = ((tcpBytes & 0xff) << 8) | (tcpBytes >>> 8);
  const pseudo =
    arena.sum16(addressesAt | 0, addressBytes, 0) + lengthWord + (IP_PROTOCOL_TCP << 8);
  const checksum = ~arena.sum16((at + headers.tcp) | 0, tcpBytes, fold(pseudo)) & 0xffff;
  u8[field >>> 0] = checksum;
  u8[(field + 1) >>> 0] = checksum >>> 8;
}
