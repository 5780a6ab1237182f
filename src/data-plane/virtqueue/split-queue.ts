/** Device side of a split virtqueue (VIRTIO 2.7): take, complete, publish, notify. */
import { Fault, NO_FAULT, type FaultCode } from '../../base/fault.ts';
import { INDEX_MASK, indexDistance, passesEvent, wrapIndex } from '../../base/ring-index.ts';
import { VirtqAvail, VirtqUsed } from '../../wire/virtqueue.ts';
import type { Arena } from '../arena.ts';
import type { ChainSource, DescriptorChain } from './descriptor-chain.ts';
import type { RingSetup, Virtqueue } from './virtqueue.ts';

/**
 * How far ahead of what we have seen avail_event is kept: with EVENT_IDX there is no "off" flag.
 */
const EVENT_FAR_AHEAD = 0x8000;

export class SplitQueue implements ChainSource, Virtqueue {
  size = 0;
  tableAt = 0;
  indirect = false;
  started = false;
  brokenBy: FaultCode = NO_FAULT;
  /** Next available ring position to take: the number of heads taken, modulo 2^16. */
  taken = 0;
  /** Available index as last looked at. */
  seen = 0;
  readonly sawAll = true;

  private availAt = 0;
  private usedAt = 0;
  private eventIdx = false;
  private mask = 0;
  /** Used index as written so far, as published, and as it was at the last notification. */
  private used = 0;
  private published = 0;
  private notified = 0;
  /** Entries published since then: more than an index can say means every event was passed. */
  private unnotified = 0;
  private readonly inFlight: Uint8Array;
  private readonly completed: Uint16Array;

  private readonly arena: Arena;

  constructor(arena: Arena, sizeMax: number) {
    this.arena = arena;
    this.inFlight = new Uint8Array(sizeMax);
    this.completed = new Uint16Array(sizeMax);
  }

  // [impl->req~queue.polled-no-kicks~1]
  start(setup: RingSetup): void {
    this.size = setup.size;
    this.mask = setup.size - 1;
    this.tableAt = setup.descAt;
    this.availAt = setup.availAt;
    this.usedAt = setup.usedAt;
    this.eventIdx = setup.eventIdx;
    this.indirect = setup.indirect;
    this.taken = this.seen = this.used = this.published = this.notified = wrapIndex(setup.index);
    this.unnotified = 0;
    this.inFlight.fill(0);
    this.brokenBy = NO_FAULT;
    // 2.7.10.2: with EVENT_IDX flags stay 0 and avail_event says "not yet"; without, the flag does.
    this.arena.u16[this.usedAt >>> 1] = this.eventIdx ? 0 : VirtqUsed.NO_NOTIFY;
    this.suppressKicks();
    this.started = true;
  }

  stop(): void {
    this.started = false;
    this.brokenBy = NO_FAULT;
    this.used = this.published;
  }

  /** 2.7.13: the used index is the available index of the first buffer that is not back yet. */
  // [impl->req~queue.resume~1]
  get base(): number {
    return this.published;
  }

  get mayNotify(): boolean {
    return this.started || this.brokenBy !== NO_FAULT;
  }

  /** A guest mistake after which no buffer can be returned safely: the ring stops until reset. */
  private breakWith(fault: FaultCode): FaultCode {
    this.brokenBy = fault;
    this.started = false;
    return fault;
  }

  get available(): number {
    return indexDistance(this.seen, this.taken);
  }

  /** Samples the available index, once; an impossible value stops the ring. */
  // [impl->req~queue.index-plausible~1]
  look(): FaultCode {
    const index = Atomics.load(this.arena.u16, (this.availAt + VirtqAvail.IDX) >>> 1);
    // 2.7.6.1: the index only moves forward, and only over entries that the driver has.
    const free = this.size - indexDistance(this.seen, this.published);
    if (indexDistance(index, this.seen) > free) {
      return this.breakWith(Fault.AvailIndexOutOfRange);
    }
    this.seen = index;
    return NO_FAULT;
  }

  // [impl->req~queue.in-flight-once~1]
  takeHead(): number {
    const position = this.taken & this.mask;
    const head = this.arena.u16[(this.availAt + VirtqAvail.RING + 2 * position) >>> 1]!;
    if (head >= this.size) {
      this.breakWith(Fault.HeadOutOfRange);
      return -1;
    }
    if (this.inFlight[head] !== 0) {
      this.breakWith(Fault.HeadInFlight);
      return -1;
    }
    this.inFlight[head] = 1;
    this.taken = (this.taken + 1) & INDEX_MASK;
    return head;
  }

  /** The head that {@link takeHead} would take, or -1 where that would break the ring. */
  nextHead(): number {
    const position = this.taken & this.mask;
    const head = this.arena.u16[(this.availAt + VirtqAvail.RING + 2 * position) >>> 1]!;
    return head < this.size && this.inFlight[head] === 0 ? head : -1;
  }

  /** Takes the head that {@link nextHead} has just given. */
  take(head: number): void {
    this.inFlight[head] = 1;
    this.taken = (this.taken + 1) & INDEX_MASK;
  }

  walk(chain: DescriptorChain, head: number, stepsMax: number): FaultCode {
    const own = this.size + chain.steps;
    return chain.extend(this, head, own < stepsMax ? own : stepsMax);
  }

  untake(head: number): void {
    this.inFlight[head] = 0;
    this.taken = wrapIndex(this.taken - 1);
  }

  // [impl->req~queue.used-order~1]
  complete(head: number, usedLength: number): void {
    const position = this.used & this.mask;
    const word = (this.usedAt + VirtqUsed.RING + VirtqUsed.ELEMENT_SIZE * position) >>> 2;
    this.arena.i32[word] = head;
    this.arena.i32[word + 1] = usedLength;
    this.completed[position] = head;
    this.used = (this.used + 1) & INDEX_MASK;
  }

  /** One store of the used index makes all completed elements visible (2.7.8.2). */
  publish(): void {
    if (this.used === this.published) return;
    Atomics.store(this.arena.u16, (this.usedAt + VirtqUsed.IDX) >>> 1, this.used);
    const count = indexDistance(this.used, this.published);
    for (let n = 0; n < count; n++) {
      this.inFlight[this.completed[(this.published + n) & this.mask]!] = 0;
    }
    this.published = this.used;
    this.unnotified += count;
    this.suppressKicks();
  }

  private suppressKicks(): void {
    if (!this.eventIdx) return;
    const at = this.usedAt + VirtqUsed.RING + VirtqUsed.ELEMENT_SIZE * this.size;
    this.arena.u16[at >>> 1] = wrapIndex(this.taken + EVENT_FAR_AHEAD);
  }

  /** 2.7.7.2. */
  // [impl->req~queue.notify-suppression~1]
  takeNotification(): boolean {
    if (this.unnotified === 0) return false;
    const lapped = this.unnotified > INDEX_MASK;
    const before = this.notified;
    const after = this.published;
    this.notified = after;
    this.unnotified = 0;
    if (this.eventIdx) {
      const at = this.availAt + VirtqAvail.RING + VirtqAvail.ELEMENT_SIZE * this.size;
      return lapped || passesEvent(Atomics.load(this.arena.u16, at >>> 1), after, before);
    }
    const flags = Atomics.load(this.arena.u16, this.availAt >>> 1);
    return (flags & VirtqAvail.NO_INTERRUPT) === 0;
  }
}
