/** The road ahead in perspective, with lane marks that come nearer, and a vehicle in front. */
import { mix } from '../raster/canvas.ts';
import { sine, UNIT } from '../raster/angle.ts';
import { Palette } from './palette.ts';
import type { Sketch } from './sketch.ts';

/** In units of the cluster's design. */
export const ROAD = { x: 424, y: 84, width: 432, height: 168 } as const;

const MIDDLE = ROAD.x + ROAD.width / 2;
const HORIZON = ROAD.y + 14;
const BOTTOM = ROAD.y + ROAD.height;
/** Distance at which a metre is as wide as it is drawn at the bottom, in metres. */
const NEAR = 6;
const LANE_UNITS = 140;
const MARK_METRES = 4;
const PITCH_METRES = 12;
const MARKS = 7;

/**
 * A vehicle seen from behind, in halves of its width: its shadow, body, roof and window, each from
 * a bottom to a top of some half width, with colour and opacity.
 */
const VEHICLE_BODY = [
  [-0.16, 0.9, 0, 1.1, 0x000000, 150],
  [0.05, 1, 0.95, 0.96, 0x8fa2bd, 256],
  [0.9, 0.82, 1.5, 0.58, 0x6f829d, 256],
  [0.95, 0.66, 1.4, 0.48, 0x18222f, 256],
] as const;
/** Lamps, tyres and number plate: left, top, width, height, colour. */
const VEHICLE_DETAILS = [
  [-0.92, 0.72, 0.4, 0.2, Palette.RED],
  [0.52, 0.72, 0.4, 0.2, Palette.RED],
  [-0.92, 0.1, 0.36, 0.16, 0x0a0d12],
  [0.56, 0.1, 0.36, 0.16, 0x0a0d12],
  [-0.3, 0.5, 0.6, 0.2, 0xdfe7f2],
] as const;

/** Height on the picture of a point of the road so many metres away. */
function heightOf(metres: number): number {
  return HORIZON + ((BOTTOM - HORIZON) * NEAR) / metres;
}

/** Place across the road, in lanes from the middle of the own one. */
function across(lanes: number, metres: number, bend: number): number {
  const far = 1 - NEAR / metres;
  return MIDDLE + (lanes * LANE_UNITS * NEAR) / metres + bend * far * far * 46;
}

export class RoadView {
  /** `metres`: way travelled so far; `frame` lets the road bend. */
  draw(sketch: Sketch, metres: number, frame: number): void {
    const bend = sine(frame * 3) / UNIT;
    this.lane(sketch, bend);
    for (const lanes of [-1.5, 1.5]) this.edge(sketch, lanes, bend);
    const shift = metres % PITCH_METRES;
    for (const lanes of [-0.5, 0.5]) {
      for (let n = 0; n < MARKS; n++) {
        const from = NEAR - MARK_METRES + n * PITCH_METRES + PITCH_METRES - shift;
        this.mark(sketch, lanes, Math.max(NEAR, from), from + MARK_METRES, bend);
      }
    }
    this.vehicle(sketch, 17 + (4 * sine(frame * 5)) / UNIT, bend);
  }

  private strip(left: number, right: number, from: number, to: number, bend: number): number[] {
    const points: number[] = [];
    const steps = 8;
    for (let n = 0; n <= steps; n++) {
      // Even steps of the picture, not of the road.
      const metres = 1 / (1 / from + ((1 / to - 1 / from) * n) / steps);
      points.push(across(left, metres, bend), heightOf(metres));
    }
    for (let n = steps; n >= 0; n--) {
      const metres = 1 / (1 / from + ((1 / to - 1 / from) * n) / steps);
      points.push(across(right, metres, bend), heightOf(metres));
    }
    return points;
  }

  private lane(sketch: Sketch, bend: number): void {
    sketch.polygon(this.strip(-1.5, 1.5, NEAR, 130, bend), 0x172131);
    sketch.polygon(this.strip(-0.46, 0.46, NEAR, 22, bend), Palette.TEAL, 44);
    sketch.polygon(this.strip(-0.46, 0.46, NEAR, 14, bend), Palette.TEAL, 40);
  }

  private edge(sketch: Sketch, lanes: number, bend: number): void {
    sketch.polygon(this.strip(lanes - 0.03, lanes + 0.03, NEAR, 130, bend), Palette.DIM);
  }

  private mark(sketch: Sketch, lanes: number, from: number, to: number, bend: number): void {
    if (to <= from) return;
    const weight = Math.min(256, Math.round((256 * 16) / from));
    const colour = mix(0x2a3648, Palette.TEXT, weight) & 0xffffff;
    sketch.polygon(this.strip(lanes - 0.035, lanes + 0.035, from, to, bend), colour);
  }

  private vehicle(sketch: Sketch, metres: number, bend: number): void {
    const half = (LANE_UNITS * NEAR * 0.95) / metres / 3.4;
    const [x, y] = [across(0, metres, bend), heightOf(metres)];
    for (const [bottom, bottomHalf, top, topHalf, colour, opacity] of VEHICLE_BODY) {
      const points = [-bottomHalf, -bottom, bottomHalf, -bottom, topHalf, -top, -topHalf, -top];
      sketch.polygon(
        points.map((unit, n) => (n % 2 === 0 ? x : y) + unit * half),
        colour,
        opacity,
      );
    }
    for (const [left, top, width, height, colour] of VEHICLE_DETAILS) {
      const radius = height * 0.25;
      sketch.box(
        x + left * half,
        y - top * half,
        width * half,
        height * half,
        radius * half,
        colour,
      );
    }
  }
}
