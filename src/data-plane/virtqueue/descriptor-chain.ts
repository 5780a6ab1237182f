/**
 * A walked descriptor chain: checked segments in the arena (VIRTIO 2.7.4, 2.7.5). Reused, never
 * allocated.
 */
import { Fault, NO_FAULT, type FaultCode } from '../../base/fault.ts';
import { VirtqDesc, VirtqDescFlag } from '../../wire/virtqueue.ts';
import type { Arena } from '../arena.ts';
import type { GuestMemory } from '../guest-memory.ts';

const BYTES_MAX = 0x7fffffff;
const TABLES_MAX = 0x7fffffff;
/** Largest queue, and so largest table, of VIRTIO 2.6. */
const QUEUE_SIZE_MAX = 32768;

const { NEXT, WRITE, INDIRECT } = VirtqDescFlag;
const NEXT_OR_INDIRECT = NEXT | INDIRECT;

/** What bounds an indirect table. */
interface TableBounds {
  readonly size: number;
  readonly indirect: boolean;
}

/** What the walk needs to know of the split queue the chain came from. */
export interface ChainSource extends TableBounds {
  readonly tableAt: number;
}

export class DescriptorChain {
  /** Arena offset and length of each segment that has bytes, device-readable ones first. */
  readonly at: Int32Array;
  readonly length: Int32Array;
  segments = 0;
  readableSegments = 0;
  readableBytes = 0;
  writableBytes = 0;
  /** Descriptors read since {@link begin}, tables included: the bound of the walk. */
  steps = 0;

  /** The walk of a table in which each of its descriptors was visited last. */
  private readonly visited = new Int32Array(QUEUE_SIZE_MAX);
  private table = 0;
  /** Indirect tables among the chains since {@link begin}. */
  private tables = 0;
  private writable = false;
  private tableAt = 0;
  private tableSize = 0;
  private inTable = false;
  /** Where the next byte is written. */
  private writeSegment = 0;
  private writeUsed = 0;

  private readonly arena: Arena;
  private readonly memory: GuestMemory;
  /** Most descriptors that one chain, or one packet's chains together, may have. */
  readonly descriptorsMax: number;
  private readonly descScratchAt: number;

  constructor(arena: Arena, memory: GuestMemory, descriptorsMax: number, descScratchAt: number) {
    this.arena = arena;
    this.memory = memory;
    this.descriptorsMax = descriptorsMax;
    this.descScratchAt = descScratchAt;
    this.at = new Int32Array(descriptorsMax);
    this.length = new Int32Array(descriptorsMax);
  }

  begin(): void {
    this.segments = 0;
    this.readableSegments = 0;
    this.readableBytes = 0;
    this.writableBytes = 0;
    this.steps = 0;
    this.tables = 0;
    this.writable = false;
    this.writeSegment = 0;
    this.writeUsed = 0;
  }

  /**
   * Appends the chain that starts at `head` (below the queue size, checked by the queue).
   * The first wrong descriptor ends the walk; what was appended before stays, and must not be used.
   */
  // [impl->req~queue.bounded-walk~1]
  // [impl->req~queue.chain-checked~1]
  // [impl->req~mem.single-fetch~1]
  extend(source: ChainSource, head: number, stepsMax: number): FaultCode {
    const limit = stepsMax < this.descriptorsMax ? stepsMax : this.descriptorsMax;
    if (this.steps - this.tables >= limit) return Fault.ChainTooLong;
    this.steps++;
    const { i32 } = this.arena;
    // A ring's own table is aligned, so that its descriptors are read in place.
    const word = (source.tableAt + VirtqDesc.SIZE * head) >>> 2;
    const low = i32[word]!;
    const high = i32[word + 1]!;
    const length = i32[word + 2]!;
    const flagsAndNext = i32[word + 3]!;
    if ((flagsAndNext & NEXT_OR_INDIRECT) === 0) {
      return this.append(low, high, length, (flagsAndNext & WRITE) !== 0);
    }
    return this.follow(source, head, limit, low, high, length, flagsAndNext);
  }

  /** The rest of a chain whose first descriptor, just read, is not its last. */
  private follow(
    source: ChainSource,
    head: number,
    limit: number,
    low: number,
    high: number,
    length: number,
    flagsAndNext: number,
  ): FaultCode {
    this.tableAt = source.tableAt;
    this.tableSize = source.size;
    this.inTable = false;
    let index = head;
    this.beginTable();
    this.visited[index] = this.table;
    for (;;) {
      const indirect = (flagsAndNext & INDIRECT) !== 0;
      const fault = indirect
        ? this.enterTable(source, low, high, length, flagsAndNext)
        : this.append(low, high, length, (flagsAndNext & WRITE) !== 0);
      if (fault !== NO_FAULT) return fault;
      if (indirect) {
        // The descriptor that names the table is not part of the chain; there is one at most.
        this.tables++;
        index = 0;
        this.beginTable();
      } else {
        if ((flagsAndNext & NEXT) === 0) return NO_FAULT;
        index = flagsAndNext >>> 16;
        if (index >= this.tableSize) return Fault.NextOutOfRange;
        if (this.visited[index] === this.table) return Fault.DescriptorLoop;
      }
      this.visited[index] = this.table;
      if (this.steps - this.tables >= limit) return Fault.ChainTooLong;
      this.steps++;
      const word = this.descriptorWord(index);
      const { i32 } = this.arena;
      low = i32[word]!;
      high = i32[word + 1]!;
      length = i32[word + 2]!;
      flagsAndNext = i32[word + 3]!;
    }
  }

