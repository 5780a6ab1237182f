/** The strip of warning lamps: each is drawn dark or lit, at a fixed place. */
import type { Canvas } from '../raster/canvas.ts';
import { Typeface } from '../raster/typeface.ts';
import { Palette } from './palette.ts';
import type { Sketch } from './sketch.ts';

/** In units of the cluster's design: the region that a configuration can protect. */
export const TELLTALES = { x: 400, y: 16, width: 480, height: 48 } as const;

const UNLIT = 0x1d2737;
const BACKGROUND = 0x0a0f18;

/** Lamps by the bit that lights them, from left to right. */
export const Lamp = {
  LEFT: 1,
  HIGH_BEAM: 2,
  ABS: 4,
  SEAT_BELT: 8,
  BATTERY: 16,
  BRAKE: 32,
  RIGHT: 64,
} as const;
const ALL = 127;

/** All lamps are tested so many frames from the start. */
const TEST_FRAMES = 90;
const BLINK_FRAMES = 20;
/** The indicators blink to the left, rest, blink to the right, and rest. */
const PHASE_FRAMES = 240;

/** The lamps that are lit in a frame. */
export function lampsOf(frame: number): number {
  if (frame < TEST_FRAMES) return ALL;
  const steady = Lamp.HIGH_BEAM;
  const phase = Math.floor(frame / PHASE_FRAMES) % 4;
  const isOn = Math.floor(frame / BLINK_FRAMES) % 2 === 0;
  if (!isOn || phase % 2 === 1) return steady;
  return steady | (phase === 0 ? Lamp.LEFT : Lamp.RIGHT);
}

type Draw = (sketch: Sketch, x: number, y: number, colour: number) => void;

function arrow(towards: 1 | -1): Draw {
  return (sketch, x, y, colour) => {
    const points = [16, 0, 0, -13, 0, -5.5, -15, -5.5, -15, 5.5, 0, 5.5, 0, 13];
    sketch.polygon(
      points.map((unit, n) => (n % 2 === 0 ? x + towards * unit : y + unit)),
      colour,
    );
  };
}

const highBeam: Draw = (sketch, x, y, colour) => {
  sketch.loop(dShape(x + 2, y), 2.4, colour);
  for (let n = -2; n <= 2; n++) sketch.line([x - 16, y + n * 4, x - 5, y + n * 4], 2, colour);
};

function dShape(x: number, y: number): number[] {
  const points = [x - 1, y - 10];
  for (let n = -4; n <= 4; n++) points.push(x + 14 - (n * n * 14) / 20, y + n * 2.4);
  points.push(x - 1, y + 10);
  return points;
}

const seatBelt: Draw = (sketch, x, y, colour) => {
  sketch.disc(x, y - 9.5, 4.2, colour);
  sketch.loop([x - 7, y + 12, x - 5.5, y - 2, x + 5.5, y - 2, x + 7, y + 12], 2.4, colour);
  sketch.line([x - 5, y - 1, x + 9, y + 9], 2.4, colour);
};

const battery: Draw = (sketch, x, y, colour) => {
  sketch.boxLine(x - 15, y - 7, 30, 18, 2, 2.4, colour);
  sketch.line([x - 9, y - 10, x - 6, y - 10], 3, colour);
  sketch.line([x + 6, y - 10, x + 9, y - 10], 3, colour);
  sketch.line([x - 10, y + 2, x - 4, y + 2], 2.2, colour);
  sketch.line([x + 4, y + 2, x + 10, y + 2], 2.2, colour);
  sketch.line([x + 7, y - 1, x + 7, y + 5], 2.2, colour);
};

function inBrackets(sketch: Sketch, x: number, y: number, colour: number): void {
  sketch.circle(x, y, 10.5, 2.2, colour);
  sketch.bow([x, y], 15.5, 1536, 2560, 2.2, colour);
  sketch.bow([x, y], 15.5, -512, 512, 2.2, colour);
}

const brake: Draw = (sketch, x, y, colour) => {
  inBrackets(sketch, x, y, colour);
  sketch.line([x, y - 5.5, x, y + 1.5], 2.6, colour);
  sketch.disc(x, y + 5.5, 1.6, colour);
};

interface LampPlace {
  readonly bit: number;
  readonly x: number;
  readonly colour: number;
  readonly draw: Draw;
}

export class Telltales {
  private readonly small: Typeface;
  private readonly places: readonly LampPlace[];
  private readonly scale: number;

  constructor(scale: number) {
    this.scale = scale;
    this.small = new Typeface(6.4 * scale, 1.7 * scale);
    const abs: Draw = (sketch, x, y, colour) => {
      inBrackets(sketch, x, y, colour);
      const top = (y - 3.2) * this.scale;
      this.small.writeCentred(sketch.canvas, 'ABS', x * this.scale, top, colour);
    };
    this.places = [
      { bit: Lamp.LEFT, x: 28, colour: Palette.GREEN, draw: arrow(-1) },
      { bit: Lamp.HIGH_BEAM, x: 108, colour: Palette.BLUE, draw: highBeam },
      { bit: Lamp.ABS, x: 174, colour: Palette.AMBER, draw: abs },
      { bit: Lamp.SEAT_BELT, x: 240, colour: Palette.RED, draw: seatBelt },
      { bit: Lamp.BATTERY, x: 306, colour: Palette.RED, draw: battery },
      { bit: Lamp.BRAKE, x: 372, colour: Palette.RED, draw: brake },
      { bit: Lamp.RIGHT, x: 452, colour: Palette.GREEN, draw: arrow(1) },
    ];
  }

  /** Draws the whole strip; nothing else is ever drawn there. */
  draw(sketch: Sketch, lit: number): void {
    const { x, y, width, height } = TELLTALES;
    sketch.canvas.fill(sketch.area(x, y, width, height), BACKGROUND);
    for (const lamp of this.places) {
      const isLit = (lit & lamp.bit) !== 0;
      lamp.draw(sketch, x + lamp.x, y + height / 2, isLit ? lamp.colour : UNLIT);
    }
  }
}

/** Where the strip lies in a cluster picture of this scale, in pixels. */
export function telltaleArea(sketch: Sketch) {
  const { x, y, width, height } = TELLTALES;
  return sketch.area(x, y, width, height);
}

export type { Canvas };
