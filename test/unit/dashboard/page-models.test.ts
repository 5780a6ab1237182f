/** What the page computes before it draws: lanes and bars, steps and marks, and numbers for people. */
import { strict as assert } from 'node:assert';
import {
  bytes,
  count,
  instant,
  percent,
  runTime,
  shortTime,
  time,
} from '../../../src/dashboard/page/format.ts';
import {
  labelsOf,
  marksOf,
  NOTHING,
  rangeOf,
  stepsOf,
  ticksOf,
} from '../../../src/dashboard/page/latency-model.ts';
import type { FlowNumbers, Hello, Visit } from '../../../src/dashboard/page/message.ts';
import { framesOf, lanesOf, plannedBars } from '../../../src/dashboard/page/schedule-model.ts';

const HELLO: Hello = {
  type: 'hello',
  gateway: { name: 'rig', revision: 1, sha256: 'abc' },
  majorFrameNs: 1_000_000,
  windowSwitchNs: 2000,
  partitions: [
    { id: 'a', asil: 'B', guest: 'embedded: echo' },
    { id: 'b', asil: 'QM', guest: 'vhost-user' },
  ],
  windows: [
    { id: 'w-a', partition: 0, offsetNs: 100_000, durationNs: 200_000 },
    { id: 'w-b', partition: 1, offsetNs: 500_000, durationNs: 250_000 },
    { id: 'control', partition: -1, offsetNs: 900_000, durationNs: 50_000 },
  ],
  displays: [],
  overrunCauses: ['cost-model', 'host', 'garbage-collection'],
};
const ORIGIN = 7e15;

function visit(sequence: number, frame: number, window: number, more: Partial<Visit> = {}): Visit {
  const plannedNs = ORIGIN + frame * 1_000_000 + HELLO.windows[window]!.offsetNs;
  return {
    sequence,
    window,
    plannedNs,
    startedNs: plannedNs + 1000,
    endedNs: plannedNs + 150_000,
    busyNs: 50_000,
    requests: 3,
    overrun: 0,
    ...more,
  };
}

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

describe('dashboard page: schedule', () => {
  it('[utest->req~dash.page~1] a lane for each partition, and one for the gateway where it has windows', () => {
    assert.deepEqual(
      lanesOf(HELLO).map(({ name }) => name),
      ['a', 'b', 'gateway'],
    );
    const without = { ...HELLO, windows: HELLO.windows.slice(0, 2) };
    assert.deepEqual(
      lanesOf(without).map(({ name }) => name),
      ['a', 'b'],
    );
  });

  it('[utest->req~dash.page~1] planned bars lie at their share of the major frame', () => {
    assert.deepEqual(plannedBars(HELLO), [
      { lane: 0, from: 0.1, to: 0.3 },
      { lane: 1, from: 0.5, to: 0.75 },
      { lane: 2, from: 0.9, to: 0.95 },
    ]);
  });

  it('[utest->req~dash.page~1] actual bars lie where they were, the served time at their start', () => {
    const [frame] = framesOf(HELLO, [visit(0, 4, 1)], 8);
    const [bar] = frame!.bars;
    near(bar!.actual.from, 0.501);
    near(bar!.actual.to, 0.65);
    near(bar!.serving.from, 0.501);
    near(bar!.serving.to, 0.551);
    assert.deepEqual([bar!.lane, bar!.lateNs, bar!.late], [1, 1000, false]);
    assert.equal(frame!.startNs, ORIGIN + 4_000_000);
  });

  it('[utest->req~dash.page~1] the served time never reaches beyond the visit', () => {
    const [frame] = framesOf(HELLO, [visit(0, 0, 0, { busyNs: 900_000 })], 8);
    assert.equal(frame!.bars[0]!.serving.to, frame!.bars[0]!.actual.to);
  });

  it('[utest->req~dash.page~1] late is what starts later than a window switch takes', () => {
    const late = (ns: number) => {
      const { plannedNs } = visit(0, 0, 0);
      return framesOf(HELLO, [visit(0, 0, 0, { startedNs: plannedNs + ns })], 1)[0]!.bars[0]!.late;
    };
    assert.deepEqual([late(2000), late(2001)], [false, true]);
  });

  it('[utest->req~dash.page~1] visits come together by major frame, the last ones are kept', () => {
    const visits = [0, 1, 2, 3].flatMap((frame) =>
      [0, 1, 2].map((window) => visit(3 * frame + window, frame, window)),
    );
    const frames = framesOf(HELLO, visits, 2);
    assert.deepEqual(
      frames.map(({ bars, skipped }) => [bars.map((bar) => bar.visit.sequence), skipped]),
      [
        [[6, 7, 8], 0],
        [[9, 10, 11], 0],
      ],
    );
  });

  it('[utest->req~dash.page~1] a major frame that is under way is not shown, unless there is no other', () => {
    const visits = [0, 1, 2].map((window) => visit(window, 0, window));
    const begun = [...visits, visit(3, 1, 0), visit(4, 1, 1)];
    const starts = (shown: readonly Visit[]) =>
      framesOf(HELLO, shown, 8).map((frame) => frame.startNs);
    assert.deepEqual(starts(begun), [ORIGIN]);
    assert.deepEqual(starts([...begun, visit(5, 1, 2)]), [ORIGIN, ORIGIN + 1_000_000]);
    assert.deepEqual(starts(begun.slice(3)), [ORIGIN + 1_000_000]);
  });

  it('[utest->req~dash.page~1] major frames that were skipped are counted, visits of no window ignored', () => {
    const single = { ...HELLO, windows: HELLO.windows.slice(0, 1) };
    const frames = framesOf(single, [visit(0, 0, 0), visit(1, 5, 0)], 8);
    assert.deepEqual(
      frames.map(({ skipped }) => skipped),
      [0, 4],
    );
    assert.deepEqual(framesOf(HELLO, [{ ...visit(0, 0, 0), window: 99 }], 8), []);
  });
});

