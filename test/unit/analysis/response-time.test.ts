/** Response times against values computed elsewhere, and the names of what has no bound. */
import { strict as assert } from 'node:assert';
import { flowBounds, type FlowBound } from '../../../src/analysis/flow-bounds.ts';
import { timingPlan, type TimedPlan, type TimedWindow } from '../../support/timing-plan.ts';

const MANY = 1000;

interface Row {
  readonly window: number;
  readonly majorFrame: number;
  readonly cost: number;
  readonly cap: number;
  readonly arrival: readonly [number, number, number];
  readonly bound: number;
  readonly boundPollOnce: number;
}

/** Simulated elsewhere, arrivals in whole ticks. */
const SIMULATED: readonly Row[] = [
  {
    window: 5,
    majorFrame: 10,
    cost: 2,
    cap: MANY,
    arrival: [10, 0, 0],
    bound: 8,
    boundPollOnce: 11,
  },
  {
    window: 5,
    majorFrame: 10,
    cost: 2,
    cap: MANY,
    arrival: [6, 9, 1],
    bound: 15,
    boundPollOnce: 18,
  },
  { window: 6, majorFrame: 10, cost: 2, cap: 2, arrival: [6, 12, 1], bound: 15, boundPollOnce: 19 },
  { window: 9, majorFrame: 10, cost: 2, cap: 1, arrival: [10, 3, 0], bound: 7, boundPollOnce: 14 },
];

/** One queue and one window from 0. */
function single(row: Omit<Row, 'bound' | 'boundPollOnce'>, pollNs = 0): TimedPlan {
  const [periodNs, jitterNs, spacingNs] = row.arrival;
  return {
    majorFrameNs: row.majorFrame,
    queues: [{ costNs: row.cost }],
    windows: [
      { offsetNs: 0, durationNs: row.window, pollNs, entries: [{ queue: 0, cap: row.cap }] },
    ],
    flows: [{ queue: 0, arrival: { periodNs, jitterNs, spacingNs } }],
  };
}

function boundOf(plan: TimedPlan): FlowBound {
  return flowBounds(timingPlan(plan))[0]!;
}

/** Bound for arrivals in whole ticks: one below the supremum. */
function ticks(plan: TimedPlan): number {
  return boundOf(plan).boundNs! - 1;
}

describe('response times: values computed elsewhere', () => {
  for (const row of SIMULATED) {
    const { window, majorFrame, cost, cap, arrival, bound, boundPollOnce } = row;
    const title = `window ${window} in ${majorFrame}, cost ${cost}, cap ${cap}, P,J,d ${arrival.join(',')}`;

    it(`[utest->req~time.bound~1] ${title}: ${bound}, and ${boundPollOnce} where it is looked at once`, () => {
      assert.equal(ticks(single(row)), bound);
      // Who sleeps for the length of the window looks once, behind what it has just served again.
      assert.equal(ticks(single(row, window)), boundPollOnce);
    });
  }

  it('[utest->req~time.bound~1] two queues of one window with guarantees of one each: 14', () => {
    const plan: TimedPlan = {
      majorFrameNs: 10,
      queues: [{ costNs: 2 }, { costNs: 2 }],
      windows: [
        {
          offsetNs: 0,
          durationNs: 4,
          entries: [
            { queue: 0, cap: 1 },
            { queue: 1, cap: 1 },
          ],
        },
      ],
      flows: [{ queue: 1, arrival: { periodNs: 10 } }],
    };
    assert.equal(ticks(plan), 13);
    assert.equal(boundOf(plan).boundNs, 14);
  });

  it('[utest->req~time.bound~1] closed forms of one request: c - w + 2C, and c + C where it is looked at once', () => {
    for (const [window, cost] of [
      [5, 2],
      [9, 4],
      [30, 7],
    ] as const) {
      const row = { window, majorFrame: 100, cost, cap: MANY, arrival: [100, 0, 0] } as const;
      assert.equal(boundOf(single(row)).boundNs, 100 - window + 2 * cost);
      assert.equal(boundOf(single(row, window)).boundNs, 100 + cost);
    }
  });
});

