/** Supply of a table against values computed elsewhere, and against counting. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { FluidSupply } from '../../../src/analysis/supply.ts';
import { seededRuns } from '../../support/seeded-runs.ts';

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

describe('supply of a table', () => {
  const two = new FluidSupply(
    [
      { startNs: 0, endNs: 3 },
      { startNs: 8, endNs: 10 },
    ],
    20,
  );

  it('[utest->req~time.bound~1] two windows: least supply of every length, and its inverse', () => {
    const least = [10, 11, ...range(12, 17), 18, ...range(20, 30), 31].map((length) =>
      two.least(length),
    );
    const expected = [0, 1, ...range(12, 17).map(() => 2), 3, ...range(20, 30).map(() => 5), 6];
    assert.deepEqual(least, expected);
    assert.equal(two.lengthFor(4), 19);
  });

  it('[utest->req~time.bound~1] a window at the end of the period is a budget with a deadline', () => {
    // response-time-analysis-rs, src/supply/tests.rs: period 11, budget 2, deadline 5.
    const one = new FluidSupply([{ startNs: 3, endNs: 5 }], 11);
    assert.deepEqual(
      [8, 9, 10, 20, 21].map((length) => one.least(length)),
      [0, 0, 1, 2, 3],
    );
  });

  it('[utest->req~time.bound~1] no window supplies nothing', () => {
    const none = new FluidSupply([{ startNs: 4, endNs: 4 }], 10);
    assert.deepEqual([none.least(100), none.lengthFor(1)], [0, Infinity]);
  });

  it('[utest->req~time.bound~1] it is what counting every instant finds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 16 }),
        fc.nat(50),
        fc.integer({ min: 1, max: 30 }),
        (open, length, work) => {
          const intervals = open.flatMap((on, at) => (on ? [{ startNs: at, endNs: at + 1 }] : []));
          const supply = new FluidSupply(intervals, open.length);
          const from = (start: number, ns: number) =>
            range(start, start + ns - 1).filter((at) => open[at % open.length]).length;
          const least = (ns: number) => Math.min(...open.map((_, start) => from(start, ns)));
          assert.equal(supply.least(length), least(length));
          if (intervals.length === 0) return;
          const enough = supply.lengthFor(work);
          assert.ok(least(enough) >= work && least(enough - 1) < work);
        },
      ),
      seededRuns(8_432, 300),
    );
  });
});
