/**
 * One packet on its way: its head was copied to host memory once and was judged there, its rest
 * lies where the sender put it. Reused, never allocated.
 */
import { EtherType } from '../../wire/ethernet.ts';
import { NetHeader } from '../../wire/virtio-net.ts';
import type { Arena } from '../arena.ts';
import type { DescriptorChain } from '../virtqueue/descriptor-chain.ts';

/** EtherTypes as a little-endian load sees them. */
export const VLAN_LE = ((EtherType.VLAN & 0xff) << 8) | (EtherType.VLAN >>> 8);
export const VLAN_OUTER_LE = ((EtherType.VLAN_OUTER & 0xff) << 8) | (EtherType.VLAN_OUTER >>> 8);

/** So much of a packet is taken aside before anything is decided. */
export const HEAD_BYTES = 64;

export class Packet {
  /** Arena offset of a virtio-net header with `headBytes` bytes of the packet right behind it. */
  headAt = 0;
  headBytes = 0;
  /** Length of the whole packet, without the virtio-net header. */
  bytes = 0;
  /** Segments of the rest, in the sender's memory or in staging. */
  readonly restAt: Int32Array;
  readonly restLength: Int32Array;
  restCount = 0;

  /** The sender's header (5.1.9), checked. */
  needsChecksum = false;
  gsoType = 0;
  gsoSize = 0;
  headerLength = 0;
  checksumStart = 0;
  checksumOffset = 0;

  /** Ethernet addresses as octets 0-3 (signed pattern) and 4-5, and the VLAN id or -1. */
  destinationLow = 0;
  destinationHigh = 0;
  vlan = -1;

  constructor(segmentsMax: number) {
    this.restAt = new Int32Array(segmentsMax);
    this.restLength = new Int32Array(segmentsMax);
  }

  /** Records what of a chain lies behind its first `skip` bytes. */
  restOf(chain: DescriptorChain, skip: number): void {
    let left = skip;
    this.restCount = 0;
    if (chain.readableBytes === skip) return;
    for (let n = 0; n < chain.readableSegments; n++) {
      const length = chain.length[n]!;
      if (left >= length) {
        left -= length;
        continue;
      }
      this.addRest((chain.at[n]! + left) | 0, length - left);
      left = 0;
    }
  }

  addRest(at: number, length: number): void {
    this.restAt[this.restCount] = at;
    this.restLength[this.restCount] = length;
    this.restCount++;
  }

  /**
   * Takes over what another form of the packet still asks for; its headers moved by `shift` bytes.
   */
  takeOffloads(other: Packet, shift: number): void {
    this.needsChecksum = other.needsChecksum;
    this.gsoType = other.gsoType;
    this.gsoSize = other.gsoSize;
    this.headerLength = other.headerLength === 0 ? 0 : other.headerLength + shift;
    this.checksumStart = other.checksumStart + shift;
    this.checksumOffset = other.checksumOffset;
  }

  /** The whole packet lies in one piece behind a virtio-net header. */
  contiguous(headAt: number, bytes: number): void {
    this.headAt = headAt;
    this.headBytes = bytes;
    this.bytes = bytes;
    this.restCount = 0;
  }

  /** Copies the whole packet, without its virtio-net header, to one place. */
  copyTo(arena: Arena, to: number): void {
    arena.copy(to, (this.headAt + NetHeader.SIZE) | 0, this.headBytes);
    let at = (to + this.headBytes) | 0;
    for (let n = 0; n < this.restCount; n++) {
      arena.copy(at, this.restAt[n]!, this.restLength[n]!);
      at = (at + this.restLength[n]!) | 0;
    }
  }
}
