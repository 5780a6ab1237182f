/**
 * A town from above, drawn once: it goes on at each edge where it begins at the opposite one, so
 * that a drive through it never ends.
 */
import { sine, TURN, UNIT } from '../raster/angle.ts';
import type { Canvas } from '../raster/canvas.ts';
import { fixed, roundedBox } from '../raster/outline.ts';
import { Painter } from '../raster/painter.ts';
import { Typeface } from '../raster/typeface.ts';

export const CITY = { width: 1280, height: 1024 } as const;

const LAND = 0x1a2330;
const GREEN = 0x1c3b33;
const TREE = 0x25503f;
const WATER = 0x123450;
const SHORE = 0x1b4a6c;
const HOUSE = 0x26344a;
const ROOF = 0x2d3d56;
const LANE = 0x33445e;
const STREET = 0x45597a;
const CASING = 0x121a26;
const ROUTE = 0x2bb8ee;
const ROUTE_CASING = 0x0c4a6e;
const LABEL = 0x9db1cd;

/** Streets across, and streets up and down; the road of the drive takes the place of one. */
const ROWS = [40, 152, 264, 376, 488, 752, 888] as const;
const COLUMNS = [64, 192, 320, 448, 832, 960, 1088, 1216] as const;
const RIVER = { y: 622, width: 92 } as const;
const MAIN = { x: 640, keepsFree: 34 } as const;
const STEP = 16;

/** Numbers that look random and are always the same. */
function scatter(a: number, b: number): number {
  let n = Math.imul(a + 1, 0x9e3779b1) ^ Math.imul(b + 7, 0x85ebca6b);
  n = Math.imul(n ^ (n >>> 15), 0x2c1b3c6d);
  return (n ^ (n >>> 12)) >>> 8;
}

function wave(at: number, period: number, amplitude: number, shift: number): number {
  return (amplitude * sine(Math.round((TURN * at) / period) + shift)) / UNIT;
}

/** Where the road of the drive lies at this height. */
export function roadAt(y: number): number {
  return MAIN.x + wave(y, CITY.height, 62, 0) + wave(y, CITY.height / 2, 22, 700);
}

function columnAt(x: number, y: number): number {
  return x + wave(y, CITY.height, 9, (x * 37) % TURN);
}

function rowAt(y: number, x: number): number {
  return y + wave(x, CITY.width, 11, (y * 53) % TURN);
}

function riverAt(x: number): number {
  return RIVER.y + wave(x, CITY.width, 26, 300) + wave(x, CITY.width / 2, 12, 0);
}

class CityPainter {
  private readonly painter: Painter;
  private readonly names: Typeface;

  constructor(canvas: Canvas) {
    this.painter = new Painter(canvas);
    this.names = new Typeface(9, 1.3);
  }

  /** Streets up and down: points from above the top to below the bottom. */
  private upright(xAt: (y: number) => number, width: number, colour: number): void {
    for (const shift of [-CITY.width, 0, CITY.width]) {
      const points: number[] = [];
      for (let y = -2 * STEP; y <= CITY.height + 2 * STEP; y += STEP) {
        points.push(fixed(xAt(y) + shift), fixed(y));
      }
      this.painter.stroke(points, width, colour);
    }
  }

  private level(yAt: (x: number) => number, width: number, colour: number): void {
    const points: number[] = [];
    for (let x = -2 * STEP; x <= CITY.width + 2 * STEP; x += STEP) {
      points.push(fixed(x), fixed(yAt(x)));
    }
    this.painter.stroke(points, width, colour);
  }

  land(): void {
    const { canvas } = this.painter;
    canvas.fill({ x: 0, y: 0, width: CITY.width, height: CITY.height }, LAND);
    this.level((x) => riverAt(x), RIVER.width + 70, GREEN);
  }

  river(): void {
    this.level((x) => riverAt(x), RIVER.width + 5, SHORE);
    this.level((x) => riverAt(x), RIVER.width, WATER);
  }

