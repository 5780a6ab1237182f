/** Flows that do not hold: the sentence that says what is short, and the changes that would help. */
import { strict as assert } from 'node:assert';
import {
  counterexampleLines,
  criticalArrivals,
  shortageText,
} from '../../../src/analysis/counterexample.ts';
import { flowBounds, type FlowBound } from '../../../src/analysis/flow-bounds.ts';
import { passage, STAGES_MAX } from '../../../src/analysis/passage.ts';
import { picture } from '../../../src/analysis/picture.ts';
import { remediesFor } from '../../../src/analysis/remedy.ts';
import { latestStarts, notificationsNs } from '../../../src/analysis/window-edges.ts';
import { warningsFor } from '../../../src/analysis/warnings.ts';
import { explain } from '../../../src/analysis/explanation.ts';
import { boundsReport, boundTable, refusals } from '../../../src/cli/bounds.ts';
import { compilePlan } from '../../../src/schedule/compile-plan.ts';
import type { GatewayPlan } from '../../../src/schedule/gateway-plan.ts';
import { netPlan } from '../../support/network.ts';
import { timingPlan, type TimedPlan, type TimedWindow } from '../../support/timing-plan.ts';
import { first, twoPartitions, type ConfigDraft } from '../../support/two-partitions.ts';

/** Window [0, 5) in 10, cost 2, as many requests as fit; one request every 10. */
function table(change: Partial<TimedPlan> = {}): TimedPlan {
  return {
    majorFrameNs: 10_000,
    queues: [{ costNs: 2000 }],
    windows: [window(0, 5000)],
    flows: [{ queue: 0, arrival: { periodNs: 10_000 } }],
    ...change,
  };
}

function window(offsetNs: number, durationNs: number, cap = 8): TimedWindow {
  return { offsetNs, durationNs, entries: [{ queue: 0, cap }] };
}

function firstBound(plan: GatewayPlan): FlowBound {
  return flowBounds(plan)[0]!;
}

function said(plan: GatewayPlan): string {
  const bound = firstBound(plan);
  return shortageText(bound.shortage!, bound);
}

function compiled(change: (draft: ConfigDraft) => void): GatewayPlan {
  return compilePlan(twoPartitions(change));
}

