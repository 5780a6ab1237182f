/** Driver side of a split queue for tests: writes real bytes, honest or hostile, field by field. */
import type { FaultName } from '../../src/base/fault.ts';
import type { Arena } from '../../src/data-plane/arena.ts';
import { EMBEDDED_GUEST_PHYSICAL } from '../../src/schedule/arena-layout.ts';
import {
  availRingBytes,
  descriptorTableBytes,
  usedRingBytes,
  VirtqAvail,
  VirtqDesc,
  VirtqDescFlag,
  VirtqUsed,
} from '../../src/wire/virtqueue.ts';
import type { RawDesc } from './hostile-ring.ts';

/** A bump allocator over one partition's slice, speaking guest-physical addresses. */
export class GuestSlice {
  private next = 0;

  readonly arena: Arena;
  readonly sliceAt: number;
  readonly size: number;

  constructor(arena: Arena, sliceAt: number, size: number) {
    this.arena = arena;
    this.sliceAt = sliceAt;
    this.size = size;
  }

  /** Guest-physical address of `bytes` fresh bytes. */
  allocate(bytes: number, align = 16): number {
    this.next = Math.ceil(this.next / align) * align;
    const address = EMBEDDED_GUEST_PHYSICAL + this.next;
    this.next += bytes;
    if (this.next > this.size) throw new Error('test slice is full');
    return address;
  }

  /** Arena offset of a guest-physical address. */
  at(address: number): number {
    return this.sliceAt + (address - EMBEDDED_GUEST_PHYSICAL);
  }

  write(address: number, bytes: ArrayLike<number>): void {
    this.arena.u8.set(bytes, this.at(address));
  }

  read(address: number, length: number): number[] {
    return Array.from(this.arena.u8.subarray(this.at(address), this.at(address) + length));
  }
}

export interface Desc {
  readonly address: number;
  readonly length: number;
  readonly flags?: number;
  readonly next?: number;
}

export class RingDouble {
  /** Descriptor Area, Driver Area and Device Area (2.6). */
  readonly desc: number;
  readonly avail: number;
  readonly used: number;
  readonly packed: boolean = false;
  availIndex = 0;
  private nextFree = 0;

  readonly slice: GuestSlice;
  readonly size: number;

  constructor(slice: GuestSlice, size: number) {
    this.slice = slice;
    this.size = size;
    this.desc = slice.allocate(descriptorTableBytes(size), 16);
    this.avail = slice.allocate(availRingBytes(size), 2);
    this.used = slice.allocate(usedRingBytes(size), 4);
  }

  /** Where a device begins that starts with this ring. */
  get base(): number {
    return 0;
  }

  protected u16(address: number, value?: number): number {
    const index = this.slice.at(address) / 2;
    if (value !== undefined) this.slice.arena.u16[index] = value;
    return this.slice.arena.u16[index]!;
  }

  protected u32(address: number, value?: number): number {
    const index = this.slice.at(address) / 4;
    if (value !== undefined) this.slice.arena.i32[index] = value;
    return this.slice.arena.i32[index]! >>> 0;
  }

  /** Writes one descriptor into the table at `table` (a guest-physical address). */
  describe(index: number, { address, length, flags = 0, next = 0 }: Desc, table = this.desc): void {
    const at = table + index * VirtqDesc.SIZE;
    this.u32(at, address % 2 ** 32);
    this.u32(at + 4, Math.floor(address / 2 ** 32));
    this.u32(at + VirtqDesc.LEN, length);
    this.u16(at + VirtqDesc.FLAGS, flags);
    this.u16(at + VirtqDesc.NEXT, next);
  }

  /** The 16 bytes of a descriptor, in the layout of the ring. */
  encode({ low, high, length, flags, next }: RawDesc): Uint8Array {
    const bytes = new DataView(new ArrayBuffer(VirtqDesc.SIZE));
    bytes.setUint32(VirtqDesc.ADDR, low >>> 0, true);
    bytes.setUint32(VirtqDesc.ADDR + 4, high >>> 0, true);
    bytes.setUint32(VirtqDesc.LEN, length >>> 0, true);
    bytes.setUint16(VirtqDesc.FLAGS, flags, true);
    bytes.setUint16(VirtqDesc.NEXT, next, true);
    return new Uint8Array(bytes.buffer);
  }

  /** Puts a head into the available ring and publishes it. */
  expose(head: number, publish = true): void {
    this.u16(this.avail + VirtqAvail.RING + 2 * (this.availIndex % this.size), head);
    this.availIndex = (this.availIndex + 1) & 0xffff;
    if (publish) this.setAvailIndex(this.availIndex);
  }

  setAvailIndex(index: number): void {
    Atomics.store(
      this.slice.arena.u16,
      this.slice.at(this.avail + VirtqAvail.IDX) / 2,
      index & 0xffff,
    );
  }

  setAvailFlags(flags: number): void {
    this.u16(this.avail, flags);
  }

  setUsedEvent(index: number): void {
    this.u16(this.avail + VirtqAvail.RING + 2 * this.size, index);
  }

  /** Makes a buffer available that the device still has. */
  repeat(head: number): void {
    this.expose(head);
  }

  /** Writes what breaks the ring at the next look; the fault that names it. */
  breakAtLook(): FaultName {
    this.setAvailIndex(this.availIndex + this.size + 1);
    return 'avail-index-out-of-range';
  }

  /** Describes a chain in fresh descriptors and exposes it; the head. */
  submit(chain: readonly Desc[]): number {
    const indices = chain.map(() => this.nextFree++ % this.size);
    chain.forEach((desc, n) => {
      const last = n === chain.length - 1;
      this.describe(indices[n]!, {
        ...desc,
        flags: (desc.flags ?? 0) | (last ? 0 : VirtqDescFlag.NEXT),
        next: last ? 0 : indices[n + 1]!,
      });
    });
    this.expose(indices[0]!);
    return indices[0]!;
  }

  /** The first `length` bytes of the chain at `head`, found as its driver would: in its own table. */
  bytesOf(head: number, length: number): number[] {
    const bytes: number[] = [];
    let index = head;
    for (let n = 0; n < this.size && bytes.length < length; n++) {
      const at = this.desc + index * VirtqDesc.SIZE;
      const address = this.u32(at) + this.u32(at + 4) * 2 ** 32;
      const take = Math.min(this.u32(at + VirtqDesc.LEN), length - bytes.length);
      bytes.push(...this.slice.read(address, take));
      index = this.u16(at + VirtqDesc.NEXT);
    }
    return bytes;
  }

  get usedIndex(): number {
    return this.u16(this.used + VirtqUsed.IDX);
  }

  /** Only before the device has the ring: it goes on where another one stopped. */
  setUsedIndex(index: number): void {
    this.u16(this.used + VirtqUsed.IDX, index);
  }

  get usedFlags(): number {
    return this.u16(this.used);
  }

  get availEvent(): number {
    return this.u16(this.used + VirtqUsed.RING + VirtqUsed.ELEMENT_SIZE * this.size);
  }

  usedElement(index: number): { id: number; length: number } {
    const at = this.used + VirtqUsed.RING + VirtqUsed.ELEMENT_SIZE * (index % this.size);
    return { id: this.u32(at), length: this.u32(at + 4) };
  }

  /** All used elements so far, oldest first; at most one lap. */
  get usedElements(): { id: number; length: number }[] {
    return Array.from({ length: this.usedIndex }, (_, n) => this.usedElement(n));
  }
}
