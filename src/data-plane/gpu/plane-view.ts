/**
 * A plane as its display composes it: what has changed, and what is shown in its place if need be.
 */
import { Rect } from '../../base/rectangle.ts';
import { PlaneCounter, type Counters } from '../../channel/counters.ts';
import type { Histogram } from '../../base/histogram.ts';
import { GPU_CURSOR_SIDE, GPU_PIXEL_BYTES } from '../../wire/virtio-gpu.ts';
import type { Arena } from '../arena.ts';
import type { Plane } from './plane.ts';
import { BLACK } from './plane-update.ts';

export class PlaneView {
  readonly plane: Plane;
  /** What the composition under way brings up to date, in pixels of the plane. */
  readonly changed = new Rect();
  private readonly arena: Arena;
  private readonly words: Float64Array;
  private readonly countersAt: number;
  /** From a flush to the composition that shows it. */
  private readonly latency: Histogram;
  private readonly value = new Float64Array(1);
  /** Its picture was passed over once, because a flush was under way. */
  private passedOver = false;
  /** Flushes of the plane when the composition took it over, and whether one was under way. */
  private flushes = 0;
  private torn = false;

  constructor(plane: Plane, arena: Arena, counters: Counters) {
    this.plane = plane;
    this.arena = arena;
    this.words = counters.words;
    this.countersAt = counters.planeAt(plane.plan.index);
    this.latency = counters.planeLatency(plane.plan.index);
  }

  private count(counter: number): void {
    this.words[this.countersAt + counter]! += 1;
  }

  /**
   * Takes over what has changed; false when nothing has. A picture that is being flushed is passed
   * over, but only once: an owner that never stops to flush is shown as it is.
   */
  // [impl->req~gpu.owner-lost~1]
  take(): boolean {
    const { plane } = this;
    this.changed.clear();
    const replaced = !plane.alive && plane.plan.ownerLost !== 'keep';
    if (replaced !== plane.replaced) {
      plane.replaced = replaced;
      plane.damageAll();
      if (replaced) this.count(PlaneCounter.REPLACED);
    }
    if (plane.damage.isEmpty()) return false;
    this.torn = plane.flushing && !replaced;
    if (this.torn && !this.passedOver) {
      this.passedOver = true;
      this.count(PlaneCounter.PASSED_OVER);
      return false;
    }
    this.passedOver = false;
    this.flushes = plane.flushes;
    this.changed.copy(plane.damage);
    plane.damage.clear();
    return true;
  }

  /** What was composed is exactly what the owner flushed last. */
  get isWhole(): boolean {
    const { plane } = this;
    if (this.torn || plane.replaced || plane.flushing || !plane.drawn) return false;
    return this.flushes === plane.flushes;
  }

  /** Draws `count` pixels of the plane from (x, y) on to an arena offset of the display. */
  draw(to: number, x: number, y: number, count: number): void {
    const { plane, arena } = this;
    if (!plane.replaced) {
      arena.copy(to, plane.pixelAt(x, y), count * GPU_PIXEL_BYTES);
      if (plane.cursorVisible) this.drawCursor(to, x, y, count);
      return;
    }
    if (plane.warningAt === 0) return arena.fill32(to, count, BLACK);
    const into = y * plane.stride + x * GPU_PIXEL_BYTES;
    arena.copy(to, (plane.warningAt + into) | 0, count * GPU_PIXEL_BYTES);
  }

  /** Lays the row of the cursor that crosses these pixels over them. */
  // [impl->req~gpu.cursor-place~1]
  private drawCursor(to: number, x: number, y: number, count: number): void {
    const { plane, arena } = this;
    const left = plane.cursorX;
    const row = y - plane.cursorY;
    if (row < 0 || row >= GPU_CURSOR_SIDE) return;
    const from = Math.max(x, left);
    const until = Math.min(x + count, left + GPU_CURSOR_SIDE);
    if (from >= until) return;
    const cursor = (row * GPU_CURSOR_SIDE + from - left) * GPU_PIXEL_BYTES;
    const at = (to + (from - x) * GPU_PIXEL_BYTES) | 0;
    arena.blend(at, (plane.cursorAt + cursor) | 0, until - from);
  }

  /** Everything taken over is on the display. */
  composed(now: Float64Array): void {
    const { plane } = this;
    this.count(PlaneCounter.COMPOSED);
    if (this.torn) this.count(PlaneCounter.TORN);
    if (!this.isWhole || plane.flushedAt[0] === 0) return;
    this.value[0] = now[0]! - plane.flushedAt[0]!;
    plane.flushedAt[0] = 0;
    this.latency.recordFrom(this.value, 0);
  }
}
