/** What is said about bounds: the arithmetic, the comparison of two tables, the picture. */
import { strict as assert } from 'node:assert';
import { movedBounds } from '../../../src/analysis/comparison.ts';
import { counterexampleLines } from '../../../src/analysis/counterexample.ts';
import { explain } from '../../../src/analysis/explanation.ts';
import { flowBounds } from '../../../src/analysis/flow-bounds.ts';
import { picture } from '../../../src/analysis/picture.ts';
import { netPlan } from '../../support/network.ts';
import { timingPlan, type TimedPlan } from '../../support/timing-plan.ts';

/** Window [0, 9) in 10, cost 2, one request each; P = 10 with jitter: the second waits behind a full visit. */
function table(change: Partial<TimedPlan> = {}, pieces = 1): TimedPlan {
  return {
    majorFrameNs: 10_000,
    queues: [{ costNs: 2000 }],
    windows: [{ offsetNs: 0, durationNs: 9000, entries: [{ queue: 0, cap: 1 }] }],
    flows: [{ queue: 0, arrival: { periodNs: 10_000 * pieces, jitterNs: 3000 }, pieces }],
    ...change,
  };
}

function paragraphs(timed: TimedPlan): Record<string, string[]> {
  const plan = timingPlan(timed);
  const bound = flowBounds(plan)[0]!;
  return Object.fromEntries(
    explain(plan, bound).map(({ title, rows }) => [title, rows.map((row) => row.join(' | '))]),
  );
}

describe('explanation of a bound', () => {
  it('[utest->req~time.explained~1] visits, cut-offs, the busy window step by step, and the bound', () => {
    const shown = paragraphs(table());
    assert.equal(
      shown['what every visit serves']![1],
      'w0 | 0 µs | 9 µs | 1 | requestsMax | 7 µs | 0 µs | 7 µs',
    );
    assert.deepEqual(shown['busy window from a = 7 µs, the cut-off of "w0"'], [
      'q | delta(q) | A | n(A) | window | place | F(n) | F(n) - a - A',
      '1 | 0 µs | 0 µs | 1 | w0 +1 | 1 | 12 µs | 5 µs',
      '2 | 7 µs | 7 µs | 2 | w0 +2 | 1 | 22 µs | 8 µs',
    ]);
    assert.match(shown['bound']![0]!, /= 8 µs, which some arrivals come up to$/);
    assert.deepEqual(shown['critical instant'], [
      '2 requests of f0 come at 7.001 µs, 14.001 µs: just too late for window "w0"',
      'window "w0" of major frame +1 serves 1 to 1 from 10 µs on',
      'window "w0" of major frame +2 serves 2 to 2 from 20 µs on',
      'request 2, there since 14 µs, is published at 22 µs',
    ]);
  });

  it('[utest->req~time.explained~1] a flow without a bound: what is short, and nothing made up', () => {
    const shown = paragraphs(table({ queues: [{ costNs: 9001 }] }));
    assert.deepEqual(Object.keys(shown), [
      'flow',
      'what every visit serves',
      'supply',
      'does not hold',
      'assumed',
    ]);
    assert.match(shown['does not hold']![0]!, /"w0" has 9 µs for 9\.001 µs, limited by its length/);
  });

  it('[utest->req~time.explained~1] a request that other queues of its open window hold up', () => {
    const shown = paragraphs({
      ...table({ queues: [{ costNs: 10 }, { costNs: 100 }] }),
      windows: [
        {
          offsetNs: 0,
          durationNs: 9900,
          entries: [
            { queue: 0, cap: 1 },
            { queue: 1, cap: 32, guaranteed: 1 },
          ],
        },
      ],
      flows: [{ queue: 0, arrival: { periodNs: 10_000 } }],
    });
    // Behind a look of the open window, and published before it ends: the other's 32 come first.
    assert.deepEqual(shown['critical instant'], [
      '1 requests of f0 come at 6.691 µs: just too late for a look of window "w0"',
      'window "w0" serves 1 to 1 from 0 µs on',
      'request 1, there since 6.69 µs, is published at 9.9 µs',
    ]);
    assert.equal(
      shown['busy window from a = 6.69 µs, a look of "w0"']![1],
      '1 | 0 µs | 0 µs | 1 | w0 | 1 | 9.9 µs | 3.21 µs',
    );
    assert.match(shown['bound']![0]!, /= 3\.21 µs/);
  });

  it('[utest->req~time.explained~1] a busy window is shown as far as anybody reads', () => {
    const arrival = { periodNs: 50_000, jitterNs: 2_000_000, spacingNs: 1000 };
    const rows = (pieces: number) => {
      const shown = paragraphs(table({ flows: [{ queue: 0, arrival, pieces }] }));
      assert.match(shown['critical instant']![0]!, /, …: just too late for window "w0"/);
      const title = Object.keys(shown).find((name) => name.startsWith('busy window'))!;
      return shown[title]!.length - 1;
    };
    assert.equal(rows(1), 40);
    // 64 visits of one piece each are 32 requests of two.
    assert.equal(rows(2), 32);
  });

  it('[utest->req~time.explained~1] bursts, and a queue that no route leads away from', () => {
    const arrival = { periodNs: 40_000, burst: 2 };
    const timed = timingPlan(table({ flows: [{ queue: 0, arrival }] }));
    const devices = timed.devices.map((device) => ({ ...netPlan(device), routes: [] }));
    const plan = { ...timed, devices, routes: [] };
    const [flow, ...rest] = explain(plan, flowBounds(plan)[0]!);
    assert.equal(flow!.rows[0]![0], 'f0: p.net0.transmitq0');
    assert.match(flow!.rows[1]![0]!, /^2 requests every P = 40 µs,/);
    assert.deepEqual(rest.find(({ title }) => title === 'assumed')!.rows, [
      ['p.net0.transmitq0 carries f0 only, within the arrival contract'],
    ]);
    // Nor has a comparison anything to say of one.
    const [moved] = movedBounds(plan, { ...plan, windows: [] });
    assert.ok(moved!.why.every((text) => !text.includes('route')));
  });

  it('[utest->req~time.assumptions~1] packets in pieces: what the segments are assumed to be', () => {
    const assumed = paragraphs(
      table({ flows: [{ queue: 0, arrival: { periodNs: 90_000 }, pieces: 3 }] }),
    );
    assert.ok(assumed['flow']!.some((text) => text.startsWith('each takes 3 places of C = 2 µs')));
    assert.equal(assumed['assumed']![2], 'a packet of 100 bytes is cut into at most 2 segments');
  });

  it('[utest->req~time.explained~1] flows of one ring are named, and those that come with a critical request', () => {
    const one = { queue: 0, arrival: { periodNs: 40_000 } };
    const shown = paragraphs(table({ flows: [one, one] }));
    assert.ok(shown['flow']!.includes('the ring carries f0, f1'));
    assert.match(shown['critical instant']![0]!, /with 1 of the other flows of the queue$/);
  });

  it('[utest->req~time.explained~1] a long way is shortened in the middle', () => {
    const plan = timingPlan(table({}, 20));
    const lines = counterexampleLines(plan, flowBounds(plan)[0]!);
    assert.equal(lines.length, 1 + 7 + 1);
  });
});

