/** A round instrument: a dial that is drawn once, and what moves on it. */
import { cosine, sine, UNIT } from '../raster/angle.ts';
import { Typeface } from '../raster/typeface.ts';
import { Palette } from './palette.ts';
import type { Sketch } from './sketch.ts';

/** A scale over three quarters of a turn, from the lower left to the lower right. */
const FROM = 1536;
const SWEEP = 3072;

export interface GaugeDesign {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  /** Value at the left end and at the right one. */
  readonly least: number;
  readonly most: number;
  /** From tick to tick; every second one is a long one and has its number. */
  readonly tick: number;
  /** Values from here on are drawn in another colour. */
  readonly hot: number;
  readonly colour: number;
}

export class Gauge {
  private readonly design: GaugeDesign;
  private readonly numerals: Typeface;

  constructor(design: GaugeDesign, scale: number) {
    this.design = design;
    this.numerals = new Typeface(11 * scale, 1.5 * scale);
  }

  private angleOf(value: number): number {
    const { least, most } = this.design;
    return Math.round(FROM + (SWEEP * (value - least)) / (most - least));
  }

  private point(angle: number, radius: number): [number, number] {
    const { x, y } = this.design;
    return [x + (radius * cosine(angle)) / UNIT, y + (radius * sine(angle)) / UNIT];
  }

  dial(sketch: Sketch): void {
    const { x, y, radius, least, most, tick, hot, colour } = this.design;
    sketch.disc(x, y, radius + 6, 0x05070c);
    sketch.canvas.glow(sketch.px(x), sketch.px(y), sketch.px(radius + 2), colour, 52);
    sketch.circle(x, y, radius + 6, 1.4, Palette.LINE);
    sketch.arc([x, y], radius, radius - 9, FROM, FROM + SWEEP, 0x1c2736);
    sketch.arc([x, y], radius, radius - 9, this.angleOf(hot), FROM + SWEEP, 0x4a1f22);
    const count = Math.round((most - least) / tick);
    for (let n = 0; n <= count; n++) {
      const value = least + n * tick;
      const angle = this.angleOf(value);
      const isLong = n % 2 === 0;
      const inner = this.point(angle, radius - (isLong ? 25 : 19));
      const outer = this.point(angle, radius - 13);
      const shade = value >= hot ? Palette.RED : isLong ? Palette.TEXT : Palette.DIM;
      sketch.line([...inner, ...outer], isLong ? 2.4 : 1.4, shade);
      if (isLong) this.numeral(sketch, String(value), angle, shade);
    }
    sketch.disc(x, y, 62, 0x0a0f18);
    sketch.circle(x, y, 62, 1.2, Palette.LINE);
  }

  private numeral(sketch: Sketch, text: string, angle: number, colour: number): void {
    const [x, y] = this.point(angle, this.design.radius - 40);
    const top = y * sketch.scale - this.numerals.size / 2;
    this.numerals.writeCentred(sketch.canvas, text, x * sketch.scale, top, colour);
  }

  /** The band from `from` up or down to the value, and the needle at it. */
  show(sketch: Sketch, value: number, from: number): void {
    const { x, y, radius, hot, colour } = this.design;
    const [start, end] = [this.angleOf(Math.min(value, from)), this.angleOf(Math.max(value, from))];
    const band = value >= hot ? Palette.RED : value < from ? Palette.GREEN : colour;
    if (end > start) {
      sketch.arc([x, y], radius, radius - 9, start, end, band);
      sketch.arc([x, y], radius + 3, radius, start, end, band, 70);
    }
    this.needle(sketch, this.angleOf(value));
  }

  private needle(sketch: Sketch, angle: number): void {
    const { radius } = this.design;
    const quarter = 1024;
    const side = (distance: number, half: number): [number[], number[]] => {
      const [x, y] = this.point(angle, distance);
      const [dx, dy] = [cosine(angle + quarter) / UNIT, sine(angle + quarter) / UNIT];
      return [
        [x + dx * half, y + dy * half],
        [x - dx * half, y - dy * half],
      ];
    };
    const [nearRight, nearLeft] = side(66, 4.6);
    const [farRight, farLeft] = side(radius - 4, 1.2);
    const [glowRight, glowLeft] = side(66, 8);
    const [tipRight, tipLeft] = side(radius - 2, 4);
    sketch.polygon([...glowRight!, ...tipRight!, ...tipLeft!, ...glowLeft!], Palette.RED, 60);
    sketch.polygon([...nearRight, ...farRight, ...farLeft, ...nearLeft], 0xff5a3c);
    sketch.line([...this.point(angle, 70), ...this.point(angle, radius - 10)], 1.2, 0xffd0c0);
  }
}