const FLOW: FlowNumbers = {
  id: 'f',
  requests: 10,
  minNs: 1000,
  p50Ns: 2000,
  p99Ns: 3000,
  p999Ns: 4000,
  maxNs: 5000,
  deadlineNs: 12_000,
  boundNs: null,
  violations: 0,
  hostBreaches: 0,
};

describe('dashboard page: latency', () => {
  it('[utest->req~dash.page~1] steps hold every count, and nothing where nothing was', () => {
    const bars = [
      { fromNs: 0, toNs: 0, count: 1 },
      { fromNs: 1000, toNs: 1023, count: 5 },
      { fromNs: 1024, toNs: 1055, count: 2 },
      { fromNs: 1056, toNs: 1087, count: 4 },
      { fromNs: 1e6, toNs: 1.01e6, count: 7 },
    ];
    const { fromNs, counts } = stepsOf(bars);
    assert.equal(
      counts.filter((value) => value !== NOTHING).reduce((sum, value) => sum + value, 0),
      19,
    );
    assert.deepEqual(
      fromNs,
      fromNs.toSorted((one, other) => one - other),
    );
    assert.deepEqual(counts.slice(-2), [7, NOTHING]);
    assert.ok(counts.includes(6), 'bars of one step are added');
    assert.deepEqual(stepsOf([]), { fromNs: [], counts: [] });
  });

  it('[utest->req~dash.page~1] a bar never appears to be faster than it was', () => {
    for (const toNs of [31, 32, 63, 1023, 1024, 99_999, 2 ** 32 - 1]) {
      const { fromNs } = stepsOf([{ fromNs: toNs, toNs, count: 1 }]);
      assert.ok(fromNs[1]! > toNs, `${toNs} below ${fromNs[1]}`);
    }
  });

  it('[utest->req~dash.page~1] the deadline is drawn in, and the bound where there is one', () => {
    const names = (flow: FlowNumbers) => marksOf(flow).map(({ name, ns }) => [name, ns]);
    assert.deepEqual(names(FLOW), [
      ['deadline', 12_000],
      ['max', 5000],
    ]);
    assert.deepEqual(names({ ...FLOW, boundNs: 9000, maxNs: 0 }), [
      ['bound', 9000],
      ['deadline', 12_000],
    ]);
  });

  it('[utest->req~dash.page~1] everything that is drawn lies in the range', () => {
    const steps = stepsOf([{ fromNs: 100, toNs: 101, count: 1 }]);
    const marks = marksOf(FLOW);
    const [from, to] = rangeOf(steps, marks);
    for (const ns of [...steps.fromNs, ...marks.map((mark) => mark.ns)])
      assert.ok(from < ns && ns < to, `${ns}`);
    assert.equal(rangeOf(stepsOf([{ fromNs: 0, toNs: 0, count: 1 }]), marks)[0], 1);
  });

  it('[utest->req~dash.page~1] ticks at 1, 2 and 5; labels at powers of ten, at all of them where those are few', () => {
    assert.deepEqual(ticksOf(900, 60_000), [1000, 2000, 5000, 10_000, 20_000, 50_000]);
    assert.deepEqual(ticksOf(0.5, 2), [0.5, 1, 2]);
    assert.deepEqual(labelsOf([1000, 2000], String), ['1000', '2000']);
    assert.deepEqual(labelsOf([1, 2, 10, 100, 200], String), ['1', '', '10', '100', '']);
  });
});

describe('dashboard page: numbers', () => {
  it('[utest->req~dash.page~1] counts and times in groups of three, times in one unit as long as they are sane', () => {
    assert.deepEqual([0, 999, 1000, 1234567].map(count), [
      '0',
      '999',
      '1\u202f000',
      '1\u202f234\u202f567',
    ]);
    assert.deepEqual([0, 49, 50, 1_234_567, 99_999_949, 1e8, 1.5e10].map(time), [
      '0.0 µs',
      '0.0 µs',
      '0.1 µs',
      '1\u202f234.6 µs',
      '99\u202f999.9 µs',
      '100.0 ms',
      '15.0 s',
    ]);
  });

  it('[utest->req~dash.page~1] short forms for axes, shares, instants and sizes', () => {
    assert.deepEqual([5, 2000, 5e6, 1e9].map(shortTime), ['5 ns', '2 µs', '5 ms', '1 s']);
    assert.equal(percent(0.1234), '12.3 %');
    assert.equal(instant(1_234_567e6), '1\u202f234.57 s');
    assert.deepEqual([1023, 1024, 1.5 * 2 ** 20, 2 ** 51].map(bytes), [
      '1023 B',
      '1.0 KiB',
      '1.5 MiB',
      '2048.0 TiB',
    ]);
  });

  it('[utest->req~dash.page~1] the time of a run in hours, minutes and seconds', () => {
    assert.deepEqual([0, 59.9e9, 60e9, 3599e9, 3600e9, 90_061e9].map(runTime), [
      '0 s',
      '59 s',
      '1 min 00 s',
      '59 min 59 s',
      '1 h 00 min 00 s',
      '25 h 01 min 01 s',
    ]);
  });
});
