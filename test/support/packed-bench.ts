/** One packed virtqueue alone: its device side, a driver double on real bytes, and a chain to walk into. */
import { FAULT_NAMES, type FaultName } from '../../src/base/fault.ts';
import { PackedQueue } from '../../src/data-plane/virtqueue/packed-queue.ts';
import { INDIRECT, raw, tableOf, type RawDesc } from './hostile-ring.ts';
import { PackedDouble, type Place } from './packed-double.ts';
import { ChainBench, type BenchOptions } from './queue-bench.ts';
import type { Desc } from './ring-double.ts';

export interface PackedBenchOptions extends Omit<BenchOptions, 'index'> {
  /** Where both sides begin. */
  readonly place?: Place;
}

export class PackedBench extends ChainBench {
  readonly double: PackedDouble;
  readonly queue: PackedQueue;

  constructor(options: PackedBenchOptions = {}) {
    super(options);
    const { size = 8 } = options;
    this.double = new PackedDouble(this.slice, size);
    this.queue = new PackedQueue(this.arena, size);
    const { place = { position: 0, wrap: 1 } } = options;
    // What the lap before has left.
    for (let n = 0; n < size; n++) {
      const lap = n < place.position ? place.wrap : 1 - place.wrap;
      this.double.setFlags(n, lap === 1 ? 0x8080 : 0);
    }
    this.start(options);
  }

  /** Both sides begin at one place. */
  start(options: PackedBenchOptions = {}, base?: number): void {
    const { eventIdx = false, indirect = false, place = { position: 0, wrap: 1 } } = options;
    const { slice, double } = this;
    double.begin(place);
    this.queue.start({
      size: double.size,
      eventIdx,
      indirect,
      packed: true,
      index: base ?? double.base,
      descAt: slice.at(double.desc) | 0,
      availAt: slice.at(double.avail) | 0,
      usedAt: slice.at(double.used) | 0,
    });
  }

  /** A fresh buffer of its own. */
  piece(bytes = 64, flags = 0): Desc {
    return { address: this.slice.allocate(bytes), length: bytes, flags };
  }

  /** So many buffers of one descriptor each; their ids. */
  offer(count = 1, bytes = 64, flags = 0): number[] {
    return Array.from({ length: count }, () => this.double.submit([this.piece(bytes, flags)]));
  }

  /** A buffer of so many descriptors; its id. */
  offerList(length: number): number {
    return this.double.submit(Array.from({ length }, () => this.piece(16)));
  }

  look(): FaultName {
    return FAULT_NAMES[this.queue.look()]!;
  }

  /** The fault that broke the ring, or none. */
  get broken(): FaultName {
    return FAULT_NAMES[this.queue.brokenBy]!;
  }

  take(count = this.queue.available): number[] {
    return Array.from({ length: count }, () => this.queue.takeHead());
  }

  /** Looks, takes so many, completes and publishes them in one range. */
  serve(count?: number, usedLength = 0): void {
    this.look();
    for (const head of this.take(count)) this.queue.complete(head, usedLength);
    this.queue.publish();
  }

  walk(head: number, stepsMax = this.chain.descriptorsMax): FaultName {
    this.chain.begin();
    return FAULT_NAMES[this.queue.walk(this.chain, head, stepsMax)]!;
  }

  /** Offers a list, takes it and walks it. */
  submitAndWalk(list: readonly (Desc | RawDesc)[], stepsMax?: number): FaultName {
    this.double.submitRaw(list.map((desc) => rawOf(desc)));
    this.look();
    return this.walk(this.queue.takeHead(), stepsMax);
  }

  /** An indirect table of these descriptors, aligned to `align` and no better. */
  table(descs: readonly (Desc | RawDesc)[], align = 16, flags: number = INDIRECT): RawDesc {
    return tableOf(
      this.double,
      descs.map((desc) => rawOf(desc)),
      align,
      flags,
    );
  }
}

function rawOf(desc: Desc | RawDesc): RawDesc {
  return 'low' in desc ? desc : raw(desc.address, desc.length, desc.flags);
}
