/** Draws in the units of a design that is scaled to the size of a picture. */
import { FULL, type Canvas, type PixelArea } from '../raster/canvas.ts';
import { arcPoints, disc, fixed, ringPart, roundedBox, type Outline } from '../raster/outline.ts';
import { Painter } from '../raster/painter.ts';

/** Pixels per unit of a design of this size, in a picture of that size. */
export function scaleOf(
  design: { readonly width: number; readonly height: number },
  picture: { readonly width: number; readonly height: number },
): number {
  return Math.min(picture.width / design.width, picture.height / design.height);
}

export class Sketch {
  readonly canvas: Canvas;
  readonly scale: number;
  private readonly painter: Painter;

  constructor(canvas: Canvas, scale: number) {
    this.canvas = canvas;
    this.scale = scale;
    this.painter = new Painter(canvas);
  }

  /** Pixels of so many units. */
  px(units: number): number {
    return Math.round(units * this.scale);
  }

  private at(units: number): number {
    return fixed(units * this.scale);
  }

  private outline(points: readonly number[]): Outline {
    return points.map((unit) => this.at(unit));
  }

  area(x: number, y: number, width: number, height: number): PixelArea {
    const [left, top] = [this.px(x), this.px(y)];
    return { x: left, y: top, width: this.px(x + width) - left, height: this.px(y + height) - top };
  }

  polygon(points: readonly number[], colour: number, opacity = FULL): void {
    this.painter.fill([this.outline(points)], colour, opacity);
  }

  line(points: readonly number[], width: number, colour: number, opacity = FULL): void {
    this.painter.stroke(this.outline(points), width * this.scale, colour, opacity);
  }

  loop(points: readonly number[], width: number, colour: number, opacity = FULL): void {
    this.painter.contour(this.outline(points), width * this.scale, colour, opacity);
  }

  disc(x: number, y: number, radius: number, colour: number, opacity = FULL): void {
    this.painter.fill([disc(this.at(x), this.at(y), this.at(radius))], colour, opacity);
  }

  circle(x: number, y: number, radius: number, width: number, colour: number): void {
    this.arc([x, y], radius + width / 2, radius - width / 2, 0, 4096, colour);
  }

  /** A part of a ring, between two angles. */
  arc(
    centre: readonly [number, number],
    outer: number,
    inner: number,
    from: number,
    to: number,
    colour: number,
    opacity = FULL,
  ): void {
    const middle = [this.at(centre[0]), this.at(centre[1])] as const;
    const part = ringPart(middle, this.at(outer), this.at(inner), from, to);
    this.painter.fill([part], colour, opacity);
  }

  /** A line of some width along a part of a circle, with round ends. */
  bow(
    centre: readonly [number, number],
    radius: number,
    from: number,
    to: number,
    width: number,
    colour: number,
  ): void {
    const points = arcPoints(this.at(centre[0]), this.at(centre[1]), this.at(radius), from, to);
    this.painter.stroke(points, width * this.scale, colour);
  }

  box(
    x: number,
    y: number,
    width: number,
    height: number,
    radius: number,
    colour: number,
    opacity = FULL,
  ): void {
    this.painter.fill([this.boxOutline(x, y, width, height, radius)], colour, opacity);
  }

  boxLine(
    x: number,
    y: number,
    width: number,
    height: number,
    radius: number,
    lineWidth: number,
    colour: number,
  ): void {
    const outline = this.boxOutline(x, y, width, height, radius);
    this.painter.contour(outline, lineWidth * this.scale, colour);
  }

  private boxOutline(x: number, y: number, width: number, height: number, radius: number): Outline {
    return roundedBox(this.at(x), this.at(y), this.at(width), this.at(height), this.at(radius));
  }
}
