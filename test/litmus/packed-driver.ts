/** Driver side of a packed virtqueue for the litmus tests (2.8.21, 2.8.22), with the surface of the split one. */
import type { DriverQueueSetup, QueueMemory } from '../../src/guest/driver-queue.ts';
import {
  descriptorTableBytes,
  PACKED_ALIGN,
  PACKED_WRAP,
  PackedDesc,
  PackedDescFlag,
  PackedEvent,
  PackedEventFlags,
  VIRTQ_ALIGN,
  VirtqDescFlag,
} from '../../src/wire/virtqueue.ts';

const { AVAIL, USED } = PackedDescFlag;
const { NEXT, WRITE } = VirtqDescFlag;

/** Descriptors of the ring for so many buffers: each second one is a list of two. */
export function packedRingSize(buffers: number): number {
  return buffers + (buffers >>> 1);
}

export class PackedDriver {
  /** Descriptors of the ring. */
  readonly size: number;
  readonly desc: number;
  readonly avail: number;
  readonly used: number;
  usedLength = 0;
  kick: () => void = () => {};
  outstanding = 0;

  private readonly memory: QueueMemory;
  private readonly eventIdx: boolean;
  private readonly buffers: number;
  private readonly bufferBytes: number;
  private next = 0;
  private nextMark: number = AVAIL;
  private nextUsed = 0;
  private usedMark: number = AVAIL | USED;
  /** Flags of the first descriptor of what is exposed and not published, and where they go. */
  private firstFlags = -1;
  private firstAt = 0;

  constructor(memory: QueueMemory, { size, bufferBytes, eventIdx }: DriverQueueSetup) {
    this.size = packedRingSize(size);
    this.memory = memory;
    this.eventIdx = eventIdx;
    this.bufferBytes = bufferBytes;
    this.desc = memory.allocate(descriptorTableBytes(this.size), VIRTQ_ALIGN.DESC);
    this.avail = memory.allocate(PackedEvent.SIZE, PACKED_ALIGN.EVENT);
    this.used = memory.allocate(PackedEvent.SIZE, PACKED_ALIGN.EVENT);
    this.buffers = memory.allocate(size * bufferBytes, 64);
  }

  bufferAt(index: number): number {
    return this.memory.at(this.buffers + index * this.bufferBytes);
  }

  /** Buffer `index` in one descriptor, or as a list of two; the first of a batch stays hidden. */
  expose(index: number, length: number, deviceWrites: boolean): void {
    const address = this.buffers + index * this.bufferBytes;
    const direction = deviceWrites ? WRITE : 0;
    const half = index % 2 === 1 ? length / 2 : length;
    this.describe(address, half, index, direction | (half < length ? NEXT : 0));
    if (half < length) this.describe(address + half, length - half, index, direction);
    this.outstanding++;
  }

  private describe(address: number, length: number, id: number, flags: number): void {
    const { u16, i32 } = this.memory;
    const at = this.memory.at(this.desc) + PackedDesc.SIZE * this.next;
    i32[at >>> 2] = address % 2 ** 32;
    i32[(at >>> 2) + 1] = Math.floor(address / 2 ** 32);
    i32[(at + PackedDesc.LEN) >>> 2] = length;
    u16[(at + PackedDesc.ID) >>> 1] = id;
    const marked = flags | this.nextMark;
    if (this.firstFlags >= 0) u16[(at + PackedDesc.FLAGS) >>> 1] = marked;
    else {
      this.firstFlags = marked;
      this.firstAt = at + PackedDesc.FLAGS;
    }
    if (++this.next < this.size) return;
    this.next = 0;
    this.nextMark ^= AVAIL | USED;
  }

  publish(): void {
    if (this.firstFlags < 0) return;
    const { u16 } = this.memory;
    Atomics.store(u16, this.firstAt >>> 1, this.firstFlags);
    this.firstFlags = -1;
    const event = Atomics.load(u16, (this.memory.at(this.used) + PackedEvent.FLAGS) >>> 1);
    if (event !== PackedEventFlags.DISABLE) this.kick();
  }

  private get usedThere(): boolean {
    const at = this.memory.at(this.desc) + PackedDesc.SIZE * this.nextUsed + PackedDesc.FLAGS;
    return (Atomics.load(this.memory.u16, at >>> 1) & (AVAIL | USED)) === this.usedMark;
  }

  reap(): number {
    if (this.outstanding === 0 || !this.usedThere) return -1;
    const { u16, i32 } = this.memory;
    const at = this.memory.at(this.desc) + PackedDesc.SIZE * this.nextUsed;
    const id = u16[(at + PackedDesc.ID) >>> 1]!;
    const written = (u16[(at + PackedDesc.FLAGS) >>> 1]! & WRITE) !== 0;
    this.usedLength = written ? i32[(at + PackedDesc.LEN) >>> 2]! : 0;
    this.nextUsed += id % 2 === 1 ? 2 : 1;
    if (this.nextUsed >= this.size) {
      this.nextUsed -= this.size;
      this.usedMark ^= AVAIL | USED;
    }
    this.outstanding--;
    return id;
  }

  armNotification(): boolean {
    const { u16 } = this.memory;
    const at = this.memory.at(this.avail);
    if (this.eventIdx) {
      const wrap = this.usedMark === 0 ? 0 : PACKED_WRAP;
      Atomics.store(u16, (at + PackedEvent.OFFSET) >>> 1, this.nextUsed | wrap);
    }
    const flags = this.eventIdx ? PackedEventFlags.DESC : PackedEventFlags.ENABLE;
    Atomics.store(u16, (at + PackedEvent.FLAGS) >>> 1, flags);
    return this.outstanding > 0 && this.usedThere;
  }

  disarmNotification(): void {
    const at = this.memory.at(this.avail) + PackedEvent.FLAGS;
    Atomics.store(this.memory.u16, at >>> 1, PackedEventFlags.DISABLE);
  }
}
