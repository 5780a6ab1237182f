/** The infotainment: a drive over a map, with cards for the way and the music. */
import { sine, UNIT } from '../raster/angle.ts';
import { copyPixels, type Canvas } from '../raster/canvas.ts';
import { Typeface } from '../raster/typeface.ts';
import { CITY, drawCity, roadAt } from './city-map.ts';
import { Palette } from './palette.ts';
import type { Scene, SceneParts } from './scene.ts';
import { scaleOf, Sketch } from './sketch.ts';

const DESIGN = { width: 1280, height: 800 } as const;
/** Where the vehicle stands on the picture. */
const OWN = { x: 640, y: 610 } as const;
const PIXELS_PER_FRAME = 2;
const CARD = { width: 344, height: 128, margin: 24, radius: 16 } as const;
const BARS = 18;
const NEXT_TURN_METRES = 900;

export class InfotainmentScene implements Scene {
  private readonly scale: number;
  private readonly map: Canvas;
  private readonly sketches = new Map<Canvas, Sketch>();
  private readonly large: Typeface;
  private readonly middle: Typeface;
  private readonly small: Typeface;

  constructor({ width, height, canvas }: SceneParts) {
    this.scale = scaleOf(DESIGN, { width, height });
    this.large = new Typeface(26 * this.scale, 3.2 * this.scale);
    this.middle = new Typeface(14 * this.scale, 1.9 * this.scale);
    this.small = new Typeface(10.5 * this.scale, 1.5 * this.scale);
    this.map = canvas(CITY.width, CITY.height);
    drawCity(this.map);
  }

  draw(canvas: Canvas, frame: number): void {
    const sketch = this.sketchOf(canvas);
    // The drive goes up the map, which goes on at its other edge.
    const y = CITY.height - ((frame * PIXELS_PER_FRAME) % CITY.height);
    const x = Math.round(roadAt(y));
    this.ground(canvas, x - sketch.px(OWN.x), y - sketch.px(OWN.y));
    this.vehicle(sketch, roadAt(y + 8) - roadAt(y - 8));
    this.wayCard(sketch, frame);
    this.musicCard(sketch, frame);
  }

  private sketchOf(canvas: Canvas): Sketch {
    const known = this.sketches.get(canvas);
    if (known) return known;
    const sketch = new Sketch(canvas, this.scale);
    this.sketches.set(canvas, sketch);
    return sketch;
  }

  /** The part of the map whose upper left corner is this, with what lies behind its edges. */
  private ground(canvas: Canvas, left: number, top: number): void {
    const { map } = this;
    const first = ((left % CITY.width) + CITY.width) % CITY.width;
    for (let y = 0; y < canvas.height; y++) {
      const row = (((top + y) % CITY.height) + CITY.height) % CITY.height;
      let column = first;
      for (let x = 0; x < canvas.width;) {
        const count = Math.min(canvas.width - x, CITY.width - column);
        copyPixels(canvas, canvas.indexOf(x, y), map, map.indexOf(column, row), count);
        x += count;
        column = 0;
      }
    }
  }

  /** An arrow in the direction of the drive; `lean`: pixels that the road goes right over 16. */
  private vehicle(sketch: Sketch, lean: number): void {
    const length = Math.sqrt(lean * lean + 256);
    const [ux, uy] = [-lean / length, -16 / length];
    const at = (ahead: number, aside: number): [number, number] => [
      OWN.x + ux * ahead - uy * aside,
      OWN.y + uy * ahead + ux * aside,
    ];
    sketch.disc(OWN.x, OWN.y, 34, Palette.CYAN, 50);
    sketch.disc(OWN.x, OWN.y, 26, 0x0b1420, 235);
    sketch.circle(OWN.x, OWN.y, 26, 2, Palette.TEXT);
    sketch.polygon([...at(17, 0), ...at(-12, 12), ...at(-6, 0), ...at(-12, -12)], Palette.TEXT);
  }

  private card(sketch: Sketch, x: number): void {
    const y = DESIGN.height - CARD.height - CARD.margin;
    sketch.box(x, y, CARD.width, CARD.height, CARD.radius, Palette.NIGHT, 222);
    sketch.boxLine(x, y, CARD.width, CARD.height, CARD.radius, 1.2, Palette.LINE);
  }

  private text(
    sketch: Sketch,
    face: Typeface,
    text: string,
    x: number,
    y: number,
    colour: number,
  ): void {
    face.write(sketch.canvas, text, x * this.scale, y * this.scale, colour);
  }

  private wayCard(sketch: Sketch, frame: number): void {
    const x = CARD.margin;
    const y = DESIGN.height - CARD.height - CARD.margin;
    this.card(sketch, x);
    // A right turn.
    sketch.line(
      [x + 34, y + 82, x + 34, y + 54, x + 38, y + 46, x + 46, y + 42, x + 60, y + 42],
      8,
      Palette.CYAN,
    );
    sketch.polygon([x + 58, y + 28, x + 78, y + 42, x + 58, y + 56], Palette.CYAN);
    const metres = NEXT_TURN_METRES - (((frame * PIXELS_PER_FRAME) >> 1) % NEXT_TURN_METRES);
    const rounded = Math.ceil(metres / 10) * 10;
    this.text(sketch, this.large, `${rounded} m`, x + 104, y + 26, Palette.TEXT);
    this.text(sketch, this.middle, 'Harbour Street', x + 104, y + 66, Palette.TEXT);
    this.text(sketch, this.small, '10:32   14.2 km   18 min', x + 104, y + 96, Palette.DIM);
    const share = 1 - metres / NEXT_TURN_METRES;
    sketch.box(x + 24, y + 117, CARD.width - 48, 3, 1.5, Palette.LINE);
    sketch.box(x + 24, y + 117, 3 + (CARD.width - 51) * share, 3, 1.5, Palette.CYAN);
  }

  private musicCard(sketch: Sketch, frame: number): void {
    const x = DESIGN.width - CARD.width - CARD.margin;
    const y = DESIGN.height - CARD.height - CARD.margin;
    this.card(sketch, x);
    sketch.box(x + 20, y + 20, 88, 88, 10, 0x3a2468);
    sketch.disc(x + 64, y + 64, 32, 0x8b5cf6);
    sketch.disc(x + 64, y + 64, 21, 0xf472b6);
    sketch.disc(x + 64, y + 64, 8, 0x3a2468);
    this.text(sketch, this.middle, 'Night Drive', x + 126, y + 24, Palette.TEXT);
    this.text(sketch, this.small, 'The Partitions', x + 126, y + 49, Palette.DIM);
    for (let n = 0; n < BARS; n++) {
      const beat = sine(frame * (70 + 9 * (n % 5)) + n * 900) + sine(frame * 37 + n * n * 211);
      const height = 5 + (15 * (beat + 2 * UNIT)) / (2 * UNIT) / 2 + (n % 3) * 2;
      sketch.box(
        x + 126 + n * 11,
        y + 108 - height,
        6,
        height,
        2,
        n % 2 === 0 ? 0xf472b6 : 0x8b5cf6,
      );
    }
  }
}
