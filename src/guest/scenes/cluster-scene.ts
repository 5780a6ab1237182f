/** The instrument cluster: speed, power, the road ahead, warning lamps and the time. */
import type { Canvas, PixelArea } from '../raster/canvas.ts';
import { Typeface } from '../raster/typeface.ts';
import { clockOf, powerOf, speedOf, wayOf } from './drive.ts';
import { Gauge } from './gauge.ts';
import { Palette } from './palette.ts';
import { RoadView, ROAD } from './road-view.ts';
import type { Scene, SceneParts } from './scene.ts';
import { scaleOf, Sketch } from './sketch.ts';
import { lampsOf, telltaleArea, Telltales } from './telltales.ts';

const DESIGN = { width: 1280, height: 320 } as const;
const SPEED = { x: 220, y: 172, radius: 138, least: 0, most: 240, tick: 10, hot: 200 } as const;
const POWER = { x: 1060, y: 172, radius: 138, least: -40, most: 100, tick: 10, hot: 80 } as const;
/** Where numbers stand below the road. */
const FOOT = { y: 270, height: 36 } as const;

export class ClusterScene implements Scene {
  private readonly scale: number;
  /** What never changes. */
  private readonly still: Canvas;
  private readonly changing: readonly PixelArea[];
  private readonly prepared = new Map<Canvas, Sketch>();
  private readonly speed: Gauge;
  private readonly power: Gauge;
  private readonly telltales: Telltales;
  private readonly road = new RoadView();
  private readonly large: Typeface;
  private readonly middle: Typeface;
  private readonly small: Typeface;

  constructor({ width, height, canvas }: SceneParts) {
    const scale = scaleOf(DESIGN, { width, height });
    this.scale = scale;
    this.speed = new Gauge({ ...SPEED, colour: Palette.CYAN }, scale);
    this.power = new Gauge({ ...POWER, colour: Palette.TEAL }, scale);
    this.telltales = new Telltales(scale);
    this.large = new Typeface(44 * scale, 5 * scale);
    this.middle = new Typeface(20 * scale, 2.4 * scale);
    this.small = new Typeface(11 * scale, 1.5 * scale);
    this.still = canvas(width, height);
    const sketch = new Sketch(this.still, scale);
    this.drawStill(sketch);
    this.changing = [
      ...[SPEED, POWER].map(({ x, y, radius: r }) =>
        sketch.area(x - r - 8, y - r - 8, 2 * r + 16, 2 * r + 16),
      ),
      sketch.area(ROAD.x, ROAD.y, ROAD.width, ROAD.height),
      sketch.area(ROAD.x, FOOT.y, ROAD.width, FOOT.height),
    ];
  }

  private drawStill(sketch: Sketch): void {
    const { canvas } = sketch;
    const all = { x: 0, y: 0, width: canvas.width, height: canvas.height };
    canvas.fillGradient(all, Palette.DUSK, Palette.NIGHT);
    canvas.glow(sketch.px(640), sketch.px(150), sketch.px(360), 0x1d4a78, 90);
    sketch.box(390, 10, 500, 60, 14, 0x0a0f18);
    sketch.boxLine(390, 10, 500, 60, 14, 1.2, Palette.LINE);
    this.speed.dial(sketch);
    this.power.dial(sketch);
    this.label(sketch, 'km/h', SPEED.x, 208);
    this.label(sketch, 'power %', POWER.x, 208);
    sketch.line([ROAD.x, 262, ROAD.x + ROAD.width, 262], 1.2, Palette.LINE);
  }

  private label(sketch: Sketch, text: string, x: number, y: number): void {
    const { scale } = this;
    this.small.writeCentred(sketch.canvas, text, x * scale, y * scale, Palette.DIM);
  }

  draw(canvas: Canvas, frame: number): void {
    const sketch = this.sketchOf(canvas);
    for (const area of this.changing) canvas.restore(this.still, area);
    this.telltales.draw(sketch, lampsOf(frame));
    this.road.draw(sketch, wayOf(frame), frame);
    const speed = speedOf(frame) / 10;
    const power = powerOf(frame);
    this.speed.show(sketch, speed, 0);
    this.power.show(sketch, power, 0);
    this.number(sketch, String(Math.round(speed)), SPEED.x);
    this.number(sketch, String(Math.round(power)), POWER.x);
    this.foot(sketch, frame);
  }

  /** A canvas that is drawn on for the first time gets everything. */
  private sketchOf(canvas: Canvas): Sketch {
    const known = this.prepared.get(canvas);
    if (known) return known;
    const { width, height } = this.still;
    canvas.restore(this.still, { x: 0, y: 0, width, height });
    const sketch = new Sketch(canvas, this.scale);
    this.prepared.set(canvas, sketch);
    return sketch;
  }

  private number(sketch: Sketch, text: string, x: number): void {
    const { scale } = this;
    this.large.writeCentred(sketch.canvas, text, x * scale, 150 * scale, Palette.TEXT);
  }

  private foot(sketch: Sketch, frame: number): void {
    const { scale, middle, small } = this;
    const { canvas } = sketch;
    const { hours, minutes, seconds } = clockOf(frame);
    const top = (FOOT.y + 6) * scale;
    const lower = (FOOT.y + 14) * scale;
    middle.write(canvas, `${hours}:${minutes}`, ROAD.x * scale, top, Palette.TEXT);
    const after = ROAD.x * scale + middle.widthOf('00:00') + 6 * scale;
    small.write(canvas, seconds, after, lower, Palette.DIM);
    const kilometres = 48_213.7 + wayOf(frame) / 1000;
    const odometer = `${Math.floor(kilometres)}.${Math.floor(kilometres * 10) % 10} km`;
    small.writeCentred(canvas, odometer, 640 * scale, lower, Palette.DIM);
    const right = (ROAD.x + ROAD.width) * scale;
    middle.writeRight(canvas, '+21.5 °C', right, top, Palette.TEXT);
  }

  /** The strip of warning lamps, for a region that is protected. */
  get telltaleArea(): PixelArea {
    return telltaleArea(new Sketch(this.still, this.scale));
  }
}
