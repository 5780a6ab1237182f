/**
 * The composition of one plane, as far as it has come: what changed is copied to the display, then
 * what is protected of it is checked. It goes on band by band, and may wait between two of them.
 */
import { Fault } from '../../base/fault.ts';
import { Rect } from '../../base/rectangle.ts';
import { RegionCounter, type Counters } from '../../channel/counters.ts';
import { GPU_PIECE_RUNS } from '../../schedule/cost-model.ts';
import { GPU_PIXEL_BYTES } from '../../wire/virtio-gpu.ts';
import type { Arena } from '../arena.ts';
import type { FrameTime } from '../frame-time.ts';
import type { Plane } from './plane.ts';
import { PlaneView } from './plane-view.ts';
import type { ProtectedRegion } from './protected-region.ts';
import { RegionSum } from './region-sum.ts';

/** What one band may still do. */
export class Band {
  bytesLeft = 0;
  runsLeft = 0;

  open(bytes: number): void {
    this.bytesLeft = bytes;
    this.runsLeft = GPU_PIECE_RUNS;
  }

  /** Nothing more in this band. */
  close(): void {
    this.runsLeft = 0;
  }
}

export interface PlaneWorkParts {
  readonly arena: Arena;
  readonly time: FrameTime;
  readonly counters: Counters;
  readonly crcTablesAt: number;
  /** The display's picture, and from one of its rows to the next, in bytes. */
  readonly pixelsAt: number;
  readonly stride: number;
}

export class PlaneWork {
  /** Something was taken over that is not composed and checked yet. */
  pending = false;
  readonly plane: Plane;
  private readonly parts: PlaneWorkParts;
  private readonly view: PlaneView;
  private readonly sum: RegionSum;
  private readonly area = new Rect();
  private copying = false;
  private visible = 0;
  private begun = false;
  private row = 0;
  private column = 0;
  private region = 0;
  private summing = false;

  constructor(plane: Plane, parts: PlaneWorkParts) {
    this.plane = plane;
    this.parts = parts;
    this.view = new PlaneView(plane, parts.arena, parts.counters);
    this.sum = new RegionSum(parts.arena, parts.crcTablesAt);
  }

  /** Takes over what has changed, if all is done that was taken over before. */
  begin(): void {
    if (this.pending || !this.view.take()) return;
    this.pending = this.copying = true;
    this.begun = this.summing = false;
    this.visible = this.region = 0;
  }

  /** Goes on as far as the band allows. */
  step(band: Band): void {
    if (this.copying) {
      if (!this.copied(band)) return;
      this.copying = false;
      this.parts.time.read();
      this.view.composed(this.parts.time.now);
    }
    this.pending = !this.checked(band);
  }

  /** True when all that changed is copied, as far as it can be seen. */
  private copied(band: Band): boolean {
    const { area } = this;
    for (; this.begun || this.nextArea(); band.runsLeft--) {
      const left = band.bytesLeft >>> 2;
      if (left === 0 || band.runsLeft === 0) return false;
      const count = Math.min(area.x + area.width - this.column, left);
      this.view.draw(this.displayAt(this.column, this.row), this.column, this.row, count);
      band.bytesLeft -= count * GPU_PIXEL_BYTES;
      this.column += count;
      if (this.column === area.x + area.width) this.nextRow();
    }
    return true;
  }

  private nextRow(): void {
    const { area } = this;
    this.column = area.x;
    this.row++;
    if (this.row < area.y + area.height) return;
    this.begun = false;
    this.visible++;
  }

  /** Finds the next visible part that has changed; bounded by the parts of the plane. */
  private nextArea(): boolean {
    const { visible } = this.plane.plan;
    const { area } = this;
    for (; this.visible < visible.length; this.visible++) {
      area.copy(this.view.changed);
      area.intersect(visible[this.visible]!);
      if (area.isEmpty()) continue;
      this.row = area.y;
      this.column = area.x;
      this.begun = true;
      return true;
    }
    return false;
  }

  /** Arena offset of a pixel of the plane on the display. */
  private displayAt(x: number, y: number): number {
    const { rectangle } = this.plane.plan;
    const { pixelsAt, stride } = this.parts;
    return (pixelsAt + (rectangle.y + y) * stride + (rectangle.x + x) * GPU_PIXEL_BYTES) | 0;
  }

  /**
   * Sums what the display shows where a protected region was composed, and judges it; true when
   * there is none left. At most one region a band: each may have as many rows as a band has runs.
   */
  private checked(band: Band): boolean {
    const { regions } = this.plane;
    const { changed } = this.view;
    while (this.region < regions.length && !changed.meets(regions[this.region]!.plan.rectangle)) {
      this.region++;
    }
    if (this.region === regions.length) return true;
    const region = regions[this.region]!;
    if (this.summed(region, band)) {
      this.judge(region);
      this.region++;
    }
    band.close();
    return false;
  }

  /** True when the sum of the region is complete. */
  private summed({ plan }: ProtectedRegion, band: Band): boolean {
    if (!this.summing) {
      const { x, y, width, height } = plan.rectangle;
      this.sum.begin(this.displayAt(x, y), this.parts.stride, width * GPU_PIXEL_BYTES, height);
      this.summing = true;
    }
    band.bytesLeft -= this.sum.step(band.bytesLeft);
    if (!this.sum.done) return false;
    this.summing = false;
    return true;
  }

  // [impl->req~gpu.region-crc~1]
  private judge(region: ProtectedRegion): void {
    const { plane } = this;
    // A picture that was being changed, or that is not the owner's, says nothing about its owner.
    if (!this.view.isWhole) return;
    this.count(region, RegionCounter.CHECKS);
    if (this.sum.crc === region.flushedCrc && region.allows(this.sum.crc)) {
      region.verified(this.parts.time.now);
      return;
    }
    this.count(region, RegionCounter.MISMATCHES);
    plane.owner?.fault(Fault.RegionCrcMismatch, plane.queue);
  }

  /** Reports that the owner has become late with a protected region. */
  supervise(): void {
    const { plane } = this;
    if (!plane.owner?.running) {
      plane.ownerBegins();
      return;
    }
    for (let n = 0; n < plane.regions.length; n++) {
      const region = plane.regions[n]!;
      if (!region.becomesFrozen(this.parts.time.now)) continue;
      this.count(region, RegionCounter.FROZEN);
      plane.owner.fault(Fault.FrozenPlane, plane.queue);
    }
  }

  private count({ plan }: ProtectedRegion, counter: number): void {
    const { counters } = this.parts;
    counters.words[counters.regionAt(plan.index) + counter]! += 1;
  }
}
