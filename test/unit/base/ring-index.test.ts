/** Free-running 16-bit indices at every edge, against arithmetic that does not wrap. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { indexDistance, passesEvent, INDEX_MASK, wrapIndex } from '../../../src/base/ring-index.ts';

const seed = Number(process.env['TEST_SEED'] ?? 27771);
const numRuns = Number(process.env['TEST_RUNS'] ?? 2000);
const edges = [0, 1, 2, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff];
const index = fc.oneof(fc.constantFrom(...edges), fc.integer({ min: 0, max: 0xffff }));

/** Counts up one by one, as an unbounded counter would. */
function mod(value: number): number {
  const modulus = INDEX_MASK + 1;
  return ((value % modulus) + modulus) % modulus;
}

describe('base/ring-index', () => {
  it('[utest->req~queue.index-plausible~1] an index wraps at 65,536 in both directions', () => {
    const cases: [number, number][] = [
      [0, 0],
      [0xffff, 0xffff],
      [0x10000, 0],
      [0x10001, 1],
      [-1, 0xffff],
      [-0x10000, 0],
      [0x1ffff, 0xffff],
    ];
    for (const [value, wrapped] of cases) assert.equal(wrapIndex(value), wrapped);
  });

  it('[utest->req~queue.index-plausible~1] a distance is how often one must count up, for every pair of edges', () => {
    for (const from of edges) {
      for (const to of edges)
        assert.equal(indexDistance(to, from), mod(to - from), `${from} to ${to}`);
    }
  });

  it('[utest->req~queue.index-plausible~1] wrapping the sum of an index and a distance gives the other index', () => {
    fc.assert(
      fc.property(index, index, (from, to) => wrapIndex(from + indexDistance(to, from)) === to),
      { seed, numRuns },
    );
  });

  it('[utest->req~queue.notify-suppression~1] an event is passed exactly when its entry is among those just written', () => {
    fc.assert(
      fc.property(index, fc.integer({ min: 0, max: 300 }), index, (before, count, event) => {
        const written = Array.from({ length: count }, (_, n) => mod(before + n));
        assert.equal(passesEvent(event, mod(before + count), before), written.includes(event));
      }),
      { seed, numRuns: Math.min(numRuns, 20_000) },
    );
  });

  it('[utest->req~queue.notify-suppression~1] an event at the edges of what was written, over the wrap (catalogue 24)', () => {
    for (const before of edges) {
      const after = mod(before + 3);
      assert.equal(
        passesEvent(mod(before - 1), after, before),
        false,
        `${before}: written long ago`,
      );
      assert.equal(passesEvent(before, after, before), true, `${before}: first one`);
      assert.equal(passesEvent(mod(before + 2), after, before), true, `${before}: last one`);
      assert.equal(passesEvent(after, after, before), false, `${before}: the next one`);
    }
  });

  it('[utest->req~queue.notify-suppression~1] nothing written passes no event at all', () => {
    for (const at of edges) {
      for (const event of edges) assert.equal(passesEvent(event, at, at), false);
    }
  });
});
