/** Random windows: the dispatcher starts exactly what the serving rule of the contract says, in its order. */
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { caps, COST_NS as C, DispatcherBench, window } from '../support/dispatcher-bench.ts';
import { serveWindow, type ModelQueue } from '../support/serving-model.ts';

const seed = Number(process.env['TEST_SEED'] ?? 27600);
/** A run is a whole data plane: a twentieth of what plain functions get. */
const numRuns = Math.ceil(Number(process.env['TEST_RUNS'] ?? 3000) / 20);
const CONFIG_NAME: Record<string, string> = {
  'a.tx0': 'transmitq0',
  'a.tx1': 'transmitq1',
  'a.control': 'controlq',
};

interface WindowCase {
  readonly durationNs: number;
  readonly pollNs: number;
  readonly controlCostNs: number;
  /** Extra time per request, beyond the declared cost. */
  readonly overrunNs: number;
  readonly queues: readonly Omit<ModelQueue, 'costNs' | 'takesNs'>[];
}

const queueCase = (name: string, durationNs: number) =>
  fc
    .record({
      requestsMax: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(31, 32, 33, 100)),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      atStart: fc.oneof(fc.nat(12), fc.constantFrom(32, 33, 70)),
      later: fc.array(fc.integer({ min: 1, max: durationNs }), { maxLength: 12 }),
    })
    .map(({ requestsMax, share, atStart, later }) => ({
      name,
      requestsMax,
      requestsGuaranteed: Math.floor(share * share * Math.min(requestsMax, 10)),
      arrivals: [...new Array<number>(atStart).fill(0), ...later.toSorted((a, b) => a - b)],
    }));

const windowCase: fc.Arbitrary<WindowCase> = fc
  .record({
    durationNs: fc.oneof(
      fc.integer({ min: 1, max: 30 }).map((n) => n * C),
      fc.integer({ min: 1, max: 90_000 }),
    ),
    pollNs: fc.integer({ min: 300, max: 10_000 }),
    controlCostNs: fc.constantFrom(C, C / 2, 3 * C, 777),
    overrunNs: fc.constantFrom(0, 0, 0, 13, 900),
  })
  .chain((base) =>
    fc
      .shuffledSubarray(Object.keys(CONFIG_NAME), { minLength: 1 })
      .chain((names) =>
        fc
          .tuple(...names.map((name) => queueCase(name, base.durationNs)))
          .map((queues) => ({ ...base, queues })),
      ),
  );

function startsOfDispatcher({ durationNs, pollNs, controlCostNs, overrunNs, queues }: WindowCase) {
  const entries = queues.map(({ name, requestsMax, requestsGuaranteed }) =>
    caps(CONFIG_NAME[name]!, { requestsMax, requestsGuaranteed }),
  );
  const bench = new DispatcherBench({
    windows: [window('w', 'a', 0, durationNs, entries, { pollUs: pollNs / 1000 })],
    costs: { netControlNs: controlCostNs },
    extraNs: overrunNs,
  });
  for (const { name, arrivals } of queues) {
    for (const at of arrivals) {
      bench.at(at, () =>
        name === 'a.control' ? bench.controlBacklog(1) : bench.backlog(1, name === 'a.tx0' ? 0 : 1),
      );
    }
  }
  bench.frames();
  return bench.trace.filter(({ call }) => call === 'serve').map(({ queue, ns }) => ({ queue, ns }));
}

describe('property: serving rule', function () {
  this.timeout(20_000 + 20 * numRuns);

  it('[utest->req~sched.serving-rule~1] what starts, and when, is what the reference model says', () => {
    let starts = 0;
    fc.assert(
      fc.property(windowCase, (one) => {
        const { durationNs, pollNs } = one;
        const queues = one.queues.map((queue) => {
          const costNs = queue.name === 'a.control' ? one.controlCostNs : C;
          return { ...queue, costNs, takesNs: costNs + one.overrunNs };
        });
        const expected = serveWindow({ durationNs, pollNs, queues });
        assert.deepEqual(startsOfDispatcher(one), expected);
        starts += expected.length;
      }),
      { seed, numRuns },
    );
    assert.ok(starts >= numRuns, 'most windows serve something');
  });
});
