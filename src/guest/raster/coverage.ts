/**
 * How much of each pixel lies inside a closed outline, exactly: signed areas of trapezoids are
 * summed per pixel, in whole numbers of 1/256 pixel (as scan converters of outline fonts do).
 */
import { FULL } from './canvas.ts';
import type { Outline } from './outline.ts';

/** Fixed-point coordinates: so many steps per pixel. */
export const STEPS = 256;
const SHIFT = 8;
/** Twice the area of a pixel is STEPS * STEPS * 2; coverage goes to 256. */
const AREA_SHIFT = 9;

// [impl->req~guest.raster-exact~1]
export class Coverage {
  /** Of one row, from {@link first} to {@link end}. */
  readonly row: Uint16Array;
  /** The columns of the row summed last in which anything lies, counted from the box's left. */
  first = 0;
  end = 0;
  /** Rows of the box. */
  height = 0;
  private left = 0;
  private top = 0;
  private width = 0;
  /** Signed height, and twice the signed area left of the edges, of each pixel; 0 between boxes. */
  private readonly cover: Int32Array;
  private readonly area: Int32Array;
  /** Columns that edges have touched, by row. */
  private readonly firsts: Int32Array;
  private readonly ends: Int32Array;

  /** For boxes of at most this size. */
  constructor(widthMax: number, heightMax: number) {
    this.row = new Uint16Array(widthMax);
    // One more cell in each row takes what lies right of the box.
    this.cover = new Int32Array((widthMax + 1) * heightMax);
    this.area = new Int32Array((widthMax + 1) * heightMax);
    this.firsts = new Int32Array(heightMax);
    this.ends = new Int32Array(heightMax);
  }

  /** Begins with nothing in a box of whole pixels, which cuts everything off that leaves it. */
  begin(left: number, top: number, width: number, height: number): void {
    this.left = left * STEPS;
    this.top = top * STEPS;
    this.width = width;
    this.height = height;
    this.firsts.fill(width, 0, height);
    this.ends.fill(0, 0, height);
  }

  /** The edges of a closed outline, in fixed-point coordinates of the picture. */
  outline(points: Outline): void {
    const last = points.length - 2;
    let x = points[last]! - this.left;
    let y = points[last + 1]! - this.top;
    for (let n = 0; n <= last; n += 2) {
      const nextX = points[n]! - this.left;
      const nextY = points[n + 1]! - this.top;
      if (y !== nextY) this.edge(x, y, nextX, nextY);
      x = nextX;
      y = nextY;
    }
  }

  private edge(x0: number, y0: number, x1: number, y1: number): void {
    const isDown = y1 > y0;
    const low = Math.max(0, isDown ? y0 : y1);
    const high = Math.min(this.height << SHIFT, isDown ? y1 : y0);
    if (low >= high) return;
    const slope = (x1 - x0) / (y1 - y0);
    let y = low;
    let x = Math.floor(x0 + slope * (low - y0));
    for (let row = low >> SHIFT; y < high; row++) {
      const next = Math.min(high, (row + 1) << SHIFT);
      const nextX = Math.floor(x0 + slope * (next - y0));
      this.span(row, x, nextX, isDown ? next - y : y - next);
      y = next;
      x = nextX;
    }
  }

  /** A part of an edge inside one row, `rise` steps high (downwards is positive). */
  private span(row: number, fromX: number, toX: number, rise: number): void {
    const limit = this.width << SHIFT;
    const x0 = Math.max(0, Math.min(fromX, limit));
    const x1 = Math.max(0, Math.min(toX, limit));
    let cell = x0 >> SHIFT;
    const last = x1 >> SHIFT;
    this.firsts[row] = Math.min(this.firsts[row]!, cell, last);
    this.ends[row] = Math.max(this.ends[row]!, cell + 1, last + 1);
    const base = row * (this.width + 1);
    if (cell === last) {
      this.add(base + cell, rise, x0 + x1 - (cell << (SHIFT + 1)));
      return;
    }
    const step = x1 > x0 ? 1 : -1;
    let from = x0;
    let left = rise;
    // An edge crosses each column of the box once.
    for (; cell !== last; cell += step) {
      const border = (step > 0 ? cell + 1 : cell) << SHIFT;
      const part = Math.trunc((left * (border - from)) / (x1 - from));
      this.add(base + cell, part, from + border - (cell << (SHIFT + 1)));
      left -= part;
      from = border;
    }
    this.add(base + last, left, from + x1 - (last << (SHIFT + 1)));
  }

  private add(cell: number, rise: number, sides: number): void {
    this.cover[cell]! += rise;
    this.area[cell]! += rise * sides;
  }

  /**
   * Sums the coverages of one row into {@link row}, of 256, weakened by `opacity` of 256; each row
   * of a box once.
   */
  sumRow(row: number, opacity: number): void {
    const base = row * (this.width + 1);
    const { cover, area } = this;
    const end = Math.min(this.ends[row]!, this.width);
    const first = this.firsts[row]!;
    let sum = 0;
    for (let n = first; n < end; n++) {
      const cell = base + n;
      sum += cover[cell]!;
      const twice = sum * 2 * STEPS - area[cell]!;
      const inside = (twice < 0 ? -twice : twice) >> AREA_SHIFT;
      this.row[n] = inside >= FULL ? opacity : (inside * opacity) >> SHIFT;
    }
    cover.fill(0, base + first, base + this.width + 1);
    area.fill(0, base + first, base + this.width + 1);
    this.first = first;
    this.end = end;
  }
}