describe('what is short', () => {
  it('[utest->req~time.counterexample~1] the way from a missed window to the next', () => {
    const plan = timingPlan(
      table({ flows: [{ queue: 0, arrival: { periodNs: 10_000 }, deadlineNs: 5000 }] }),
    );
    // Cut-off at 3, the next window at 10, published at 12.
    assert.equal(
      said(plan),
      'the bound is 4 µs beyond the deadline: ' +
        'from the cut-off of "w0" to the start of "w0" are 7 µs of 9 µs',
    );
  });

  it('[utest->req~time.counterexample~1] visits that are full before its own', () => {
    const flow = { queue: 0, arrival: { periodNs: 20_000, burst: 2 }, deadlineNs: 15_000 };
    const plan = timingPlan(table({ windows: [window(0, 5000, 1)], flows: [flow] }));
    assert.equal(
      said(plan),
      'the bound is 4 µs beyond the deadline: ' +
        '1 visits before its own are full: 1 in "w0" by its requestsMax',
    );
  });

  it('[utest->req~time.counterexample~1] other queues of the open window', () => {
    const entries = [
      { queue: 0, cap: 1 },
      { queue: 1, cap: 32, guaranteed: 1 },
    ];
    const plan = timingPlan({
      majorFrameNs: 10_000,
      queues: [{ costNs: 10 }, { costNs: 100 }],
      windows: [{ offsetNs: 0, durationNs: 9900, entries }],
      flows: [{ queue: 0, arrival: { periodNs: 10_000 }, deadlineNs: 3000 }],
    });
    assert.equal(
      said(plan),
      'the bound is 0.21 µs beyond the deadline: the other queues of window "w0" come first, for 3.21 µs',
    );
    // Everything is published within the window of the look.
    const { critical, queue } = firstBound(plan);
    assert.deepEqual([critical!.prompt, critical!.publishedNs], [true, 9900]);
    assert.deepEqual(passage(queue.load, critical!), [
      { visit: critical!.missed, frameNs: 0, from: 1, to: 1 },
    ]);
    assert.match(picture(plan, flowBounds(plan)), /a look of &#34;w0&#34;, 6\.69 µs/);
  });

  it('[utest->req~time.counterexample~1] a route that drops, and one that holds back for ever', () => {
    const short = (excess: 'drop' | 'defer') =>
      compiled(({ flows, network }) => {
        Object.assign(first(flows).arrival, { burst: 3 });
        Object.assign(network.routes[0]!, { excess, packetsPerMajorFrame: 2 });
      });
    const packets = /carries 2 packets and 12112 bytes per major frame; its flows may need /;
    assert.match(said(short('drop')), packets);
    assert.match(said(short('drop')), /and the rest is dropped$/);
    assert.match(said(short('defer')), /and the rest is deferred$/);
    const [remedy, ...others] = remediesFor(short('drop'), firstBound(short('drop')));
    assert.match(remedy!, /^packetsPerMajorFrame 6 and bytesPerMajorFrame 9084 of route "/);
    assert.deepEqual(others, []);
  });

  it('[utest->req~time.counterexample~1] windows whose start never comes', () => {
    // Two windows whose notifications alone are longer than the major frame.
    const plan = timingPlan(table({ notifyNs: 20_000 }));
    assert.deepEqual(latestStarts(plan), [Infinity]);
    assert.match(said(plan), /"w0" has no time at all, limited by its length$/);
  });

  it('[utest->req~time.counterexample~1] nothing is shown where there is no critical instant', () => {
    const plan = timingPlan(table({ queues: [{ costNs: 5001 }] }));
    const bound = firstBound(plan);
    assert.deepEqual(criticalArrivals(bound), []);
    assert.deepEqual(counterexampleLines(plan, bound), []);
  });

  it('[utest->req~time.counterexample~1] no way is shown longer than anybody reads', () => {
    const arrival = { periodNs: 10_000, jitterNs: 2_000_000 };
    const plan = timingPlan(
      table({ windows: [window(0, 5000, 1)], flows: [{ queue: 0, arrival }] }),
    );
    const { queue, critical } = firstBound(plan);
    assert.ok(critical!.pieces > STAGES_MAX);
    assert.equal(passage(queue.load, critical!).length, STAGES_MAX);
  });

  it('[utest->req~time.counterexample~1] visits that a deferring route leaves nothing are no stages', () => {
    const arrival = { periodNs: 10_000, jitterNs: 5000 };
    const plan = timingPlan(
      table({ windows: [window(0, 2500), window(5000, 2500)], flows: [{ queue: 0, arrival }] }),
    );
    const [route] = plan.routes;
    const one = { ...route!, packetsPerMajorFrame: 1, excess: 'defer' as const };
    const { queue, critical } = firstBound({ ...plan, routes: [one] });
    assert.equal(queue.load.frameQuota, 1);
    const stages = passage(queue.load, critical!);
    assert.equal(stages.at(-1)!.to >= critical!.pieces, true);
    const frames = stages.map(({ frameNs }) => frameNs);
    assert.deepEqual([...new Set(frames)], frames, 'one packet in every major frame');
  });
});

describe('what would help', () => {
  it('[utest->req~time.counterexample~1] nothing where nothing is short', () => {
    const plan = timingPlan(table());
    assert.deepEqual(remediesFor(plan, firstBound(plan)), []);
  });

  it('[utest->req~time.counterexample~1] a window that lacks a nanosecond gets just that', () => {
    const plan = timingPlan(table({ queues: [{ costNs: 5001 }] }));
    assert.deepEqual(remediesFor(plan, firstBound(plan)), ['window "w0" 0.001 µs longer']);
  });

  it('[utest->req~time.counterexample~1] a queue that no window serves is given none', () => {
    const plan = timingPlan(table({ windows: [{ offsetNs: 0, durationNs: 5000, entries: [] }] }));
    assert.deepEqual(remediesFor(plan, firstBound(plan)), []);
  });
});

describe('edges of windows', () => {
  it('[utest->req~time.bound~1] a ring is notified once, however many queues deliver to it', () => {
    const plan = timingPlan(table({ notifyNs: 7 }));
    // Its own queue, and the one ring behind the route.
    assert.equal(notificationsNs(plan, plan.windows[0]!), 14);
    const devices = plan.devices.map((device) => ({ ...netPlan(device), routes: [] }));
    assert.equal(notificationsNs({ ...plan, devices }, plan.windows[0]!), 7);
  });

  it('[utest->req~time.narrow~1] a bound by a straight line is said not to be exact', () => {
    const once = [{ queue: 0, cap: 1 }];
    const plan = timingPlan({
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
    });
    const bounds = flowBounds(plan);
    assert.ok(
      warningsFor(plan, bounds).some((text) =>
        text.endsWith('the busy period was not followed up'),
      ),
    );
    const last = explain(plan, bounds[0]!).find(({ title }) => title === 'bound')!;
    assert.match(last.rows[0]![0]!, /, by a straight line for the rest$/);
    const [row] = boundTable(boundsReport(plan, bounds)).split('\n').slice(1);
    assert.match(row!, /≤ /);
  });
});

describe('bounds as check shows them', () => {
  it('[utest->req~time.counterexample~1] no bound: none, no backlog, and nothing that would help', () => {
    const plan = timingPlan(table({ windows: [{ offsetNs: 0, durationNs: 5000, entries: [] }] }));
    const flows = boundsReport(plan, flowBounds(plan));
    const cells = boundTable(flows).split('\n')[1]!.trim().split(/ {2,}/);
    assert.deepEqual(cells, ['f0', '1000000.0 µs', 'none', 'none', '-', '-', '-', 'DOES NOT HOLD']);
    assert.doesNotMatch(refusals(flows), /would hold with/);
  });
});
