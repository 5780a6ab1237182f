/**
 * A region of a plane whose picture is supervised: what is composed there is what its owner
 * flushed, and one of the pictures that are allowed; and it is updated in time.
 */
import type { PlanRegion } from '../../schedule/gateway-plan.ts';

// [impl->req~gpu.region-crc~1]
export class ProtectedRegion {
  readonly plan: PlanRegion;
  /** CRC-32 of the region as its owner flushed it, or 0 while nothing was. */
  flushedCrc = 0;
  /** Its owner has flushed it since the display was last found right. */
  private isUpdated = false;
  /** When the display showed an update of its owner last, and rightly, in nanoseconds. */
  readonly verifiedAt = new Float64Array(1);
  /** Its owner is known to be late. */
  frozen = false;

  constructor(plan: PlanRegion) {
    this.plan = plan;
  }

  /** Its owner begins, or will have to: it has all of its time. */
  ownerBegins(): void {
    this.verifiedAt[0] = 0;
    this.frozen = this.isUpdated = false;
  }

  flushed(crc: number): void {
    this.flushedCrc = crc;
    this.isUpdated = true;
  }

  /** The display shows what its owner flushed; composing the same picture again is no update. */
  verified(now: Float64Array): void {
    if (!this.isUpdated) return;
    this.isUpdated = false;
    this.verifiedAt[0] = now[0]!;
    this.frozen = false;
  }

  /** Whether a picture of this CRC may be shown. */
  allows(crc: number): boolean {
    const { crcs } = this.plan;
    return crcs.length === 0 || crcs.includes(crc);
  }

  /**
   * No update of its owner has reached the display in time, which is reported once until one does.
   */
  // [impl->req~gpu.frozen-plane~1]
  becomesFrozen(now: Float64Array): boolean {
    const { frozenAfterNs } = this.plan;
    if (frozenAfterNs === 0 || this.frozen) return false;
    if (this.verifiedAt[0] === 0) this.verifiedAt[0] = now[0]!;
    this.frozen = now[0]! - this.verifiedAt[0]! > frozenAfterNs;
    return this.frozen;
  }
}
