/**
 * The virtio-net header of a transmitted packet against the packet and the negotiated set
 * (5.1.9.2).
 */
import { GsoType, NetHeader, NetHeaderFlag } from '../../wire/virtio-net.ts';
import type { Arena } from '../arena.ts';
import type { Packet } from './packet.ts';

/** What the driver may ask of the device: the offloads that were negotiated. */
export interface TransmitOffloads {
  readonly checksum: boolean;
  readonly tso4: boolean;
  readonly tso6: boolean;
}

const PLAIN_WORD_MASK = 0xffff;

/**
 * Reads the header at `packet.headAt` into the packet; false when the packet must not be accepted.
 */
// [impl->req~net.header-valid~1]
export function readNetHeader(arena: Arena, packet: Packet, offloads: TransmitOffloads): boolean {
  const word = packet.headAt >>> 2;
  const first = arena.i32[word]!;
  packet.needsChecksum = false;
  packet.gsoType = GsoType.NONE;
  packet.gsoSize = 0;
  packet.headerLength = 0;
  packet.checksumStart = 0;
  packet.checksumOffset = 0;
  if ((first & PLAIN_WORD_MASK) === 0) return true;
  return readOffloads(arena, packet, offloads, first);
}

function readOffloads(
  arena: Arena,
  packet: Packet,
  offloads: TransmitOffloads,
  first: number,
): boolean {
  const half = packet.headAt >>> 1;
  const { u16 } = arena;
  // 5.1.9.2.2: flag bits that are not known are ignored.
  if ((first & NetHeaderFlag.NEEDS_CSUM) !== 0) {
    if (!offloads.checksum) return false;
    packet.needsChecksum = true;
    packet.checksumStart = u16[half + NetHeader.CSUM_START / 2]!;
    packet.checksumOffset = u16[half + NetHeader.CSUM_OFFSET / 2]!;
    if (packet.checksumStart + packet.checksumOffset + 2 > packet.bytes) return false;
  }
  const gsoType = (first >>> 8) & 0xff;
  if (gsoType === GsoType.NONE) return true;
  if (
    gsoType === GsoType.TCPV4 ? !offloads.tso4 : gsoType === GsoType.TCPV6 ? !offloads.tso6 : true
  ) {
    return false;
  }
  packet.gsoType = gsoType;
  // A hint that the driver may have wrong (5.1.9.2.2); receivers see none beyond the packet.
  packet.headerLength = Math.min(u16[half + NetHeader.HDR_LEN / 2]!, packet.bytes);
  packet.gsoSize = u16[half + NetHeader.GSO_SIZE / 2]!;
  // 5.1.9.2.1: segmentation needs the checksum too; a size of 0 would never end.
  return packet.needsChecksum && packet.gsoSize > 0;
}