  /** A new table to walk: no descriptor of it has been visited. */
  private beginTable(): void {
    if (this.table === TABLES_MAX) {
      this.visited.fill(0);
      this.table = 0;
    }
    this.table++;
  }

  /**
   * Index into the 32-bit view of the descriptor; a table at an odd address is read by way of
   * scratch.
   */
  private descriptorWord(index: number): number {
    const at = (this.tableAt + VirtqDesc.SIZE * index) | 0;
    if (!this.inTable || (at & 3) === 0) return at >>> 2;
    this.arena.copy(this.descScratchAt, at, VirtqDesc.SIZE);
    return this.descScratchAt >>> 2;
  }

  /** 2.7.5.3: one table, as the last element of the chain, of whole descriptors. */
  private enterTable(
    source: TableBounds,
    low: number,
    high: number,
    length: number,
    flags: number,
  ): FaultCode {
    if (this.inTable) return Fault.IndirectNested;
    if (!source.indirect) return Fault.IndirectNotNegotiated;
    if ((flags & NEXT) !== 0) return Fault.IndirectWithNext;
    const bytes = length >>> 0;
    if (bytes === 0 || bytes % VirtqDesc.SIZE !== 0 || bytes > source.size * VirtqDesc.SIZE) {
      return Fault.IndirectLength;
    }
    const at = this.memory.translate(low, high, length);
    if (at === 0) return Fault.AddressOutOfRange;
    this.tableAt = at;
    this.tableSize = bytes / VirtqDesc.SIZE;
    this.inTable = true;
    return NO_FAULT;
  }

  /** Counts one more descriptor of a packed buffer; false when that is one too many. */
  step(stepsMax: number): boolean {
    const limit = stepsMax < this.descriptorsMax ? stepsMax : this.descriptorsMax;
    if (this.steps - this.tables >= limit) return false;
    this.steps++;
    return true;
  }

  /**
   * Appends a table whose descriptors follow each other (2.8.7). Drivers in use leave NEXT, AVAIL
   * and USED set there, and the clause has the device ignore them; a table in a table is refused.
   */
  // [impl->req~queue.packed-tables~1]
  extendByTable(
    source: TableBounds,
    low: number,
    high: number,
    length: number,
    flags: number,
    stepsMax: number,
  ): FaultCode {
    this.inTable = false;
    const entered = this.enterTable(source, low, high, length, flags);
    if (entered !== NO_FAULT) return entered;
    this.tables++;
    const { i32 } = this.arena;
    for (let index = 0; index < this.tableSize; index++) {
      if (!this.step(stepsMax)) return Fault.ChainTooLong;
      const word = this.descriptorWord(index);
      const flagsInTable = i32[word + 3]! >>> 16;
      if ((flagsInTable & INDIRECT) !== 0) return Fault.IndirectNested;
      const writable = (flagsInTable & WRITE) !== 0;
      const fault = this.append(i32[word]!, i32[word + 1]!, i32[word + 2]!, writable);
      if (fault !== NO_FAULT) return fault;
    }
    return NO_FAULT;
  }

  /** Appends one element, checked against the memory and the order of directions. */
  append(low: number, high: number, length: number, writable: boolean): FaultCode {
    const at = this.memory.translate(low, high, length);
    if (at === 0) return Fault.AddressOutOfRange;
    if (length < 0) return Fault.ChainBytesExceeded;
    const sum = length + (writable ? this.writableBytes : this.readableBytes);
    if (sum > BYTES_MAX) return Fault.ChainBytesExceeded;
    if (writable) this.writableBytes = sum;
    else if (this.writable) return Fault.ReadableAfterWritable;
    else this.readableBytes = sum;
    if (writable) this.writable = true;
    if (length === 0) return NO_FAULT;
    const segment = this.segments++;
    this.at[segment] = at;
    this.length[segment] = length;
    if (!writable) this.readableSegments = segment + 1;
    return NO_FAULT;
  }

  /**
   * Copies `bytes` readable bytes, from `from` on, to one place in the arena. The caller knows that
   * the chain has them.
   */
  gather(from: number, bytes: number, to: number): void {
    let skip = from;
    let left = bytes;
    let at = to;
    for (let n = 0; n < this.readableSegments && left > 0; n++) {
      const length = this.length[n]!;
      if (skip >= length) {
        skip -= length;
        continue;
      }
      const piece = Math.min(length - skip, left);
      this.arena.copy(at, (this.at[n]! + skip) | 0, piece);
      at = (at + piece) | 0;
      left -= piece;
      skip = 0;
    }
  }

  /**
   * Writes `bytes` bytes from one place in the arena behind what was written before; there is room.
   */
  scatter(from: number, bytes: number): void {
    let at = from;
    let left = bytes;
    // 2.7.4.2: what the driver gave to read stays as it is.
    if (this.writeSegment < this.readableSegments) this.writeSegment = this.readableSegments;
    while (left > 0 && this.writeSegment < this.segments) {
      const room = this.length[this.writeSegment]! - this.writeUsed;
      const piece = Math.min(room, left);
      this.arena.copy((this.at[this.writeSegment]! + this.writeUsed) | 0, at, piece);
      at = (at + piece) | 0;
      left -= piece;
      this.writeUsed += piece;
      if (piece === room) {
        this.writeSegment++;
        this.writeUsed = 0;
      }
    }
  }
}
