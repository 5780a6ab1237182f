/** One split queue and one driver-side ring in a small arena, without devices, windows or time. */
import type { RingSetup } from '../../src/data-plane/virtqueue/virtqueue.ts';
import { SplitQueue } from '../../src/data-plane/virtqueue/split-queue.ts';
import { DescriptorChain } from '../../src/data-plane/virtqueue/descriptor-chain.ts';
import { Arena } from '../../src/data-plane/arena.ts';
import { GuestMemory } from '../../src/data-plane/guest-memory.ts';
import { EMBEDDED_GUEST_PHYSICAL } from '../../src/schedule/arena-layout.ts';
import { kernel } from './rig.ts';
import { GuestSlice, RingDouble } from './ring-double.ts';

const PAGES = 16;
const PAGE = 65536;
/** Host scratch below the guest's slice. */
const SCRATCH_AT = 1024;

export interface BenchOptions {
  readonly size: number;
  readonly index?: number;
  readonly eventIdx?: boolean;
  readonly indirect?: boolean;
  readonly descriptorsMax?: number;
}

export class RingBench {
  readonly arena: Arena;
  readonly slice: GuestSlice;
  readonly memory = new GuestMemory();
  readonly queue: SplitQueue;
  readonly ring: RingDouble;
  readonly chain: DescriptorChain;
  readonly setup: RingSetup;

  constructor(options: BenchOptions) {
    const { size, index = 0, eventIdx = false, indirect = false, descriptorsMax = size } = options;
    this.arena = new Arena(Arena.memory(PAGES), kernel());
    const sliceBytes = (PAGES - 1) * PAGE;
    this.slice = new GuestSlice(this.arena, PAGE, sliceBytes);
    this.memory.setRegions([
      { guestPhysical: EMBEDDED_GUEST_PHYSICAL, size: sliceBytes, arenaAt: PAGE },
    ]);
    this.queue = new SplitQueue(this.arena, size);
    this.ring = new RingDouble(this.slice, size);
    this.chain = new DescriptorChain(this.arena, this.memory, descriptorsMax, SCRATCH_AT);
    const { desc, avail, used } = this.ring;
    this.setup = {
      size,
      index,
      eventIdx,
      indirect,
      packed: false,
      descAt: this.slice.at(desc),
      availAt: this.slice.at(avail),
      usedAt: this.slice.at(used),
    };
    this.start(index);
  }

  /** Starts the queue at this index, with the driver there too. */
  start(index: number): void {
    this.ring.availIndex = index;
    this.ring.setAvailIndex(index);
    this.queue.start({ ...this.setup, index });
  }

  /** The device takes so many of the exposed heads. */
  take(count: number): number[] {
    return Array.from({ length: count }, () => this.queue.takeHead());
  }
}
