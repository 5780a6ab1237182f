/** Draws outlines and lines on to a canvas, with smooth edges. */
import { FULL, type Canvas, type PixelArea } from './canvas.ts';
import { Coverage, STEPS } from './coverage.ts';
import { contourOf, fixed, strokeOf, type Outline } from './outline.ts';

export class Painter {
  readonly canvas: Canvas;
  private readonly coverage: Coverage;

  constructor(canvas: Canvas) {
    this.canvas = canvas;
    this.coverage = new Coverage(canvas.width, canvas.height);
  }

  /** Fills what is inside of closed outlines; one inside another, run the other way, is a hole. */
  fill(outlines: readonly Outline[], colour: number, opacity = FULL): void {
    const { coverage, canvas } = this;
    const { x, y, width, height } = this.boxOf(outlines);
    if (width <= 0 || height <= 0) return;
    coverage.begin(x, y, width, height);
    for (const outline of outlines) coverage.outline(outline);
    for (let row = 0; row < height; row++) {
      coverage.sumRow(row, opacity);
      canvas.layRow(x, y + row, coverage.row, coverage.first, coverage.end, colour);
    }
  }

  /** The whole pixels of the canvas that the outlines may touch. */
  private boxOf(outlines: readonly Outline[]): PixelArea {
    let [left, top] = [this.canvas.width, this.canvas.height];
    let [right, bottom] = [0, 0];
    for (const outline of outlines) {
      for (let n = 0; n < outline.length; n += 2) {
        const [x, y] = [Math.floor(outline[n]! / STEPS), Math.floor(outline[n + 1]! / STEPS)];
        left = Math.min(left, Math.max(0, x));
        top = Math.min(top, Math.max(0, y));
        right = Math.max(right, Math.min(this.canvas.width, x + 1));
        bottom = Math.max(bottom, Math.min(this.canvas.height, y + 1));
      }
    }
    return { x: left, y: top, width: right - left, height: bottom - top };
  }

  /** A line of some width, in pixels, along points, with round ends. */
  stroke(points: Outline, width: number, colour: number, opacity = FULL): void {
    this.fill(strokeOf(points, fixed(width)), colour, opacity);
  }

  /** A line of some width, in pixels, around a closed outline. */
  contour(points: Outline, width: number, colour: number, opacity = FULL): void {
    this.fill(contourOf(points, fixed(width)), colour, opacity);
  }
}