  blocks(): void {
    const rows = [...ROWS, ROWS[0] + CITY.height];
    const columns = [...COLUMNS.slice(0, 4), MAIN.x, ...COLUMNS.slice(4), COLUMNS[0] + CITY.width];
    for (let row = 0; row < rows.length - 1; row++) {
      // Between two of the rows runs the river.
      if (rows[row]! < RIVER.y && rows[row + 1]! > RIVER.y) continue;
      for (let column = 0; column < columns.length - 1; column++) {
        const [left, right] = [columns[column]!, columns[column + 1]!];
        const [top, bottom] = [rows[row]!, rows[row + 1]!];
        this.block(left + 24, top + 24, right - 24, bottom - 24, scatter(row, column));
      }
    }
  }

  private block(left: number, top: number, right: number, bottom: number, seed: number): void {
    if (seed % 6 === 0) return this.park(left - 8, top - 8, right + 8, bottom + 8, seed);
    const across = Math.max(2, Math.round((right - left) / 30));
    const down = Math.max(2, Math.round((bottom - top) / 30));
    for (let row = 0; row < down; row++) {
      for (let column = 0; column < across; column++) {
        const random = scatter(seed + row * 31, column);
        if (random % 9 === 0) continue;
        const x = left + ((right - left) * column) / across + (random % 5);
        const y = top + ((bottom - top) * row) / down + ((random >> 3) % 5);
        const width = (right - left) / across - 7 - ((random >> 6) % 6);
        const height = (bottom - top) / down - 7 - ((random >> 9) % 6);
        this.house(x, y, width, height, random % 3 === 0 ? ROOF : HOUSE);
      }
    }
  }

  private house(x: number, y: number, width: number, height: number, colour: number): void {
    const free = MAIN.keepsFree;
    for (const at of [y, y + height]) {
      if (x < roadAt(at) + free && x + width > roadAt(at) - free) return;
    }
    this.box(x, y, width, height, 2, colour);
  }

  /** A box that goes on at the opposite edges. */
  private box(
    x: number,
    y: number,
    width: number,
    height: number,
    radius: number,
    colour: number,
  ): void {
    for (const dx of [0, -CITY.width]) {
      for (const dy of [0, -CITY.height]) {
        const [left, top] = [fixed(x + dx), fixed(y + dy)];
        const outline = roundedBox(left, top, fixed(width), fixed(height), fixed(radius));
        this.painter.fill([outline], colour);
      }
    }
  }

  private park(left: number, top: number, right: number, bottom: number, seed: number): void {
    this.box(left, top, right - left, bottom - top, 10, GREEN);
    for (let n = 0; n < 14; n++) {
      const random = scatter(seed, n);
      const size = 6 + (random % 7);
      const x = left + 4 + (random % Math.floor(right - left - size - 8));
      const y = top + 4 + ((random >> 8) % Math.floor(bottom - top - size - 8));
      this.box(x, y, size, size, size / 2, TREE);
    }
  }

  streets(): void {
    for (const [width, colour] of [
      [15, CASING],
      [11, STREET],
    ] as const) {
      for (const y of ROWS) this.level((x) => rowAt(y, x), y % 3 === 0 ? width : width - 5, colour);
      for (const x of COLUMNS) {
        this.upright((y) => columnAt(x, y), x % 5 === 0 ? width : width - 5, colour);
      }
    }
    for (const y of [ROWS[1], ROWS[5]]) this.level((x) => rowAt(y, x), 1.6, LANE);
  }

  route(): void {
    this.upright(roadAt, 22, ROUTE_CASING);
    this.upright(roadAt, 15, ROUTE);
  }

  labels(): void {
    const { canvas } = this.painter;
    const write = (text: string, x: number, y: number): void => {
      this.names.write(canvas, text, x + 1, y + 1, CASING);
      this.names.write(canvas, text, x, y, LABEL);
    };
    write('Harbour Street', 216, 146);
    write('Mill Lane', 870, 256);
    write('Station Road', 98, 368);
    write('River Walk', 850, 560);
    write('Old Bridge', 700, 676);
    write('Market Square', 236, 746);
    write('Castle Hill', 986, 882);
    write('Garden Street', 880, 480);
  }
}

/** Draws the town on a canvas of its size. */
export function drawCity(canvas: Canvas): void {
  const painter = new CityPainter(canvas);
  painter.land();
  painter.river();
  painter.blocks();
  painter.streets();
  painter.route();
  painter.labels();
}
