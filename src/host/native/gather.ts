/** Parts of a message where they lie in memory, and the call that sends them in their order. */
import { addressOf } from './libc.ts';
import { Iovec, MessageHeader, sendHeader } from './socket.ts';

const TWO_32 = 0x1_0000_0000;
const WORDS = Iovec.SIZE / 4;
/** IOV_MAX: no call takes more parts. */
export const PARTS_MAX = 1024;

/** A list of parts; nothing is allocated once it is made. */
export class Gather {
  private readonly list: Buffer;
  private readonly words: Uint32Array;
  private readonly header = Buffer.allocUnsafeSlow(MessageHeader.SIZE).fill(0);
  private readonly listAt: number;
  private readonly partsMax: number;
  private first = 0;
  private count = 0;
  /** Where the last part ends: what begins there belongs to it. */
  private end = 0;

  constructor(partsMax: number) {
    this.partsMax = partsMax;
    this.list = Buffer.allocUnsafeSlow(partsMax * Iovec.SIZE).fill(0);
    this.words = new Uint32Array(this.list.buffer, this.list.byteOffset, partsMax * WORDS);
    this.listAt = Number(addressOf(this.list));
  }

  clear(): void {
    this.first = this.count = this.end = 0;
  }

  /** Appends bytes at an address; false when there is no room for one more part. */
  add(address: number, length: number): boolean {
    const { words } = this;
    if (address === this.end) {
      words[(this.count - 1) * WORDS + Iovec.LENGTH / 4]! += length;
    } else {
      if (this.count === this.partsMax) return false;
      this.point(this.count, address, length);
      this.count++;
    }
    this.end = address + length;
    return true;
  }

  private point(part: number, address: number, length: number): void {
    const at = part * WORDS;
    this.words[at] = address % TWO_32;
    this.words[at + 1] = Math.floor(address / TWO_32);
    this.words[at + Iovec.LENGTH / 4] = length;
  }

  /** One sendmsg of what is left; bytes sent, which are left out of the next, or -errno. */
  send(descriptor: number): number {
    const { header, listAt, first, count } = this;
    const at = listAt + first * Iovec.SIZE;
    header.writeUInt32LE(at % TWO_32, MessageHeader.IOV);
    header.writeUInt32LE(Math.floor(at / TWO_32), MessageHeader.IOV + 4);
    header.writeUInt32LE(count - first, MessageHeader.IOV_COUNT);
    const sent = sendHeader(descriptor, header);
    if (sent > 0) this.skip(sent);
    return sent;
  }

  private skip(bytes: number): void {
    let left = bytes;
    for (; this.first < this.count; this.first++) {
      const at = this.first * WORDS;
      const length = this.words[at + Iovec.LENGTH / 4]!;
      if (left < length) {
        const address = this.words[at + 1]! * TWO_32 + this.words[at]!;
        this.point(this.first, address + left, length - left);
        return;
      }
      left -= length;
    }
  }
}
