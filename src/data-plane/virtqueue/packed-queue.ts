/** Device side of a packed virtqueue (VIRTIO 2.8): look, take, complete, publish, notify. */
import { Fault, NO_FAULT, type FaultCode } from '../../base/fault.ts';
import { INDEX_MASK, indexDistance, wrapIndex } from '../../base/ring-index.ts';
import {
  PACKED_WRAP,
  PackedDesc,
  PackedDescFlag,
  PackedEventFlags,
  VirtqDescFlag,
} from '../../wire/virtqueue.ts';
import { PACKED_LOOK_MAX as LOOK_MAX } from '../../schedule/serving-rule.ts';
import type { Arena } from '../arena.ts';
import type { DescriptorChain } from './descriptor-chain.ts';
import type { RingSetup, Virtqueue } from './virtqueue.ts';

const BUFFER_IDS = 0x10000;
const POSITION_MASK = PACKED_WRAP - 1;

const { NEXT, WRITE, INDIRECT } = VirtqDescFlag;
const { AVAIL, USED } = PackedDescFlag;
const MARKS = AVAIL | USED;

export class PackedQueue implements Virtqueue {
  size = 0;
  indirect = false;
  started = false;
  brokenBy: FaultCode = NO_FAULT;
  taken = 0;
  seen = 0;
  sawAll = true;

  private ringAt = 0;
  private driverEventAt = 0;
  private eventIdx = false;
  /** Position to look at next, and the marks of a descriptor that is available there (2.8.1). */
  private lookAt = 0;
  private lookMark = 0;
  /** Head of the list that the look is in, and how many descriptors of it were seen. */
  private listAt = 0;
  private listLength = 0;
  /** Descriptors that were seen available and not given back: never more than the ring has. */
  private held = 0;
  private takeAt = 0;
  /** Oldest position that the driver has not got back, and the marks that say so there. */
  private publishedAt = 0;
  private publishedMark: number = MARKS;
  /** Buffers completed since the last publication. */
  private completed = 0;
  /** Position in two laps at the last notification, and descriptors given back since then. */
  private notifiedAt = 0;
  private unnotified = 0;
  /** Flags by ring position, as they were seen: what is decided on them is never read again. */
  private readonly flags: Uint16Array;
  /** By the position of a buffer's first descriptor: its descriptors, its id, its used flags. */
  private readonly lengths: Uint16Array;
  private readonly ids: Uint16Array;
  private readonly written: Uint8Array;
  /** One bit for each buffer id that the device has. */
  private readonly inFlight = new Uint8Array(BUFFER_IDS / 8);

  private readonly arena: Arena;

  constructor(arena: Arena, sizeMax: number) {
    this.arena = arena;
    this.flags = new Uint16Array(sizeMax);
    this.lengths = new Uint16Array(sizeMax);
    this.ids = new Uint16Array(sizeMax);
    this.written = new Uint8Array(sizeMax);
  }

  // [impl->req~queue.polled-no-kicks~1]
  start(setup: RingSetup): void {
    this.size = setup.size;
    this.ringAt = setup.descAt;
    this.driverEventAt = setup.availAt;
    this.eventIdx = setup.eventIdx;
    this.indirect = setup.indirect;
    // Who says only where available buffers are has none that are taken and not used.
    const used = setup.index >>> 16;
    const base = used === 0 ? setup.index & INDEX_MASK : used;
    const position = base & POSITION_MASK;
    const wrapped = (base & PACKED_WRAP) === 0;
    this.lookAt = this.listAt = this.takeAt = this.publishedAt = position;
    this.lookMark = wrapped ? USED : AVAIL;
    this.publishedMark = wrapped ? 0 : MARKS;
    this.notifiedAt = wrapped ? position + setup.size : position;
    this.taken = this.seen = this.listLength = this.held = 0;
    this.completed = this.unnotified = 0;
    this.inFlight.fill(0);
    this.started = position < setup.size;
    this.brokenBy = this.started ? NO_FAULT : Fault.QueueSetupInvalid;
    // 2.8.10: the device polls, whether or not EVENT_IDX is negotiated.
    this.arena.i32[setup.usedAt >>> 2] = PackedEventFlags.DISABLE << 16;
  }

  stop(): void {
    this.started = false;
    this.brokenBy = NO_FAULT;
    this.completed = 0;
  }

  // [impl->req~queue.resume~1]
  get base(): number {
    const half = this.publishedAt | (this.publishedMark === 0 ? 0 : PACKED_WRAP);
    return (half << 16) | half;
  }

  get mayNotify(): boolean {
    return this.started || this.brokenBy !== NO_FAULT;
  }

  private breakWith(fault: FaultCode): FaultCode {
    this.brokenBy = fault;
    this.started = false;
    return fault;
  }

  get available(): number {
    return indexDistance(this.seen, this.taken);
  }

  /** Counts whole buffers only: a list may reach over several looks, never round the ring. */
  // [impl->req~queue.packed-lists~1]
  // [impl->req~mem.single-fetch~1]
  look(): FaultCode {
    const { size, flags } = this;
    const { u16 } = this.arena;
    this.sawAll = false;
    for (let n = 0; n < LOOK_MAX; n++) {
      if (this.held === size) return this.ended(this.listLength === 0);
      const position = this.lookAt;
      const at = this.ringAt + PackedDesc.SIZE * position + PackedDesc.FLAGS;
      const found = Atomics.load(u16, at >>> 1);
      if ((found & MARKS) !== this.lookMark) return this.notAvailable(found & MARKS);
      flags[position] = found;
      this.held++;
      this.listLength++;
      this.lookAt = position + 1;
      if (this.lookAt === size) {
        this.lookAt = 0;
        this.lookMark ^= MARKS;
      }
      if ((found & NEXT) === 0) {
        this.lengths[this.listAt] = this.listLength;
        this.listAt = this.lookAt;
        this.listLength = 0;
        this.seen = (this.seen + 1) & INDEX_MASK;
      }
    }
    return NO_FAULT;
  }