describe('comparison of two tables', () => {
  it('[utest->req~time.compared~1] a bound that moved, and what differs', () => {
    const moved = movedBounds(
      timingPlan(table()),
      timingPlan(table({ queues: [{ costNs: 2500 }] })),
    );
    assert.deepEqual(moved, [
      {
        flow: 'f0',
        beforeNs: 8000,
        afterNs: 9000,
        why: ['cost of a request 2 µs -> 2.5 µs', 'cut-off of window "w0" 7 µs -> 6.5 µs'],
      },
    ]);
  });

  it('[utest->req~time.compared~1] the same bound is not listed, new and lost flows are', () => {
    const one = timingPlan(table());
    const none = timingPlan(table({ flows: [] }));
    assert.deepEqual(movedBounds(one, one), []);
    assert.deepEqual(movedBounds(one, none)[0]!.why, ['no such flow now']);
    assert.deepEqual(movedBounds(none, one)[0]!.why, ['a new flow']);
  });

  it('[utest->req~time.compared~1] a window more is a difference', () => {
    const more = table();
    const second = { offsetNs: 9500, durationNs: 2100, entries: [{ queue: 0, cap: 1 }] };
    const [moved] = movedBounds(
      timingPlan({ ...more, majorFrameNs: 20_000 }),
      timingPlan({ ...more, majorFrameNs: 20_000, windows: [...more.windows, second] }),
    );
    assert.ok(moved!.why.includes('requests sure in window "w1" none -> 1'));
    const [back] = movedBounds(
      timingPlan({ ...more, majorFrameNs: 20_000, windows: [...more.windows, second] }),
      timingPlan({ ...more, majorFrameNs: 20_000 }),
    );
    assert.ok(back!.why.includes('requests sure in window "w1" 1 -> none'));
  });
});

describe('picture of a table', () => {
  it('[utest->req~time.picture~1] windows in lanes, curves of each flow, and the bound between them', () => {
    const plan = timingPlan(table());
    const svg = picture(plan, flowBounds(plan));
    assert.match(svg, /^<svg [^]*<\/svg>\n$/);
    assert.equal(svg.match(/<rect /g)!.length, 1 + plan.windows.length);
    assert.equal(svg.match(/class="a"/g)!.length, 1);
    assert.match(svg, /R = 8 µs/);
    // Cut-off to arrival 2 and to its publication, on a scale of 7 to 23.5 µs.
    const [, from, to] = /class="r" d="M([\d.]+) [\d.]+L([\d.]+)/.exec(svg)!.map(Number);
    assert.ok(Math.abs((to! - from!) / (780 / 16_500) - 8000) < 5);
  });

  it('[utest->req~time.picture~1] a flow without a bound is said to have none; names are escaped', () => {
    const plan = timingPlan(table({ queues: [{ costNs: 9001 }] }));
    const svg = picture({ ...plan, name: '<"&">' }, flowBounds(plan));
    assert.match(svg, /no bound/);
    assert.match(svg, /&#60;&#34;&#38;&#34;&#62;/);
  });
});
