/**
 * Brings a part of a plane's picture up to date, piece by piece: from what a scanout shows, or to
 * black; then sums the protected regions that it touched, and only then calls it complete.
 */
import { Rect, type Area } from '../../base/rectangle.ts';
import { GPU_PIECE_RUNS } from '../../schedule/cost-model.ts';
import { pixelOrderOf } from '../../wire/pixel-order.ts';
import { GPU_PIXEL_BYTES } from '../../wire/virtio-gpu.ts';
import type { Arena } from '../arena.ts';
import type { FrameTime } from '../frame-time.ts';
import type { Plane } from './plane.ts';
import { RegionSum } from './region-sum.ts';
import type { ResourceTable } from './resource-table.ts';
import type { Scanout } from './scanout.ts';

export const UpdateStep = { GOES_ON: 0, DONE: 1, UNREACHABLE: 2 } as const;

/** Opaque black as B, G, R, X. */
export const BLACK = 0xff000000 | 0;

export class PlaneUpdate {
  /** Bytes that the last step moved or summed. */
  movedBytes = 0;
  private readonly arena: Arena;
  private readonly resources: ResourceTable;
  private readonly time: FrameTime;
  private readonly sum: RegionSum;
  private readonly area = new Rect();
  private scanout: Scanout | undefined;
  private plane: Plane | undefined;
  private row = 0;
  private column = 0;
  private region = 0;
  private summing = false;
  private order = 0;

  constructor(arena: Arena, resources: ResourceTable, time: FrameTime, crcTablesAt: number) {
    this.arena = arena;
    this.resources = resources;
    this.time = time;
    this.sum = new RegionSum(arena, crcTablesAt);
  }

  /**
   * Begins to copy `area`, in pixels of the plane and inside of it, from what its scanout shows.
   */
  beginCopy(scanout: Scanout, area: Area): void {
    this.scanout = scanout;
    this.order = pixelOrderOf(scanout.format);
    this.begin(scanout.plane, area);
  }

  /** Begins to make the whole plane black. */
  beginBlack(plane: Plane): void {
    this.scanout = undefined;
    this.area.set(0, 0, plane.width, plane.height);
    this.begin(plane, this.area);
  }

  private begin(plane: Plane, area: Area): void {
    this.plane = plane;
    this.area.copy(area);
    this.row = area.y;
    this.column = area.x;
    this.region = 0;
    this.summing = false;
    plane.flushing = true;
  }

  /** The owner is gone, or starts anew: what was under way is not. */
  abandon(): void {
    if (this.plane) this.plane.flushing = false;
    this.plane = undefined;
  }

  private get right(): number {
    return this.area.x + this.area.width;
  }

  private get bottom(): number {
    return this.area.y + this.area.height;
  }

  /** One piece of at most `bytesMax` bytes. */
  step(bytesMax: number): number {
    const plane = this.plane!;
    this.movedBytes = 0;
    if (!this.draw(plane, bytesMax)) {
      plane.flushing = false;
      return UpdateStep.UNREACHABLE;
    }
    if (this.row < this.bottom || !this.sumRegions(plane, bytesMax)) return UpdateStep.GOES_ON;
    plane.flushing = false;
    if (this.scanout) plane.flushed(this.area, this.time.now);
    else plane.blackened();
    return UpdateStep.DONE;
  }

  /** False when the owner can no longer reach what it wanted to show. */
  private draw(plane: Plane, bytesMax: number): boolean {
    for (let run = 0; run < GPU_PIECE_RUNS && this.row < this.bottom; run++) {
      const left = (bytesMax - this.movedBytes) >>> 2;
      if (left === 0) return true;
      const wanted = Math.min(this.right - this.column, left);
      const drawn = this.drawRun(plane, wanted);
      if (drawn === 0) return false;
      this.movedBytes += drawn * GPU_PIXEL_BYTES;
      this.column += drawn;
      if (this.column < this.right) continue;
      this.column = this.area.x;
      this.row++;
    }
    return true;
  }

  /** Draws at most `count` pixels; how many it were, 0 when none could be read. */
  private drawRun(plane: Plane, count: number): number {
    const { arena, scanout, row, column } = this;
    const to = plane.pixelAt(column, row);
    const resource = scanout?.resource;
    if (!scanout || !resource) {
      arena.fill32(to, count, BLACK);
      return count;
    }
    const position = scanout.positionOf(column, row);
    if (!resource.isBlob) {
      arena.pixels(to, (resource.pixelsAt + position) | 0, count, this.order);
      return count;
    }
    const { backing } = this.resources;
    const from = backing.find(resource, position, count * GPU_PIXEL_BYTES);
    if (from === 0) return 0;
    const found = backing.foundBytes >>> 2;
    arena.pixels(to, from, found, this.order);
    return found;
  }

  /** True when every region that the area meets has its new sum; at most one of them a piece. */
  private sumRegions(plane: Plane, bytesMax: number): boolean {
    const { regions } = plane;
    while (this.region < regions.length && !this.area.meets(regions[this.region]!.plan.rectangle)) {
      this.region++;
    }
    if (this.region === regions.length) return true;
    const region = regions[this.region]!;
    if (!this.summing) this.beginSum(plane, region.plan.rectangle);
    this.movedBytes += this.sum.step(bytesMax - this.movedBytes);
    if (!this.sum.done) return false;
    this.summing = false;
    region.flushed(this.sum.crc);
    this.region++;
    return false;
  }

  private beginSum(plane: Plane, { x, y, width, height }: Area): void {
    this.summing = true;
    this.sum.begin(plane.pixelAt(x, y), plane.stride, width * GPU_PIXEL_BYTES, height);
  }
}