  /** A descriptor that is not available ends the look, but no list (2.8.17). */
  private notAvailable(mark: number): FaultCode {
    // 2.8.1: nobody but the device, who was not here in this lap, may have marked it used.
    const used = this.lookMark === AVAIL ? MARKS : 0;
    if (mark === used) return this.breakWith(Fault.DescriptorMarksInvalid);
    return this.ended(this.listLength === 0);
  }

  private ended(atBuffer: boolean): FaultCode {
    if (!atBuffer) return this.breakWith(Fault.DescriptorListIncomplete);
    this.sawAll = true;
    return NO_FAULT;
  }

  private next(position: number, by: number): number {
    const next = position + by;
    return next < this.size ? next : next - this.size;
  }

  /** The head is the position of the first descriptor; the id is in the last one (2.8.6). */
  // [impl->req~queue.in-flight-once~1]
  takeHead(): number {
    const head = this.takeAt;
    const length = this.lengths[head]!;
    const last = this.next(head, length - 1);
    const id = this.arena.u16[(this.ringAt + PackedDesc.SIZE * last + PackedDesc.ID) >>> 1]!;
    const bit = 1 << (id & 7);
    if ((this.inFlight[id >>> 3]! & bit) !== 0) {
      this.breakWith(Fault.HeadInFlight);
      return -1;
    }
    this.inFlight[id >>> 3]! |= bit;
    this.ids[head] = id;
    this.takeAt = this.next(head, length);
    this.taken = (this.taken + 1) & INDEX_MASK;
    return head;
  }

  // [impl->req~queue.bounded-walk~1]
  // [impl->req~queue.chain-checked~1]
  walk(chain: DescriptorChain, head: number, stepsMax: number): FaultCode {
    const { i32 } = this.arena;
    const length = this.lengths[head]!;
    let position = head;
    for (let n = 0; n < length; n++) {
      if (!chain.step(stepsMax)) return Fault.ChainTooLong;
      const flags = this.flags[position]!;
      const word = (this.ringAt + PackedDesc.SIZE * position) >>> 2;
      const low = i32[word]!;
      const high = i32[word + 1]!;
      const bytes = i32[word + 2]!;
      let fault: FaultCode;
      if ((flags & INDIRECT) === 0) {
        fault = chain.append(low, high, bytes, (flags & WRITE) !== 0);
      } else {
        // 2.8.19: a table is alone, and so is not in a list that NEXT links.
        const linked = length > 1 ? NEXT : 0;
        fault = chain.extendByTable(this, low, high, bytes, linked, stepsMax);
      }
      if (fault !== NO_FAULT) return fault;
      position = this.next(position, 1);
    }
    return NO_FAULT;
  }

  untake(head: number): void {
    this.release(head);
    this.takeAt = head;
    this.taken = wrapIndex(this.taken - 1);
  }

  private release(head: number): void {
    const id = this.ids[head]!;
    this.inFlight[id >>> 3]! &= ~(1 << (id & 7));
  }

  /** In the order taken the used descriptor lies where the buffer's first one was (2.8.6). */
  // [impl->req~queue.used-order~1]
  // [impl->req~queue.in-order~1]
  complete(head: number, usedLength: number): void {
    const at = this.ringAt + PackedDesc.SIZE * head;
    this.arena.i32[(at + PackedDesc.LEN) >>> 2] = usedLength;
    this.arena.u16[(at + PackedDesc.ID) >>> 1] = this.ids[head]!;
    this.written[head] = usedLength > 0 ? WRITE : 0;
    this.completed++;
  }

  /** The first descriptor is marked last: the driver looks nowhere else before (2.8.2, 2.8.9). */
  publish(): void {
    const { completed } = this;
    if (completed === 0) return;
    const { u16 } = this.arena;
    const first = (this.ringAt + PackedDesc.SIZE * this.publishedAt + PackedDesc.FLAGS) >>> 1;
    const firstFlags = this.publishedMark | this.written[this.publishedAt]!;
    for (let n = 0; n < completed; n++) {
      const position = this.publishedAt;
      const at = this.ringAt + PackedDesc.SIZE * position + PackedDesc.FLAGS;
      if (n > 0) u16[at >>> 1] = this.publishedMark | this.written[position]!;
      this.release(position);
      const length = this.lengths[position]!;
      this.held -= length;
      this.unnotified += length;
      this.publishedAt = this.next(position, length);
      if (this.publishedAt <= position) this.publishedMark ^= MARKS;
    }
    this.completed = 0;
    Atomics.store(u16, first, firstFlags);
  }

  /** 2.8.10: an event is a position in one of two laps; what makes no sense asks for all. */
  // [impl->req~queue.notify-suppression~1]
  takeNotification(): boolean {
    const count = this.unnotified;
    if (count === 0) return false;
    const from = this.notifiedAt;
    this.notifiedAt = this.publishedMark === 0 ? this.publishedAt + this.size : this.publishedAt;
    this.unnotified = 0;
    const event = Atomics.load(this.arena.i32, this.driverEventAt >>> 2);
    const flags = (event >>> 16) & PackedEventFlags.MASK;
    if (flags === PackedEventFlags.DISABLE) return false;
    if (flags !== PackedEventFlags.DESC || !this.eventIdx) return true;
    const offset = event & POSITION_MASK;
    if (offset >= this.size) return true;
    const place = (event & PACKED_WRAP) === 0 ? offset + this.size : offset;
    const distance = place < from ? place + 2 * this.size - from : place - from;
    return distance < count;
  }
}
