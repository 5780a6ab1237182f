/** Outlines of shapes: closed polygons in fixed-point coordinates, x and y in turn. */
import { cosine, sine, TURN, UNIT } from './angle.ts';
import { STEPS } from './coverage.ts';

export type Outline = readonly number[];

/** A corner is cut off where its point would lie further out than this many half widths. */
const MITER_LIMIT = 2.2;
/** Chords of a full circle with a radius of one step; they grow with the radius' root. */
const CHORDS = 0.8;

/** Fixed-point coordinate of so many pixels. */
export function fixed(pixels: number): number {
  return Math.round(pixels * STEPS);
}

/** Points on a circle, both ends included. */
export function arcPoints(
  centreX: number,
  centreY: number,
  radius: number,
  from: number,
  to: number,
): number[] {
  const points: number[] = [];
  // A chord leaves its arc by a thirtieth of a pixel at most.
  const share = Math.abs(to - from) / TURN;
  const count = Math.max(2, Math.ceil(share * CHORDS * Math.sqrt(radius)));
  for (let n = 0; n <= count; n++) {
    const angle = Math.round(from + ((to - from) * n) / count);
    points.push(
      Math.round(centreX + (radius * cosine(angle)) / UNIT),
      Math.round(centreY + (radius * sine(angle)) / UNIT),
    );
  }
  return points;
}

export function disc(centreX: number, centreY: number, radius: number): Outline {
  return arcPoints(centreX, centreY, radius, 0, TURN);
}

function reversed(points: Outline): number[] {
  const turned: number[] = [];
  for (let n = points.length - 2; n >= 0; n -= 2) turned.push(points[n]!, points[n + 1]!);
  return turned;
}

/** A part of a ring between two angles. */
export function ringPart(
  centre: readonly [number, number],
  outer: number,
  inner: number,
  from: number,
  to: number,
): Outline {
  const [x, y] = centre;
  return [...arcPoints(x, y, outer, from, to), ...reversed(arcPoints(x, y, inner, from, to))];
}

export function roundedBox(
  x: number,
  y: number,
  width: number,
  height: number,
  radius: number,
): Outline {
  const [left, top, right, bottom] = [
    x + radius,
    y + radius,
    x + width - radius,
    y + height - radius,
  ];
  const quarter = TURN / 4;
  return [
    ...arcPoints(right, bottom, radius, 0, quarter),
    ...arcPoints(left, bottom, radius, quarter, 2 * quarter),
    ...arcPoints(left, top, radius, 2 * quarter, 3 * quarter),
    ...arcPoints(right, top, radius, 3 * quarter, TURN),
  ];
}

/** Points of a curve with one control point, without its first. */
export function curvePoints(
  from: readonly [number, number],
  control: readonly [number, number],
  to: readonly [number, number],
  count: number,
): number[] {
  const points: number[] = [];
  for (let n = 1; n <= count; n++) {
    const [a, b] = [count - n, n];
    for (const axis of [0, 1] as const) {
      const sum = a * a * from[axis] + 2 * a * b * control[axis] + b * b * to[axis];
      points.push(Math.round(sum / (count * count)));
    }
  }
  return points;
}

/** One side of a line of some width, from its begin to its end. */
function side(points: Outline, half: number, isClosed: boolean): number[] {
  const count = points.length / 2;
  const found: number[] = [];
  const normal = (n: number): [number, number] => {
    const [from, to] = [2 * ((n + count) % count), 2 * ((n + 1 + count) % count)];
    const [dx, dy] = [points[to]! - points[from]!, points[to + 1]! - points[from + 1]!];
    const length = Math.sqrt(dx * dx + dy * dy) || 1;
    return [-dy / length, dx / length];
  };
  for (let n = 0; n < count; n++) {
    const after = normal(isClosed || n < count - 1 ? n : n - 1);
    const before = isClosed || n > 0 ? normal(n - 1) : after;
    const [x, y] = [points[2 * n]!, points[2 * n + 1]!];
    const dot = 1 + before[0] * after[0] + before[1] * after[1];
    // The point of a corner lies 2 / dot squared half widths away, if the two sides meet at all.
    if (2 / dot < MITER_LIMIT * MITER_LIMIT) {
      const [mx, my] = [(before[0] + after[0]) / dot, (before[1] + after[1]) / dot];
      found.push(Math.round(x + mx * half), Math.round(y + my * half));
    } else {
      found.push(Math.round(x + before[0] * half), Math.round(y + before[1] * half));
      found.push(Math.round(x + after[0] * half), Math.round(y + after[1] * half));
    }
  }
  return found;
}

/** A line of some width along points; its ends are round. */
export function strokeOf(points: Outline, width: number): Outline[] {
  const half = width / 2;
  const right = side(points, half, false);
  const left = side(reversed(points), half, false);
  const cap = (n: number, towards: number): number[] => {
    const [x, y] = [points[n]!, points[n + 1]!];
    const [dx, dy] = [points[towards]! - x, points[towards + 1]! - y];
    const length = Math.sqrt(dx * dx + dy * dy) || 1;
    const [ux, uy] = [(-dx / length) * half, (-dy / length) * half];
    // Half a circle around the end, from one side to the other.
    const found: number[] = [];
    for (let step = 1; step < 8; step++) {
      const angle = (TURN / 2) * (step / 8) - TURN / 4;
      const [c, s] = [cosine(angle) / UNIT, sine(angle) / UNIT];
      found.push(Math.round(x + ux * c + uy * s), Math.round(y + uy * c - ux * s));
    }
    return found;
  };
  const last = points.length - 2;
  return [[...right, ...cap(last, last - 2), ...left, ...cap(0, 2)]];
}

/** A line of some width around a closed outline. */
export function contourOf(points: Outline, width: number): Outline[] {
  const half = width / 2;
  return [side(points, half, true), side(reversed(points), half, true)];
}
