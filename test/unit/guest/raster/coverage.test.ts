/** Exact coverage of outlines, against areas that are known. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { Coverage, STEPS } from '../../../../src/guest/raster/coverage.ts';
import type { Outline } from '../../../../src/guest/raster/outline.ts';

const SIDE = 12;
const FULL = 256;

/** Coverages of all pixels of a box of SIDE by SIDE. */
function covered(...outlines: readonly Outline[]): number[] {
  const coverage = new Coverage(SIDE, SIDE);
  coverage.begin(0, 0, SIDE, SIDE);
  for (const outline of outlines) coverage.outline(outline);
  return Array.from({ length: SIDE }, (_, row) => {
    coverage.sumRow(row, FULL);
    const { first, end } = coverage;
    return Array.from({ length: SIDE }, (__, n) => (n >= first && n < end ? coverage.row[n]! : 0));
  }).flat();
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const box = (left: number, top: number, right: number, bottom: number): Outline =>
  [left, top, right, top, right, bottom, left, bottom].map((value) => Math.round(value * STEPS));

/** Area by the shoelace formula, in pixels. */
function areaOf(points: Outline): number {
  let twice = 0;
  for (let n = 0; n < points.length; n += 2) {
    const next = (n + 2) % points.length;
    twice += points[n]! * points[next + 1]! - points[next]! * points[n + 1]!;
  }
  return Math.abs(twice) / 2 / STEPS / STEPS;
}

const inside = fc.integer({ min: 0, max: SIDE * STEPS });
const triangle = fc.array(inside, { minLength: 6, maxLength: 6 });

describe('coverage of outlines', () => {
  it('[utest->req~guest.raster-exact~1] whole pixels are covered wholly, and no others at all', () => {
    const pixels = covered(box(2, 3, 5, 4));
    assert.deepEqual(
      pixels.flatMap((value, n) => (value > 0 ? [[n % SIDE, Math.floor(n / SIDE), value]] : [])),
      [
        [2, 3, FULL],
        [3, 3, FULL],
        [4, 3, FULL],
      ],
    );
  });

  it('[utest->req~guest.raster-exact~1] a part of a pixel is covered by its share', () => {
    const pixels = covered(box(1.5, 1.25, 2.25, 2));
    assert.equal(pixels[SIDE + 1], (FULL * 3) / 8);
    assert.equal(pixels[SIDE + 2], (FULL * 3) / 16);
    assert.equal(sum(pixels), (FULL * 9) / 16);
  });

  it('[utest->req~guest.raster-exact~1] the coverages of a triangle sum up to its area', () => {
    fc.assert(
      fc.property(triangle, (points) => {
        const total = sum(covered(points)) / FULL;
        // Each pixel is rounded down by less than a step, and crossings by less than one more.
        const tolerance = (4 * SIDE * 2) / FULL;
        assert.ok(Math.abs(total - areaOf(points)) <= tolerance, `${total}, ${areaOf(points)}`);
      }),
      { verbose: true },
    );
  });

  it('[utest->req~guest.raster-exact~1] two triangles that share an edge cover their sum together', () => {
    fc.assert(
      fc.property(inside, inside, (x, y) => {
        const [far] = [SIDE * STEPS];
        const corner: Outline = [0, 0, far, 0, x, y];
        const other: Outline = [x, y, far, 0, far, far];
        const third: Outline = [0, 0, x, y, far, far];
        const parts = [corner, other, third].map((part) => covered(part));
        const whole = covered([0, 0, far, 0, far, far]);
        const isIn = y <= x;
        if (!isIn) return;
        for (let n = 0; n < whole.length; n++) {
          const together = parts.reduce((total, part) => total + part[n]!, 0);
          assert.ok(Math.abs(together - whole[n]!) <= 4, `${n}: ${together}, ${whole[n]}`);
        }
      }),
      { verbose: true },
    );
  });

  it('[utest->req~guest.raster-exact~1] an outline run the other way inside another is a hole', () => {
    const hole = [...box(4, 4, 8, 8)];
    const turned = [hole[0]!, hole[1]!, hole[6]!, hole[7]!, hole[4]!, hole[5]!, hole[2]!, hole[3]!];
    const pixels = covered(box(2, 2, 10, 10), turned);
    assert.equal(sum(pixels), (64 - 16) * FULL);
    assert.equal(pixels[5 * SIDE + 5], 0);
  });

  it('[utest->req~guest.raster-exact~1] what leaves the box is cut off at its edge', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -30 * STEPS, max: 40 * STEPS }), {
          minLength: 6,
          maxLength: 20,
        }),
        (points) => {
          const even = points.slice(0, points.length & ~1);
          const pixels = covered(even);
          assert.ok(pixels.every((value) => value >= 0 && value <= FULL));
        },
      ),
      { verbose: true },
    );
    const pixels = covered(box(-5, -5, 40, 40));
    assert.deepEqual(new Set(pixels), new Set([FULL]));
  });

  it('[utest->req~guest.raster-exact~1] a box that was summed begins empty the next time', () => {
    const coverage = new Coverage(SIDE, SIDE);
    for (const points of [box(0, 0, 12, 12), box(1, 1, 2, 2)]) {
      coverage.begin(0, 0, SIDE, SIDE);
      coverage.outline(points);
      for (let row = 0; row < SIDE; row++) coverage.sumRow(row, FULL);
    }
    coverage.begin(0, 0, SIDE, SIDE);
    for (let row = 0; row < SIDE; row++) {
      coverage.sumRow(row, FULL);
      assert.ok(coverage.end <= coverage.first);
    }
  });
});
