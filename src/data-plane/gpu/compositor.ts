/**
 * Composes one display from its planes, in bands, at its refresh rate and in its own windows: each
 * pixel comes from the one plane that can be seen there, and from nobody else.
 */
import { Fault } from '../../base/fault.ts';
import { Rect } from '../../base/rectangle.ts';
import { DisplayCounter, RegionCounter, type Counters } from '../../channel/counters.ts';
import { GPU_PIECE_BYTES, GPU_PIECE_RUNS } from '../../schedule/cost-model.ts';
import type { PlanDisplay } from '../../schedule/gateway-plan.ts';
import { GPU_PIXEL_BYTES } from '../../wire/virtio-gpu.ts';
import type { Arena } from '../arena.ts';
import type { FrameTime } from '../frame-time.ts';
import { Served, type QueueService } from '../queue-service.ts';
import type { Plane } from './plane.ts';
import { PlaneView } from './plane-view.ts';
import type { ProtectedRegion } from './protected-region.ts';
import { RegionSum } from './region-sum.ts';

export interface CompositorParts {
  readonly plan: PlanDisplay;
  readonly planes: readonly Plane[];
  readonly arena: Arena;
  readonly time: FrameTime;
  readonly counters: Counters;
  readonly pixelsAt: number;
  readonly crcTablesAt: number;
}

const Phase = { IDLE: 0, COPY: 1, SUM: 2 } as const;

// [impl->req~gpu.compositor-windows~1]
export class Compositor implements QueueService {
  lastBytes = 0;
  private readonly parts: CompositorParts;
  private readonly words: Float64Array;
  private readonly countersAt: number;
  private readonly views: readonly PlaneView[];
  private readonly sum: RegionSum;
  private readonly stride: number;
  private readonly nextRefresh = new Float64Array(1);
  private readonly band = new Rect();
  private phase: number = Phase.IDLE;
  // How far the composition under way has come.
  private view = 0;
  private visible = 0;
  private region = 0;
  private summing = false;
  private row = 0;
  private column = 0;
  private begun = false;

  constructor(parts: CompositorParts) {
    this.parts = parts;
    this.words = parts.counters.words;
    this.countersAt = parts.counters.displayAt(parts.plan.index);
    this.views = parts.planes.map((plane) => new PlaneView(plane, parts.arena, parts.counters));
    this.sum = new RegionSum(parts.arena, parts.crcTablesAt);
    this.stride = parts.plan.widthPx * GPU_PIXEL_BYTES;
  }

  majorFrameBegins(): void {}

  reset(): void {}

  serveMany(): number {
    return 0;
  }

  /** One band at a time while there is something to compose; the clock has just been read. */
  look(): number {
    if (this.phase !== Phase.IDLE) return 1;
    const { time, plan } = this.parts;
    if (time.now[0]! < this.nextRefresh[0]!) return 0;
    this.nextRefresh[0] = (Math.floor(time.now[0]! / plan.refreshNs) + 1) * plan.refreshNs;
    this.words[this.countersAt + DisplayCounter.REFRESHES]! += 1;
    this.supervise();
    return this.beginComposition() ? 1 : 0;
  }

  /** Reports owners that have become late with a protected region. */
  private supervise(): void {
    const { time } = this.parts;
    for (let n = 0; n < this.views.length; n++) {
      const { plane } = this.views[n]!;
      if (!plane.owner?.running) {
        plane.ownerBegins();
        continue;
      }
      for (let r = 0; r < plane.regions.length; r++) {
        const region = plane.regions[r]!;
        if (!region.becomesFrozen(time.now)) continue;
        this.countRegion(region, RegionCounter.FROZEN);
        plane.owner.fault(Fault.FrozenPlane, plane.queue);
      }
    }
  }

  private countRegion({ plan }: ProtectedRegion, counter: number): void {
    this.words[this.parts.counters.regionAt(plan.index) + counter]! += 1;
  }

  /** Takes over what has changed; false when nothing has. */
  private beginComposition(): boolean {
    let any = false;
    for (let n = 0; n < this.views.length; n++) any = this.views[n]!.take() || any;
    if (!any) return false;
    this.words[this.countersAt + DisplayCounter.BEGUN]! += 1;
    this.phase = Phase.COPY;
    this.view = this.visible = this.region = 0;
    this.begun = this.summing = false;
    return true;
  }

