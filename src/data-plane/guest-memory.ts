/** Guest-physical address to arena offset: the one place that bounds what a partition can reach. */
import { assert } from '../base/assert.ts';

export const REGIONS_MAX = 32;
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

  /** Replaces all regions; whoever took them from a guest has checked them. */
  setRegions(regions: readonly MemoryRegion[]): void {
    assert(regions.length <= REGIONS_MAX, 'the number of regions is bounded before');
    regions.forEach(({ guestPhysical, size, arenaAt }, index) => {
      assert(size > 0 && size < TWO_32 && Number.isSafeInteger(guestPhysical), 'a region fits the arena');
      this.startLow[index] = guestPhysical % TWO_32;
      this.startHigh[index] = Math.floor(guestPhysical / TWO_32);
      this.size[index] = size;
      this.arenaAt[index] = arenaAt;
    });
    this.count = regions.length;
  }

  /**
   * Arena offset of a guest range that lies wholly inside one region, or 0. A range of length 0
   * must still begin inside a region. All three arguments are 32-bit patterns; the distance from a
   * region's start is taken in two halves, exactly as 64-bit hardware would.
   */
  translate(low: number, high: number, length: number): number {
    for (let n = 0; n < this.count; n++) {
      const startLow = this.startLow[n]!;
      const into = (low - startLow) >>> 0;
      const borrow = (low >>> 0) < (startLow >>> 0) ? 1 : 0;
      if (((high - this.startHigh[n]! - borrow) | 0) !== 0) continue;
      const size = this.size[n]!;
      if (into < size && (length >>> 0) <= size - into) return (this.arenaAt[n]! + into) | 0;
    }
    return 0;
  }
}
