/** Guest-physical address to arena offset: the one place that bounds what a partition can reach. */
import { assert } from '../base/assert.ts';
import { REGIONS_MAX, RegionWord } from '../schedule/arena-layout.ts';

const TWO_32 = 0x1_0000_0000;

/** One range of guest-physical addresses and where it lies in the arena; all in bytes. */
export interface MemoryRegion {
  readonly guestPhysical: number;
  readonly size: number;
  readonly arenaAt: number;
}

// [impl->req~mem.bounds~1]
// [impl->req~mem.wrap~1]
export class GuestMemory {
  private readonly startLow = new Int32Array(REGIONS_MAX);
  private readonly startHigh = new Int32Array(REGIONS_MAX);
  private readonly size = new Uint32Array(REGIONS_MAX);
  private readonly arenaAt = new Int32Array(REGIONS_MAX);
  private count = 0;
  // The region that was hit last, as signed patterns: fields cost less than elements.
  private hitLow = 0;
  private hitHigh = 0;
  private hitSize = 0;
  private hitAt = 0;

  /** Replaces all regions; whoever took them from a guest has checked them. */
  setRegions(regions: readonly MemoryRegion[]): void {
    assert(regions.length <= REGIONS_MAX, 'the number of regions is bounded before');
    regions.forEach(({ guestPhysical, size, arenaAt }, index) => {
      assert(
        size > 0 && size < TWO_32 && Number.isSafeInteger(guestPhysical + size),
        'a region fits the arena',
      );
      this.startLow[index] = guestPhysical % TWO_32;
      this.startHigh[index] = Math.floor(guestPhysical / TWO_32);
      this.size[index] = size;
      this.arenaAt[index] = arenaAt;
    });
    this.count = regions.length;
    this.hitSize = 0;
  }

  /** Replaces all regions by a table in the arena, which the control plane has checked. */
  load(words: Int32Array, tableAt: number, count: number): void {
    for (let n = 0; n < count; n++) {
      const at = (tableAt >>> 2) + n * RegionWord.COUNT;
      this.startLow[n] = words[at + RegionWord.START_LOW]!;
      this.startHigh[n] = words[at + RegionWord.START_HIGH]!;
      this.size[n] = words[at + RegionWord.SIZE]!;
      this.arenaAt[n] = words[at + RegionWord.ARENA_AT]!;
    }
    this.count = count;
    this.hitSize = 0;
  }

  /**
   * Arena offset of a guest range that lies wholly inside one region, or 0. A range of length 0
   * must still begin inside a region. All three arguments are 32-bit patterns; the distance from a
   * region's start is taken in two halves, exactly as 64-bit hardware would.
   */
  translate(low: number, high: number, length: number): number {
    const into = (low - this.hitLow) >>> 0;
    const borrow = low >>> 0 < this.hitLow >>> 0 ? 1 : 0;
    if (((high - this.hitHigh - borrow) | 0) === 0) {
      const size = this.hitSize >>> 0;
      if (into < size && length >>> 0 <= size - into) return (this.hitAt + into) | 0;
    }
    return this.search(low, high, length);
  }

  /** Looks through all regions; the one that is hit comes first the next time. */
  private search(low: number, high: number, length: number): number {
    for (let n = 0; n < this.count; n++) {
      const startLow = this.startLow[n]!;
      const into = (low - startLow) >>> 0;
      const borrow = low >>> 0 < startLow >>> 0 ? 1 : 0;
      if (((high - this.startHigh[n]! - borrow) | 0) !== 0) continue;
      const size = this.size[n]!;
      if (into >= size || length >>> 0 > size - into) continue;
      this.hit(n);
      return (this.hitAt + into) | 0;
    }
    return 0;
  }

  private hit(n: number): void {
    this.hitLow = this.startLow[n]!;
    this.hitHigh = this.startHigh[n]!;
    this.hitSize = this.size[n]! | 0;
    this.hitAt = this.arenaAt[n]!;
  }
}
