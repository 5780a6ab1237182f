/**
 * Driver side of a split virtqueue (VIRTIO 2.7.13, 2.7.14), one buffer per descriptor, fixed at
 * set-up; a chain is one of them, or a pair of neighbours.
 */
import { indexDistance, passesEvent, wrapIndex } from '../base/ring-index.ts';
import {
  availRingBytes,
  descriptorTableBytes,
  usedRingBytes,
  VIRTQ_ALIGN,
  VirtqAvail,
  VirtqDesc,
  VirtqDescFlag,
  VirtqUsed,
} from '../wire/virtqueue.ts';

/** What a queue needs of the machine it lies in. */
export interface QueueMemory {
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  allocate(bytes: number, align: number): number;
  at(address: number): number;
}

export interface DriverQueueSetup {
  readonly size: number;
  readonly bufferBytes: number;
  readonly eventIdx: boolean;
}

export class DriverQueue {
  readonly size: number;
  readonly desc: number;
  readonly avail: number;
  readonly used: number;
  /** Bytes the device wrote into the buffer reaped last. */
  usedLength = 0;
  kick: () => void = () => {};

  private readonly u16: Uint16Array;
  private readonly i32: Int32Array;
  private readonly eventIdx: boolean;
  /** Where the ring parts and the buffers lie for the driver's own loads and stores. */
  private readonly descAt: number;
  private readonly availAt: number;
  private readonly usedAt: number;
  private readonly buffersAt: number;
  private readonly bufferBytes: number;
  private exposed = 0;
  private announced = 0;
  private reaped = 0;

  constructor(memory: QueueMemory, { size, bufferBytes, eventIdx }: DriverQueueSetup) {
    this.size = size;
    this.bufferBytes = bufferBytes;
    this.eventIdx = eventIdx;
    this.u16 = memory.u16;
    this.i32 = memory.i32;
    this.desc = memory.allocate(descriptorTableBytes(size), VIRTQ_ALIGN.DESC);
    this.avail = memory.allocate(availRingBytes(size), VIRTQ_ALIGN.AVAIL);
    this.used = memory.allocate(usedRingBytes(size), VIRTQ_ALIGN.USED);
    const buffers = memory.allocate(size * bufferBytes, 64);
    this.descAt = memory.at(this.desc);
    this.availAt = memory.at(this.avail);
    this.usedAt = memory.at(this.used);
    this.buffersAt = memory.at(buffers);
    // 2.7.10.1: rings begin at 0, whatever a life before this one has left in the memory.
    this.clear(this.availAt, availRingBytes(size));
    this.clear(this.usedAt, usedRingBytes(size));
    for (let index = 0; index < size; index++) this.describe(index, buffers + index * bufferBytes);
  }

  private clear(at: number, bytes: number): void {
    this.u16.fill(0, at >>> 1, (at + bytes) >>> 1);
  }

  private describe(index: number, address: number): void {
    const word = (this.descAt + index * VirtqDesc.SIZE) >>> 2;
    this.i32[word] = address % 2 ** 32;
    this.i32[word + 1] = Math.floor(address / 2 ** 32);
    this.i32[word + 2] = this.bufferBytes;
    this.i32[word + 3] = 0;
  }

  /** Where buffer `index` lies, for the driver's own loads and stores. */
  bufferAt(index: number): number {
    return this.buffersAt + index * this.bufferBytes;
  }

  /**
   * Puts buffer `index` into the available ring; the device sees it at the next {@link publish}.
   */
  expose(index: number, length: number, deviceWrites: boolean): void {
    this.setBuffer(index, length, deviceWrites ? VirtqDescFlag.WRITE : 0);
    this.offer(index);
  }

  /**
   * Puts a request and the room for its answer into the available ring as one chain: buffers
   * `index` and the next one, of so many bytes each.
   */
  exposePair(index: number, requestBytes: number, answerBytes: number): void {
    // The next descriptor's number lies behind the flags (2.7.5).
    this.setBuffer(index, requestBytes, VirtqDescFlag.NEXT | ((index + 1) << 16));
    this.setBuffer(index + 1, answerBytes, VirtqDescFlag.WRITE);
    this.offer(index);
  }

  private setBuffer(index: number, length: number, flagsAndNext: number): void {
    const word = (this.descAt + index * VirtqDesc.SIZE) >>> 2;
    this.i32[word + 2] = length;
    this.i32[word + 3] = flagsAndNext;
  }

  private offer(index: number): void {
    const position = this.exposed & (this.size - 1);
    this.u16[(this.availAt + VirtqAvail.RING + VirtqAvail.ELEMENT_SIZE * position) >>> 1] = index;
    this.exposed = wrapIndex(this.exposed + 1);
  }

  /** Makes exposed buffers visible, and kicks when the device asks for it (2.7.13.4). */
  publish(): void {
    const before = this.announced;
    if (before === this.exposed) return;
    Atomics.store(this.u16, (this.availAt + VirtqAvail.IDX) >>> 1, this.exposed);
    this.announced = this.exposed;
    if (this.wantsKick(before)) this.kick();
  }

  private wantsKick(before: number): boolean {
    if (!this.eventIdx)
      return (Atomics.load(this.u16, this.usedAt >>> 1) & VirtqUsed.NO_NOTIFY) === 0;
    const at = this.usedAt + VirtqUsed.RING + VirtqUsed.ELEMENT_SIZE * this.size;
    return passesEvent(Atomics.load(this.u16, at >>> 1), this.announced, before);
  }

  /** The next used buffer, or -1; its length is in {@link usedLength}. */
  reap(): number {
    const used = Atomics.load(this.u16, (this.usedAt + VirtqUsed.IDX) >>> 1);
    if (used === this.reaped) return -1;
    const position = this.reaped & (this.size - 1);
    const word = (this.usedAt + VirtqUsed.RING + VirtqUsed.ELEMENT_SIZE * position) >>> 2;
    this.usedLength = this.i32[word + 1]!;
    this.reaped = wrapIndex(this.reaped + 1);
    return this.i32[word]!;
  }

  /** Buffers that the device has, used or not. */
  get outstanding(): number {
    return indexDistance(this.exposed, this.reaped);
  }

  /**
   * Asks for a notification at the next used buffer; true when one came in the meantime, in which
   * case the caller must reap again instead of waiting (2.7.14).
   */
  armNotification(): boolean {
    if (this.eventIdx) {
      const at = this.availAt + VirtqAvail.RING + VirtqAvail.ELEMENT_SIZE * this.size;
      Atomics.store(this.u16, at >>> 1, this.reaped);
    } else Atomics.store(this.u16, this.availAt >>> 1, 0);
    return Atomics.load(this.u16, (this.usedAt + VirtqUsed.IDX) >>> 1) !== this.reaped;
  }

  /** Asks for no notifications: the driver polls. */
  disarmNotification(): void {
    if (this.eventIdx) {
      const at = this.availAt + VirtqAvail.RING + VirtqAvail.ELEMENT_SIZE * this.size;
      Atomics.store(this.u16, at >>> 1, wrapIndex(this.reaped - 1));
    } else Atomics.store(this.u16, this.availAt >>> 1, VirtqAvail.NO_INTERRUPT);
  }
}
