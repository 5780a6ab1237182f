/** Arrival curves against values computed elsewhere, against each other, and against the sequences they admit. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import {
  arrivalsMax,
  arrivalsWithin,
  regularFrom,
  spanMin,
} from '../../../src/analysis/arrival-curve.ts';
import { ArrivalSteps, rateOf } from '../../../src/analysis/arrival-steps.ts';
import type { ArrivalContract } from '../../../src/schedule/gateway-plan.ts';
import { seededRuns } from '../../support/seeded-runs.ts';

const runs = seededRuns(8_431, 300);

function contract(periodNs: number, jitterNs = 0, spacingNs = 0, burst = 1): ArrivalContract {
  return { periodNs, jitterNs, spacingNs, burst };
}

const anyContract = fc
  .record({
    periodNs: fc.integer({ min: 1, max: 50 }),
    jitterNs: fc.integer({ min: 0, max: 120 }),
    spacingNs: fc.integer({ min: 0, max: 12 }),
    burst: fc.integer({ min: 1, max: 5 }),
  })
  .map((parts): ArrivalContract => parts);

describe('arrival curves', () => {
  it('[utest->req~time.bound~1] spans of a period with jitter: pyCPA’s values', () => {
    // tdma_test.py, output of T11: spans of 2 to 5 requests.
    const spans = [2, 3, 4, 5].map((count) => spanMin(contract(30, 20, 10), count));
    assert.deepEqual(spans, [10, 40, 70, 100]);
  });

  it('[utest->req~time.bound~1] bursts of three, two apart, every twenty', () => {
    const spans = [1, 2, 3, 4, 5, 6, 7].map((count) => spanMin(contract(20, 0, 2, 3), count));
    assert.deepEqual(spans, [0, 2, 4, 20, 22, 24, 40]);
  });

  it('[utest->req~time.bound~1] an interval with both ends holds one more than without', () => {
    assert.deepEqual([arrivalsMax(contract(10), 10), arrivalsWithin(contract(10), 10)], [2, 1]);
    assert.deepEqual([arrivalsMax(contract(10), -1), arrivalsWithin(contract(10), 0)], [0, 0]);
  });

  it('[utest->req~time.bound~1] the count is the inverse of the span', () => {
    fc.assert(
      fc.property(anyContract, fc.integer({ min: 0, max: 400 }), (one, length) => {
        const count = arrivalsMax(one, length);
        assert.ok(spanMin(one, count) <= length && spanMin(one, count + 1) > length);
      }),
      runs,
    );
  });

  it('[utest->req~time.bound~1] requests at their least spans keep the contract everywhere', () => {
    fc.assert(
      fc.property(anyContract, fc.nat(30), fc.integer({ min: 1, max: 20 }), (one, first, count) => {
        const span = spanMin(one, first + count) - spanMin(one, first + 1);
        assert.ok(span >= spanMin(one, count));
      }),
      runs,
    );
  });

  it('[utest->req~time.bound~1] it repeats from where it is regular, at its rate', () => {
    fc.assert(
      fc.property(anyContract, fc.nat(20), (one, more) => {
        const from = regularFrom(one) + more;
        const { requests, perNs } = rateOf(one);
        assert.equal(spanMin(one, from + requests), spanMin(one, from) + perNs);
      }),
      runs,
    );
  });
});

describe('arrival steps of several flows', () => {
  const steps = new ArrivalSteps([
    { arrival: contract(10), pieces: 1 },
    { arrival: contract(15, 0, 0, 2), pieces: 3 },
  ]);

  it('[utest->req~time.bound~1] every instant at which some flow may send, with all that was sent', () => {
    const shown = [0, 1, 2, 3].map((n) => {
      const { offsetNs, requests, pieces } = steps.step(n);
      return [offsetNs, ...requests, pieces];
    });
    assert.deepEqual(shown, [
      [0, 1, 2, 7],
      [10, 2, 2, 8],
      [15, 2, 4, 14],
      [20, 3, 4, 15],
    ]);
    assert.deepEqual([steps.piecesWithin(15), steps.requestsWithin(15)], [14, 4]);
  });

  it('[utest->req~time.bound~1] the long-run rate is compared exactly', () => {
    // One in 10 and two of three pieces in 15: fifteen pieces in 30.
    assert.equal(steps.exceeds(15, 30), false);
    assert.equal(steps.exceeds(14, 30), true);
    assert.equal(steps.exceeds(15_000_000_000, 29_999_999_999), false);
    assert.equal(steps.exceeds(15_000_000_000, 30_000_000_001), true);
  });

  it('[utest->req~time.bound~1] spacing bounds the rate of contracts that ask for more', () => {
    assert.deepEqual(rateOf(contract(10, 0, 6, 2)), { requests: 1, perNs: 6 });
  });

  it('[utest->req~time.bound~1] the line lies above the curve', () => {
    fc.assert(
      fc.property(anyContract, anyContract, fc.nat(500), (one, other, length) => {
        const both = new ArrivalSteps([
          { arrival: one, pieces: 2 },
          { arrival: other, pieces: 1 },
        ]);
        const line = both.burstiness + both.rate * length;
        assert.ok(both.piecesWithin(length) <= line + 1e-9);
      }),
      runs,
    );
  });
});
