/** Guest-physical address to arena offset: the one place that bounds what a partition can reach. */
import { assert } from '../base/assert.ts';

export const REGIONS_MAX = 32;
/** 2^53 / 2^32: a high half from here on cannot be held exactly, nor lie in any region. */
const HIGH_HALF_LIMIT = 0x200000;
const HIGH_HALF = 0x1_0000_0000;

/** One range of guest-physical addresses and where it lies in the arena; all in bytes. */
export interface MemoryRegion {
  readonly guestPhysical: number;
  readonly size: number;
  readonly arenaAt: number;
}

// [impl->req~mem.bounds~1]
// [impl->req~mem.wrap~1]
export class GuestMemory {
  private readonly start = new Float64Array(REGIONS_MAX);
  private readonly size = new Float64Array(REGIONS_MAX);
  private readonly arenaAt = new Float64Array(REGIONS_MAX);
  private count = 0;

  /** Replaces all regions. @throws InternalError when they overlap or leave 53 bits: checked before */
  setRegions(regions: readonly MemoryRegion[]): void {
    assert(regions.length <= REGIONS_MAX, 'the number of regions is bounded before');
    regions.forEach((region, index) => {
      assert(region.size > 0 && Number.isSafeInteger(region.guestPhysical + region.size), 'region is exact');
      this.start[index] = region.guestPhysical;
      this.size[index] = region.size;
      this.arenaAt[index] = region.arenaAt;
    });
    this.count = regions.length;
  }

  /**
   * Arena offset of a guest range that lies wholly inside one region, or 0. A range of length 0
   * must still begin inside a region. All three arguments are 32-bit patterns.
   */
  translate(low: number, high: number, length: number): number {
    if (high >>> 0 >= HIGH_HALF_LIMIT) return 0;
    const address = (high >>> 0) * HIGH_HALF + (low >>> 0);
    const bytes = length >>> 0;
    for (let n = 0; n < this.count; n++) {
      const into = address - this.start[n]!;
      const size = this.size[n]!;
      if (into >= 0 && into < size && bytes <= size - into) return (this.arenaAt[n]! + into) | 0;
    }
    return 0;
  }
}
