/** One split virtqueue alone: its device side, a driver double on real bytes, and a chain to walk into. */
import { FAULT_NAMES, type FaultName } from '../../src/base/fault.ts';
import { Arena } from '../../src/data-plane/arena.ts';
import { GuestMemory } from '../../src/data-plane/guest-memory.ts';
import { DescriptorChain } from '../../src/data-plane/virtqueue/descriptor-chain.ts';
import { SplitQueue } from '../../src/data-plane/virtqueue/split-queue.ts';
import { EMBEDDED_GUEST_PHYSICAL } from '../../src/schedule/arena-layout.ts';
import { VirtqDescFlag } from '../../src/wire/virtqueue.ts';
import { GuestSlice, RingDouble, type Desc } from './ring-double.ts';
import { kernel } from './rig.ts';

const SCRATCH_AT = 1024;
const PAGE = 65536;

export const { NEXT, WRITE, INDIRECT } = VirtqDescFlag;

export interface BenchOptions {
  readonly size?: number;
  readonly eventIdx?: boolean;
  readonly indirect?: boolean;
  /** Ring position at which both sides begin. */
  readonly index?: number;
  readonly descriptorsMax?: number;
  /** Arena offset of the guest's memory, a multiple of 64 KiB. */
  readonly sliceAt?: number;
  readonly sliceBytes?: number;
}

export interface Segment {
  readonly at: number;
  readonly length: number;
}

/** The 16 bytes of a descriptor, for tables that lie where no view reaches. */
export function descriptorBytes({ address, length, flags = 0, next = 0 }: Desc): number[] {
  const bytes = new DataView(new ArrayBuffer(16));
  bytes.setBigUint64(0, BigInt(address), true);
  bytes.setUint32(8, length, true);
  bytes.setUint16(12, flags, true);
  bytes.setUint16(14, next, true);
  return [...new Uint8Array(bytes.buffer)];
}

/** Descriptors that follow each other: NEXT on all but the last. */
export function linked(descs: readonly Desc[]): Desc[] {
  return descs.map((desc, n) =>
    n === descs.length - 1 ? desc : { ...desc, flags: (desc.flags ?? 0) | NEXT, next: n + 1 },
  );
}

/** An arena with one guest's memory, and a chain to walk into. */
export class ChainBench {
  readonly arena: Arena;
  readonly slice: GuestSlice;
  readonly memory = new GuestMemory();
  readonly chain: DescriptorChain;

  constructor(options: BenchOptions = {}) {
    const { sliceAt = PAGE, sliceBytes = 16 * PAGE, descriptorsMax = 64 } = options;
    this.arena = new Arena(Arena.memory((sliceAt + sliceBytes) / PAGE), kernel());
    this.slice = new GuestSlice(this.arena, sliceAt, sliceBytes);
    this.memory.setRegions([
      { guestPhysical: EMBEDDED_GUEST_PHYSICAL, size: sliceBytes, arenaAt: sliceAt },
    ]);
    this.chain = new DescriptorChain(this.arena, this.memory, descriptorsMax, SCRATCH_AT);
  }

  get readable(): Segment[] {
    return this.segments(0, this.chain.readableSegments);
  }

  get writable(): Segment[] {
    return this.segments(this.chain.readableSegments, this.chain.segments);
  }

  private segments(from: number, to: number): Segment[] {
    const { at, length } = this.chain;
    return Array.from({ length: to - from }, (_, n) => ({
      at: at[from + n]! >>> 0,
      length: length[from + n]!,
    }));
  }

  /** Where a descriptor's buffer lies in the arena. */
  segmentOf({ address, length }: Desc): Segment {
    return { at: this.slice.at(address), length };
  }

  /** All readable bytes of the walked chain, as the device copies them. */
  gathered(): number[] {
    const bytes = this.chain.readableBytes;
    const to = this.slice.allocate(bytes);
    this.chain.gather(0, bytes, this.slice.at(to) | 0);
    return this.slice.read(to, bytes);
  }
}

export class QueueBench extends ChainBench {
  readonly double: RingDouble;
  readonly queue: SplitQueue;

  constructor(options: BenchOptions = {}) {
    super(options);
    const { size = 8 } = options;
    this.double = new RingDouble(this.slice, size);
    this.queue = new SplitQueue(this.arena, size);
    this.start(options);
  }

  /** Both sides begin at `index`, as after a reset. */
  start({ eventIdx = false, indirect = false, index = 0 }: BenchOptions = {}): void {
    const { slice, double } = this;
    double.availIndex = index;
    double.setAvailIndex(index);
    this.arena.u16[slice.at(double.used + 2) / 2] = index;
    this.queue.start({
      size: double.size,
      eventIdx,
      indirect,
      packed: false,
      index,
      descAt: slice.at(double.desc) | 0,
      availAt: slice.at(double.avail) | 0,
      usedAt: slice.at(double.used) | 0,
    });
  }

  /** A device-readable or device-writable buffer of its own, exposed as the next head. */
  offer(count = 1, bytes = 64, flags = 0): number[] {
    return Array.from({ length: count }, () =>
      this.double.submit([{ address: this.slice.allocate(bytes), length: bytes, flags }]),
    );
  }

  /** Exposes heads whose descriptors are not looked at. */
  expose(count: number): void {
    for (let n = 0; n < count; n++) this.double.expose(this.double.availIndex % this.double.size);
  }

  look(): FaultName {
    return FAULT_NAMES[this.queue.look()]!;
  }

  /** Takes so many heads, by default all that were seen. */
  take(count = this.queue.available): number[] {
    return Array.from({ length: count }, () => this.queue.takeHead());
  }

  /** Takes, completes and publishes so many heads in one range. */
  serve(count: number, usedLength = 0): void {
    this.look();
    for (const head of this.take(count)) this.queue.complete(head, usedLength);
    this.queue.publish();
  }

  /** Walks a head as a request of its own. */
  walk(head: number, stepsMax = this.chain.descriptorsMax): FaultName {
    this.chain.begin();
    return FAULT_NAMES[this.queue.walk(this.chain, head, stepsMax)]!;
  }

  /** Exposes a chain, takes it and walks it. */
  submitAndWalk(descs: readonly Desc[], stepsMax?: number): FaultName {
    const head = this.double.submit(descs);
    this.look();
    this.take(1);
    return this.walk(head, stepsMax);
  }

  /** An indirect table at an address of its own, `skew` bytes off its alignment. */
  table(descs: readonly Desc[], skew = 0): Desc {
    const bytes = descs.flatMap((desc) => descriptorBytes(desc));
    const address = this.slice.allocate(bytes.length + skew) + skew;
    this.slice.write(address, bytes);
    return { address, length: bytes.length, flags: INDIRECT };
  }
}