  serve(bytesLeft: number): number {
    const bytesMax = bytesLeft < GPU_PIECE_BYTES ? bytesLeft : GPU_PIECE_BYTES;
    this.lastBytes = 0;
    if (this.phase === Phase.COPY) this.copy(bytesMax);
    if (this.phase === Phase.SUM) this.check(bytesMax);
    this.words[this.countersAt + DisplayCounter.BYTES]! += this.lastBytes;
    return Served.ONE;
  }

  publish(): void {}

  /** Copies bands of what changed of every plane, as far as it can be seen. */
  private copy(bytesMax: number): void {
    for (let run = 0; run < GPU_PIECE_RUNS; run++) {
      if (!this.begun && !this.nextBand()) {
        this.composed();
        return;
      }
      const left = (bytesMax - this.lastBytes) >>> 2;
      if (left === 0) return;
      const { band } = this;
      const count = Math.min(band.x + band.width - this.column, left);
      this.views[this.view]!.draw(
        this.displayAt(this.column, this.row),
        this.column,
        this.row,
        count,
      );
      this.lastBytes += count * GPU_PIXEL_BYTES;
      this.column += count;
      if (this.column === band.x + band.width) this.nextRow();
    }
  }

  private nextRow(): void {
    const { band } = this;
    this.column = band.x;
    this.row++;
    if (this.row < band.y + band.height) return;
    this.begun = false;
    this.visible++;
  }

  /** Finds the next visible part that has changed; bounded by the parts of all planes. */
  private nextBand(): boolean {
    for (; this.view < this.views.length; this.view++) {
      const { changed, plane } = this.views[this.view]!;
      const { visible } = plane.plan;
      for (; this.visible < visible.length; this.visible++) {
        this.band.copy(changed);
        this.band.intersect(visible[this.visible]!);
        if (this.band.isEmpty()) continue;
        this.row = this.band.y;
        this.column = this.band.x;
        this.begun = true;
        return true;
      }
      this.visible = 0;
    }
    return false;
  }

  /** Arena offset of a pixel of the present plane on the display. */
  private displayAt(x: number, y: number): number {
    const { rectangle } = this.views[this.view]!.plane.plan;
    const row = (rectangle.y + y) * this.stride;
    return (this.parts.pixelsAt + row + (rectangle.x + x) * GPU_PIXEL_BYTES) | 0;
  }

  private composed(): void {
    const { time } = this.parts;
    time.read();
    for (let n = 0; n < this.views.length; n++) this.views[n]!.composed(time.now);
    this.words[this.countersAt + DisplayCounter.COMPOSED]! += 1;
    this.phase = Phase.SUM;
    this.view = this.region = 0;
  }

  /** Sums what the display shows where a protected region was composed, and judges it. */
  private check(bytesMax: number): void {
    for (; this.view < this.views.length; this.view++) {
      const view = this.views[this.view]!;
      const { regions } = view.plane;
      for (; this.region < regions.length; this.region++) {
        const region = regions[this.region]!;
        if (!view.changed.meets(region.plan.rectangle)) continue;
        // At most one region a band: each may have as many rows as a band has runs.
        if (this.sumRegion(region, bytesMax)) {
          this.judge(view, region);
          this.region++;
        }
        return;
      }
      this.region = 0;
    }
    for (let n = 0; n < this.views.length; n++) this.views[n]!.changed.clear();
    this.phase = Phase.IDLE;
  }

  /** True when the sum of the region is complete. */
  private sumRegion({ plan }: ProtectedRegion, bytesMax: number): boolean {
    if (!this.summing) {
      const { x, y, width, height } = plan.rectangle;
      this.sum.begin(this.displayAt(x, y), this.stride, width * GPU_PIXEL_BYTES, height);
      this.summing = true;
    }
    this.lastBytes += this.sum.step(bytesMax - this.lastBytes);
    if (!this.sum.done) return false;
    this.summing = false;
    return true;
  }

  // [impl->req~gpu.region-crc~1]
  private judge(view: PlaneView, region: ProtectedRegion): void {
    const { plane } = view;
    // A picture that was being changed, or that is not the owner's, says nothing about its owner.
    if (!view.isWhole) return;
    this.countRegion(region, RegionCounter.CHECKS);
    if (this.sum.crc === region.flushedCrc && region.allows(this.sum.crc)) {
      region.verified(this.parts.time.now);
      return;
    }
    this.countRegion(region, RegionCounter.MISMATCHES);
    plane.owner?.fault(Fault.RegionCrcMismatch, plane.queue);
  }
}
