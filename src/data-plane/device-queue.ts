/** A ring together with whom it belongs to, how its driver is notified, and what it counts. */
import { NO_FAULT } from '../base/fault.ts';
import { QueueCounter, type Counters } from '../channel/counters.ts';
import { NotifyKind } from '../channel/command-channel.ts';
import { PACKED_WRAP } from '../wire/virtqueue.ts';
import type { Arena } from './arena.ts';
import type { Partition } from './partition.ts';
import { PackedQueue } from './virtqueue/packed-queue.ts';
import { SplitQueue } from './virtqueue/split-queue.ts';
import type { RingSetup, Virtqueue } from './virtqueue/virtqueue.ts';

/** Half of what a look at a packed ring sees in single descriptors. */
const WANTED_PER_LOOK_LOG2 = 5;
/**
 * Where a new driver's ring begins, in the low half of a base: a packed one with wrap counter 1.
 */
const FIRST_SPLIT = 0;
const FIRST_PACKED = PACKED_WRAP;
const HALF_MASK = 0xffff;

export class DeviceQueue {
  /** The ring of the current start, in the layout that was negotiated. */
  ring: Virtqueue;
  /** How often a ring was started. */
  starts = 0;
  /** The ring of the last start began at its first entry: its driver is a new one. */
  isFresh = false;
  notifyKind: number = NotifyKind.NONE;
  notifyTarget = 0;
  /**
   * Completed entries wait for publication; published entries wait for the notification decision.
   */
  touched = false;
  /** vhost-user: a ring that is started but disabled takes nothing in and lets nothing out. */
  enabled = true;
  /** When the ring was started, in nanoseconds. */
  readonly startedAt = new Float64Array(1);
  awaiting = false;
  readonly split: SplitQueue;
  private readonly packed: PackedQueue;
  private readonly countersAt: number;

  readonly index: number;
  readonly partition: Partition;
  private readonly counters: Counters;

  constructor(
    index: number,
    partition: Partition,
    arena: Arena,
    sizeMax: number,
    counters: Counters,
  ) {
    this.index = index;
    this.partition = partition;
    this.counters = counters;
    this.split = new SplitQueue(arena, sizeMax);
    this.packed = new PackedQueue(arena, sizeMax);
    this.ring = this.split;
    this.countersAt = counters.queueAt(index);
  }

  start(setup: RingSetup, notifyKind: number, notifyTarget: number): void {
    this.ring.stop();
    this.ring = setup.packed ? this.packed : this.split;
    this.ring.start(setup);
    this.starts++;
    this.isFresh = (setup.index & HALF_MASK) === (setup.packed ? FIRST_PACKED : FIRST_SPLIT);
    this.partition.readClockInto(this.startedAt);
    this.notifyBy(notifyKind, notifyTarget);
    this.touched = this.awaiting = false;
    if (!this.ring.started) this.fault(this.ring.brokenBy);
  }

  /** Packets may be put into this receive ring. */
  get mayReceive(): boolean {
    return this.ring.started && this.enabled;
  }

  notifyBy(kind: number, target: number): void {
    this.notifyKind = kind;
    this.notifyTarget = target;
  }

  /**
   * Heads that may be taken now; a ring that breaks at this look reports why, and offers none. A
   * look that ended at its bound is followed by others where many are wanted, few enough to budget.
   */
  look(wanted = 1): number {
    const { ring } = this;
    if (!ring.started || !this.partition.running) return 0;
    for (let looks = 0; looks <= wanted >>> WANTED_PER_LOOK_LOG2; looks++) {
      if (ring.look() !== NO_FAULT) {
        this.fault(ring.brokenBy);
        return 0;
      }
      if (ring.sawAll || ring.available >= wanted) break;
    }
    return ring.available;
  }

  fault(code: number): void {
    this.count(QueueCounter.FAULTY, 1);
    this.partition.fault(code, this.index);
  }

  count(counter: number, by: number): void {
    this.counters.words[this.countersAt + counter]! += by;
  }
}
