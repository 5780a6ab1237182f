/**
 * Guest memory behind resources: lists of ranges in a pool with a bound, translated anew at every
 * use, because the regions of a partition may change (5.7.6.8, RESOURCE_ATTACH_BACKING).
 */
import type { GuestMemory } from '../guest-memory.ts';
import { Extents, NO_ROOM } from './extents.ts';
import type { Resource } from './resource.ts';

export class BackingStore {
  /** Bytes that {@link find} has found behind the position that was asked for. */
  foundBytes = 0;
  private readonly extents: Extents;
  private readonly low: Int32Array;
  private readonly high: Int32Array;
  /** Where each range begins inside its backing, and where it ends. */
  private readonly from: Float64Array;
  private readonly to: Float64Array;
  private readonly memory: GuestMemory;

  constructor(memory: GuestMemory, entriesMax: number, backingsMax: number) {
    this.memory = memory;
    this.extents = new Extents(entriesMax, backingsMax);
    this.low = new Int32Array(entriesMax);
    this.high = new Int32Array(entriesMax);
    this.from = new Float64Array(entriesMax);
    this.to = new Float64Array(entriesMax);
  }

  /** Room for the ranges of a resource that has none; false when there is no more. */
  reserve(resource: Resource, entries: number): boolean {
    const first = this.extents.take(entries);
    if (first === NO_ROOM) return false;
    resource.firstEntry = first;
    resource.entries = 0;
    resource.entriesReserved = entries;
    return true;
  }

  /** Appends one range; false when its partition cannot reach all of it. */
  append(resource: Resource, low: number, high: number, length: number): boolean {
    if (length === 0 || this.memory.translate(low, high, length) === 0) return false;
    const at = resource.firstEntry + resource.entries;
    const from = resource.entries === 0 ? 0 : this.to[at - 1]!;
    this.low[at] = low;
    this.high[at] = high;
    this.from[at] = from;
    this.to[at] = from + (length >>> 0);
    resource.entries++;
    return true;
  }

  release(resource: Resource): void {
    if (resource.entriesReserved > 0) this.extents.release(resource.firstEntry);
    resource.firstEntry = resource.entries = resource.entriesReserved = 0;
  }

  /** Whether the backing has all bytes below `end`. */
  reaches(resource: Resource, end: number): boolean {
    return resource.entries > 0 && this.to[resource.firstEntry + resource.entries - 1]! >= end;
  }

  /**
   * Arena offset of the byte at `position` of the backing, or 0 when its partition cannot reach it
   * any more; {@link foundBytes} of at most `wanted` follow it there.
   */
  find(resource: Resource, position: number, wanted: number): number {
    const entry = this.entryAt(resource, position);
    const into = position - this.from[entry]!;
    const left = this.to[entry]! - position;
    // A whole number of 32 bits, which `left` need not be.
    const bytes = (wanted < left ? wanted : left) | 0;
    const low = this.low[entry]!;
    const lowSum = (low + into) | 0;
    const carry = lowSum >>> 0 < low >>> 0 ? 1 : 0;
    this.foundBytes = bytes;
    return this.memory.translate(lowSum, (this.high[entry]! + carry) | 0, bytes);
  }

  /** The range that has this position, which the backing reaches. */
  private entryAt({ firstEntry, entries }: Resource, position: number): number {
    let low = firstEntry;
    let high = firstEntry + entries - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.to[middle]! <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  clear(): void {
    this.extents.clear();
  }
}