describe('response times: what a queue meets', () => {
  const row = { window: 50, majorFrame: 100, cost: 2, cap: 3, arrival: [100, 0, 0] } as const;

  it('[utest->req~time.bound~1] late starts, looks and sleeps lengthen the way by what they last', () => {
    const base = boundOf(single(row)).boundNs!;
    assert.equal(boundOf({ ...single(row), windowSwitchNs: 7 }).boundNs, base + 7);
    assert.equal(boundOf({ ...single(row), lookNs: 3 }).boundNs, base + 3);
    assert.equal(boundOf(single(row, 11)).boundNs, base + 11);
  });

  it('[utest->req~time.bound~1] a request of several pieces takes as many places', () => {
    const plan = single({ ...row, cap: 2, arrival: [200, 0, 0] });
    const flows = [{ ...plan.flows[0]!, pieces: 3 }];
    // Two of the three in the first visit, the last one a major frame later.
    assert.equal(boundOf({ ...plan, flows }).boundNs, 202 - 48);
  });

  it('[utest->req~time.bound~1] notifications wait for the end of the window, and for each other', () => {
    const bound = boundOf({ ...single(row), notifyNs: 5 });
    assert.equal(bound.boundNs, 102 - 48);
    assert.equal(bound.notifiedBoundNs, 150 + 2 * 5 - 48);
  });

  it('[utest->req~time.bound~1] notifications behind one window may delay the next', () => {
    const windows: TimedWindow[] = [
      { offsetNs: 0, durationNs: 50, entries: [{ queue: 0, cap: 3 }] },
      { offsetNs: 52, durationNs: 20, entries: [{ queue: 1, cap: 3 }] },
    ];
    const plan: TimedPlan = {
      ...single(row),
      queues: [{ costNs: 2 }, { costNs: 2 }],
      windows,
      flows: [{ queue: 1, arrival: { periodNs: 100 } }],
      notifyNs: 5,
    };
    // 50 and two notifications: the first look is at 60.
    assert.equal(boundOf(plan).boundNs, 100 + 62 - 70);
  });

  it('[utest->req~time.bound~1] the backlog is what can come before the first is gone', () => {
    const arrival = { periodNs: 30, jitterNs: 60 };
    const plan = { ...single({ ...row, cap: 20 }), flows: [{ queue: 0, arrival }] };
    // Three together, and one more while the window is closed; the fifth comes at 60, they go at 58.
    assert.equal(boundOf(plan).backlogMax, 4);
  });

  it('[utest->req~time.bound~1] several flows of one ring wait for each other', () => {
    const one = { queue: 0, arrival: { periodNs: 100 } };
    const plan = { ...single({ ...row, cap: 20 }), flows: [one, one, one] };
    assert.deepEqual(
      flowBounds(timingPlan(plan)).map(({ boundNs }) => boundNs),
      [106 - 48, 106 - 48, 106 - 48],
    );
  });

  it('[utest->req~time.bound~1] the critical instant says which window is missed and what comes', () => {
    const { critical } = boundOf(
      single({ window: 5, majorFrame: 10, cost: 2, cap: MANY, arrival: [6, 9, 1] }),
    );
    assert.deepEqual(
      [critical!.missed.window.id, critical!.requests, critical!.startNs, critical!.publishedNs],
      ['w0', 3, 3, 22],
    );
  });
});

describe('regressions', () => {
  it('[utest->req~time.bound~1] between the pieces of one request every other queue of the window has a burst', () => {
    const entries = [
      { queue: 0, cap: 2 },
      { queue: 1, cap: 32, guaranteed: 1 },
    ];
    const bound = boundOf({
      majorFrameNs: 10_000,
      queues: [{ costNs: 10 }, { costNs: 100 }],
      windows: [{ offsetNs: 0, durationNs: 9900, entries }],
      flows: [{ queue: 0, arrival: { periodNs: 10_000 }, pieces: 2 }],
    });
    // A look counts the request once: its second piece waits for 32 of the other queue.
    assert.equal(bound.boundNs, 10_000 + 10 + 32 * 100 + 10 - (9900 - 10 - 100));
  });
});

describe('response times: what has no bound', () => {
  const row = { window: 9, majorFrame: 10, cost: 2, cap: 1 } as const;

  it('[utest->req~time.bound~1] a window in which no request ever fits', () => {
    const bound = boundOf(single({ ...row, cost: 10, arrival: [10, 0, 0] }));
    assert.deepEqual([bound.boundNs, bound.shortage], [null, { kind: 'never-fits' }]);
  });

  it('[utest->req~time.bound~1] more than the table serves in the long run', () => {
    const bound = boundOf(single({ ...row, arrival: [9, 0, 0] }));
    assert.equal(bound.boundNs, null);
    assert.equal(bound.shortage!.kind, 'overload');
  });

  it('[utest->req~time.bound~1] exactly as much as the table serves has a bound, though it never rests', () => {
    const bound = boundOf(single({ ...row, arrival: [10, 0, 0] }));
    assert.deepEqual([bound.boundNs, bound.exact], [12 - 7, true]);
  });

  it('[utest->req~time.bound~1] periods without a short common one end too, with a line for the rest', () => {
    const once = [{ queue: 0, cap: 1 }];
    const plan: TimedPlan = {
      majorFrameNs: 2_000_003,
      queues: [{ costNs: 20_000 }],
      windows: [
        { offsetNs: 0, durationNs: 20_000, entries: once },
        { offsetNs: 764_472, durationNs: 20_000, entries: once },
      ],
      flows: [
        { queue: 0, arrival: { periodNs: 2_000_040, jitterNs: 720_380, spacingNs: 826_756 } },
        { queue: 0, arrival: { periodNs: 2_000_016, jitterNs: 1_850_334, spacingNs: 772_392 } },
      ],
    };
    const { boundNs, exact, critical, backlogMax } = boundOf(plan);
    assert.equal(exact, false);
    assert.ok(boundNs! > critical!.publishedNs - critical!.arrivalNs);
    assert.ok(backlogMax! >= 2);
  });
});
