/**
 * One plane of a display: the picture that its owner flushed, which nobody else writes, and what of
 * it has to be composed anew.
 */
import { Rect, type Area } from '../../base/rectangle.ts';
import type { ScanoutState } from '../../channel/scanout-state.ts';
import type { PlanPlane } from '../../schedule/gateway-plan.ts';
import { GPU_CURSOR_SIDE, GPU_PIXEL_BYTES } from '../../wire/virtio-gpu.ts';
import type { Partition } from '../partition.ts';
import type { ProtectedRegion } from './protected-region.ts';

export interface PlaneParts {
  readonly plan: PlanPlane;
  /** Whoever draws it; none while the configuration names nobody. */
  readonly owner: Partition | undefined;
  /** Number of its controlq, for reports; -1 without owner. */
  readonly queue: number;
  readonly pixelsAt: number;
  readonly warningAt: number;
  readonly cursorAt: number;
  readonly state: ScanoutState;
  readonly regions: readonly ProtectedRegion[];
}

/** Into the range in which a cursor can be seen, and a little more. */
function clamp(position: number, limit: number): number {
  const outside = 2 * GPU_CURSOR_SIDE;
  return Math.max(-outside, Math.min(position, limit + outside));
}

// [impl->req~gpu.plane-owner~1]
export class Plane {
  readonly plan: PlanPlane;
  readonly owner: Partition | undefined;
  readonly queue: number;
  readonly pixelsAt: number;
  readonly warningAt: number;
  readonly cursorAt: number;
  readonly state: ScanoutState;
  readonly regions: readonly ProtectedRegion[];
  /** From one row to the next, in bytes. */
  readonly stride: number;
  /** What has changed since it was composed last. */
  readonly damage = new Rect();
  /** A flush is under way: parts of two pictures stand side by side. */
  flushing = false;
  /** Changes of the picture completed so far, modulo 2^32. */
  flushes = 0;
  /** When the oldest flush that no composition shows yet was complete, or 0. */
  readonly flushedAt = new Float64Array(1);
  /** Its owner has flushed something since it was started. */
  drawn = false;
  /**
   * The picture is one of a former driver, and must not show beside what the present one draws;
   * where the last picture is kept, it may.
   */
  isStale = false;
  /** What the display shows in place of the picture, because its owner is lost. */
  replaced = false;
  cursorVisible = false;
  /** Where its upper left corner is: drivers have taken the hot spot off already. */
  cursorX = 0;
  cursorY = 0;

  private readonly cursorArea = new Rect();
  private readonly all: Area;

  constructor(parts: PlaneParts) {
    const { plan } = parts;
    this.plan = plan;
    this.owner = parts.owner;
    this.queue = parts.queue;
    this.pixelsAt = parts.pixelsAt | 0;
    this.warningAt = parts.warningAt | 0;
    this.cursorAt = parts.cursorAt | 0;
    this.state = parts.state;
    this.regions = parts.regions;
    this.stride = plan.rectangle.width * GPU_PIXEL_BYTES;
    this.all = { x: 0, y: 0, width: plan.rectangle.width, height: plan.rectangle.height };
    this.damageAll();
  }

  get width(): number {
    return this.all.width;
  }

  get height(): number {
    return this.all.height;
  }

  /** Arena offset of a pixel of the picture. */
  pixelAt(x: number, y: number): number {
    return (this.pixelsAt + y * this.stride + x * GPU_PIXEL_BYTES) | 0;
  }

  damageAll(): void {
    this.damage.copy(this.all);
  }

  /** Its owner is served and has drawn: the display shows the picture itself. */
  get alive(): boolean {
    return this.drawn && this.owner !== undefined && this.owner.running;
  }

  /** A part of the picture is complete as its owner flushed it. */
  flushed(area: Area, now: Float64Array): void {
    if (this.flushedAt[0] === 0) this.flushedAt[0] = now[0]!;
    this.drawn = true;
    this.changed(area);
  }

  /** All of the picture is black, which its owner has not drawn. */
  blackened(): void {
    this.isStale = false;
    this.changed(this.all);
  }

  private changed(area: Area): void {
    this.damage.union(area);
    this.flushes = (this.flushes + 1) | 0;
    this.state.changed(area.x, area.y, area.x + area.width, area.y + area.height);
  }

  /** Where the cursor covers the picture has to be composed anew. */
  private damageCursor(): void {
    if (!this.cursorVisible) return;
    this.cursorArea.set(this.cursorX, this.cursorY, GPU_CURSOR_SIDE, GPU_CURSOR_SIDE);
    this.cursorArea.intersect(this.all);
    this.damage.union(this.cursorArea);
  }

  /** Positions far outside are as good as others outside. */
  showCursor(visible: boolean, x: number, y: number): void {
    this.damageCursor();
    this.cursorVisible = visible;
    this.cursorX = clamp(x, this.all.width);
    this.cursorY = clamp(y, this.all.height);
    this.damageCursor();
    this.state.cursor(visible, this.cursorX, this.cursorY);
  }

  /** The cursor has another picture; its hot spot is only for those who pass it on. */
  cursorPictureChanged(hotX: number, hotY: number): void {
    this.damageCursor();
    this.state.cursorPicture(hotX, hotY);
  }

  ownerBegins(): void {
    for (let n = 0; n < this.regions.length; n++) this.regions[n]!.ownerBegins();
  }

  /** Its owner's device was reset: nothing of it is shown any more. */
  forget(): void {
    this.drawn = false;
    this.flushing = false;
    this.isStale = this.plan.ownerLost !== 'keep';
    this.ownerBegins();
    this.showCursor(false, 0, 0);
    this.damageAll();
    this.state.resized(0, 0);
  }
}
