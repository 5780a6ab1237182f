/** Parts of a range: first fit, no overlap, given back whole; against a plain list of units. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { Extents, NO_ROOM } from '../../../src/data-plane/gpu/extents.ts';
import { seededRuns } from '../../support/seeded-runs.ts';

const UNITS = 24;
const PARTS = 5;

/** The first run of so many free units, or NO_ROOM. */
function firstFit(units: readonly number[], length: number): number {
  for (let from = 0; from + length <= units.length; from++) {
    if (units.slice(from, from + length).every((owner) => owner < 0)) return from;
  }
  return NO_ROOM;
}

describe('extents', () => {
  it('[utest->req~gpu.quota~1] a part is the first one that is free, and no more parts than there may be', () => {
    const step = fc.record({
      take: fc.integer({ min: 1, max: 10 }),
      release: fc.nat(),
      frees: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const extents = new Extents(UNITS, PARTS);
        const units = new Array<number>(UNITS).fill(-1);
        const parts: number[] = [];
        for (const { take, release, frees } of steps) {
          if (frees && parts.length > 0) {
            const [start] = parts.splice(release % parts.length, 1);
            extents.release(start!);
            units.forEach((owner, n) => {
              if (owner === start) units[n] = -1;
            });
            continue;
          }
          const expected = parts.length === PARTS ? NO_ROOM : firstFit(units, take);
          assert.equal(extents.take(take), expected);
          if (expected === NO_ROOM) continue;
          units.fill(expected, expected, expected + take);
          parts.push(expected);
        }
        extents.clear();
        assert.equal(extents.take(UNITS), 0);
      }),
      seededRuns(47, 500),
    );
  });

  it('[utest->req~gpu.quota~1] what nobody has is given back without a trace', () => {
    const extents = new Extents(UNITS, PARTS);
    assert.equal(extents.take(4), 0);
    extents.release(2);
    assert.equal(extents.take(UNITS - 3), NO_ROOM);
    assert.equal(extents.take(UNITS - 4), 4);
  });
});
