/**
 * The packet that the traffic programs exchange: numbered, stamped, and checkable to the last byte.
 */
import { Ethernet } from '../wire/ethernet.ts';

/** IEEE 802 local experimental EtherType 1. */
const ETHER_TYPE = 0x88b5;
const MAGIC = 0x7667;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const Field = {
  MAGIC: 14,
  KIND: 16,
  SEQUENCE: 18,
  STAMP: 22,
  LENGTH: 30,
  CHECK: 32,
  PATTERN: 36,
} as const;
export const TEST_PACKET_BYTES_MIN = 64;
export const PacketKind = { REQUEST: 0, ANSWER: 1 } as const;

export interface TestPacket {
  kind: number;
  sequence: number;
  /** Time of sending in nanoseconds. */
  stampNs: number;
}

export class TestPacketCodec {
  private readonly u8: Uint8Array;
  private readonly view: DataView;

  constructor(u8: Uint8Array) {
    this.u8 = u8;
    this.view = new DataView(u8.buffer, u8.byteOffset, u8.byteLength);
  }

  write(
    at: number,
    bytes: number,
    to: ArrayLike<number>,
    from: ArrayLike<number>,
    packet: TestPacket,
  ): void {
    this.u8.set(to, at + Ethernet.DESTINATION);
    this.u8.set(from, at + Ethernet.SOURCE);
    this.view.setUint16(at + Ethernet.TYPE, ETHER_TYPE);
    this.view.setUint16(at + Field.MAGIC, MAGIC);
    this.view.setUint16(at + Field.KIND, packet.kind);
    this.view.setUint32(at + Field.SEQUENCE, packet.sequence);
    this.view.setFloat64(at + Field.STAMP, packet.stampNs);
    this.view.setUint16(at + Field.LENGTH, bytes);
    this.view.setUint32(at + Field.CHECK, this.check(at));
    for (let n = Field.PATTERN; n < bytes; n++) this.u8[at + n] = (packet.sequence + n) & 0xff;
  }

  /** Reads and checks a packet; false when it is not one of ours, or not a byte as it was sent. */
  read(at: number, bytes: number, packet: TestPacket): boolean {
    if (bytes < Field.PATTERN || this.view.getUint16(at + Ethernet.TYPE) !== ETHER_TYPE)
      return false;
    if (this.view.getUint16(at + Field.MAGIC) !== MAGIC) return false;
    if (this.view.getUint16(at + Field.LENGTH) !== bytes) return false;
    if (this.view.getUint32(at + Field.CHECK) !== this.check(at)) return false;
    packet.kind = this.view.getUint16(at + Field.KIND);
    packet.sequence = this.view.getUint32(at + Field.SEQUENCE);
    packet.stampNs = this.view.getFloat64(at + Field.STAMP);
    for (let n = Field.PATTERN; n < bytes; n++) {
      if (this.u8[at + n] !== ((packet.sequence + n) & 0xff)) return false;
    }
    return true;
  }

  /** FNV-1a over the fields before it: no changed byte goes unseen. */
  private check(at: number): number {
    let hash = FNV_OFFSET;
    for (let n = Field.MAGIC; n < Field.CHECK; n++) {
      hash = Math.imul(hash ^ this.u8[at + n]!, FNV_PRIME);
    }
    return hash >>> 0;
  }
}
