/** Histogram: exact ends, quantiles that never understate, and bounded error at every step. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { Histogram, HISTOGRAM_WORDS } from '../../../src/base/histogram.ts';

const seed = Number(process.env['TEST_SEED'] ?? 32032);
const numRuns = Number(process.env['TEST_RUNS'] ?? 300);
const WORD_MAX = 2 ** 32 - 1;
const ERROR_MAX = 0.032;

function histogramOf(...values: number[]): Histogram {
  const histogram = new Histogram(new Float64Array(HISTOGRAM_WORDS));
  record(histogram, ...values);
  return histogram;
}

function record(histogram: Histogram, ...values: number[]): void {
  const cell = new Float64Array(3);
  for (const value of values) {
    cell[1] = value;
    histogram.recordFrom(cell, 1);
  }
}

/** Values below, at and above each power of two, up to the largest that has a step of its own. */
const powers = Array.from({ length: 32 }, (_, n) => 2 ** n)
  .flatMap((power) => [power - 1, power, power + 1])
  .concat(WORD_MAX - 1, WORD_MAX);

/** Nearest rank: the smallest value that at least this share of the values does not exceed. */
function exactQuantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!;
}

describe('base/histogram', () => {
  it('[utest->req~diag.histogram~1] an empty histogram says 0 everywhere', () => {
    const { count, min, max } = histogramOf();
    assert.deepEqual({ count, min, max }, { count: 0, min: 0, max: 0 });
    for (const q of [0, 0.5, 1]) assert.equal(histogramOf().quantile(q), 0);
  });

  it('[utest->req~diag.histogram~1] one value is its own minimum, maximum and every quantile', () => {
    for (const value of [0, ...powers]) {
      const histogram = histogramOf(value);
      assert.deepEqual([histogram.count, histogram.min, histogram.max], [1, value, value]);
      for (const q of [0, 0.5, 1]) assert.equal(histogram.quantile(q), value, `${value} at ${q}`);
    }
  });

  it('[utest->req~diag.histogram~1] minimum, maximum and count are exact in whatever order values come', () => {
    const values = [500, 3, 1e15, 40, 3, 0.5, WORD_MAX + 1];
    for (const order of [values, values.toReversed()]) {
      const histogram = histogramOf(...order);
      assert.deepEqual([histogram.count, histogram.min, histogram.max], [7, 0.5, 1e15]);
    }
  });

  it('[utest->req~diag.histogram~1] a minimum of 0 is not taken for "empty"', () => {
    assert.equal(histogramOf(0, 7).min, 0);
    assert.equal(histogramOf(7, 0).min, 0);
  });

  it('[utest->req~diag.histogram~1] a negative value is counted, is the minimum, and never below its quantile', () => {
    const histogram = histogramOf(10, -5);
    assert.deepEqual([histogram.count, histogram.min, histogram.max], [2, -5, 10]);
    assert.ok(histogram.quantile(0) >= -5);
  });

  it('[utest->req~diag.histogram~1] below 32 every value has its own step', () => {
    for (let value = 0; value < 32; value++) {
      assert.equal(histogramOf(value, WORD_MAX).quantile(0.5), value);
    }
  });

  it('[utest->req~diag.histogram~1] around each power of two the step is at most 3.2 % above the value, never below', () => {
    for (const value of powers) {
      const shown = histogramOf(value, WORD_MAX).quantile(0.5);
      assert.ok(shown >= value && shown <= value * (1 + ERROR_MAX), `${value} shown as ${shown}`);
    }
  });

  it('[utest->req~diag.histogram~1] quantiles are never below the exact ones, and at most 3.2 % above', () => {
    const value = fc.oneof(
      fc.constantFrom(0, ...powers),
      fc.nat(100),
      fc.nat(1_000_000),
      fc.integer({ min: 0, max: WORD_MAX }),
    );
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, q) => {
          const histogram = histogramOf(...values);
          const exact = exactQuantile(values, q);
          const shown = histogram.quantile(q);
          assert.ok(
            shown >= exact && shown <= exact * (1 + ERROR_MAX),
            `${exact} shown as ${shown}`,
          );
          assert.equal(histogram.min, Math.min(...values));
          assert.equal(histogram.max, Math.max(...values));
        },
      ),
      { seed, numRuns },
    );
  });

  it('[utest->req~diag.histogram~1] a quantile beyond 1 is the maximum', () => {
    assert.equal(histogramOf(5, 1000).quantile(1.5), 1000);
  });

  it('[utest->req~diag.histogram~1] neighbours in one array leave each other alone, also when one is cleared', () => {
    const words = new Float64Array(3 * HISTOGRAM_WORDS);
    const [left, middle, right] = [0, 1, 2].map((n) => new Histogram(words, n * HISTOGRAM_WORDS));
    record(left!, 0, WORD_MAX);
    record(right!, 0, WORD_MAX);
    record(middle!, 0, 77, WORD_MAX, 1e12);
    middle!.clear();
    assert.deepEqual([middle!.count, middle!.min, middle!.max, middle!.quantile(1)], [0, 0, 0, 0]);
    for (const other of [left!, right!]) {
      assert.deepEqual(
        [other.count, other.min, other.max, other.quantile(1)],
        [2, 0, WORD_MAX, WORD_MAX],
      );
    }
    record(middle!, 9);
    assert.equal(middle!.quantile(0.5), 9);
  });

  describe('regressions', () => {
    it('[utest->req~diag.histogram~1] quantiles of values beyond 2^32 ns are not understated', () => {
      const tenSeconds = 1e10;
      for (const q of [0.5, 0.99, 1])
        assert.ok(histogramOf(5, tenSeconds, tenSeconds).quantile(q) >= tenSeconds);
    });

    it('[utest->req~diag.histogram~1] the maximum of negative values only is exact', () => {
      assert.equal(histogramOf(-5, -3).max, -3);
    });
  });

  it('[utest->req~diag.histogram~1] its bars hold every value, in order, each between its ends', () => {
    assert.deepEqual(histogramOf().bars(), []);
    assert.deepEqual(histogramOf(0, 0, 31, 32, 64).bars(), [
      { fromNs: 0, toNs: 0, count: 2 },
      { fromNs: 31, toNs: 31, count: 1 },
      { fromNs: 32, toNs: 32, count: 1 },
      { fromNs: 64, toNs: 65, count: 1 },
    ]);
    for (const power of powers) {
      const [bar] = histogramOf(power).bars();
      assert.ok(bar!.fromNs <= power && power <= bar!.toNs, `${power} in ${JSON.stringify(bar)}`);
      assert.equal(bar!.count, 1);
    }
  });
});
