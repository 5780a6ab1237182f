/** Serving rule 6: major frames on an absolute grid, missed ones skipped, late starts and overruns counted. */
import { strict as assert } from 'node:assert';
import { GatewayCounter, WindowCounter } from '../../../src/channel/counters.ts';
import { EventKind } from '../../../src/channel/event-log.ts';
import { OVERRUN_CAUSES, OverrunCause } from '../../../src/data-plane/dispatcher.ts';
import {
  caps,
  COST_NS as C,
  DispatcherBench,
  window,
  type BenchOptions,
} from '../../support/dispatcher-bench.ts';

const FRAME = 1_000_000;
const SWITCH_NS = 2000;

/** One window of 100 µs at 200 µs in frames of 1 ms, and the control window the plan adds. */
function grid(options: Partial<BenchOptions> = {}): DispatcherBench {
  return new DispatcherBench({
    majorFrameNs: FRAME,
    windows: [window('w', 'a', 200_000, 100_000, [caps('transmitq0')])],
    ...options,
  });
}

/** Instants, relative to the first frame, at which windows were waited for. */
function waitTargets(bench: DispatcherBench): number[] {
  const targets: number[] = [];
  const { waitUntil } = bench.time;
  bench.time.waitUntil = (target, now) => {
    targets.push(target[0]! - bench.origin);
    waitUntil(target, now);
  };
  return targets;
}

function frames(bench: DispatcherBench): { run: number; skipped: number; late: number } {
  const of = (counter: number) => bench.counters.gateway(counter);
  return {
    run: of(GatewayCounter.MAJOR_FRAMES),
    skipped: of(GatewayCounter.SKIPPED_FRAMES),
    late: of(GatewayCounter.LATE_STARTS),
  };
}

describe('dispatcher: the grid', () => {
  it('[utest->req~sched.absolute-grid~1] each window begins at its offset in its frame, whatever came before', () => {
    const bench = grid({
      windows: [
        window('w', 'a', 200_000, 100_000, []),
        window('c', 'a', 400_000, 50_000, [], { kind: 'control' }),
      ],
    });
    const targets = waitTargets(bench);
    for (let n = 0; n < 3; n++) {
      bench.frames();
      bench.time.nowNs += 123_456;
    }
    assert.deepEqual(targets, [200_000, 400_000, 1_200_000, 1_400_000, 2_200_000, 2_400_000]);
  });

  it('[utest->req~sched.absolute-grid~1] no drift over 100,000 frames of uneven work', () => {
    const bench = grid({ windows: [window('w', 'a', 200_000, 100_000, [], { kind: 'control' })] });
    let worst = 0;
    const { waitUntil } = bench.time;
    let frame = 0;
    bench.time.waitUntil = (target, now) => {
      worst = Math.max(worst, Math.abs(target[0]! - (bench.origin + frame * FRAME + 200_000)));
      waitUntil(target, now);
    };
    for (; frame < 100_000; frame++) {
      bench.frames();
      bench.time.nowNs += (frame * 7919) % 700_000;
    }
    assert.equal(worst, 0);
    assert.deepEqual(frames(bench), { run: 100_000, skipped: 0, late: 0 });
    assert.equal(bench.plane.time.frameStart[0], bench.origin + 100_000 * FRAME);
  });

  it('[utest->req~sched.absolute-grid~1] late by less than one frame nothing is skipped, by exactly one frame one is', () => {
    for (const [late, skipped] of [
      [0, 0],
      [FRAME - 1, 0],
      [FRAME, 1],
      [2 * FRAME - 1, 1],
      [2 * FRAME, 2],
    ] as const) {
      const bench = grid({ windows: [window('c', 'a', 0, 100_000, [], { kind: 'control' })] });
      bench.time.waitUntil = (_target, now) => {
        bench.time.nowNs = bench.origin + FRAME + late;
        now[0] = bench.time.nowNs;
      };
      bench.frames();
      assert.deepEqual(frames(bench).skipped, skipped, `${late} ns late`);
      assert.equal(bench.plane.time.frameStart[0], bench.origin + (1 + skipped) * FRAME);
    }
  });

  it('[utest->req~sched.absolute-grid~1] frames missed while stopped are counted once and never caught up', () => {
    const bench = grid();
    bench.frames(2);
    bench.time.nowNs = bench.origin + 7.5 * FRAME;
    bench.backlog(5);
    bench.frames(3);
    // Frame 2 had begun to wait when the stop came, 3 to 6 are missed, 7 begins late, 8 on time.
    assert.deepEqual(frames(bench), { run: 5, skipped: 4, late: 4 });
    assert.equal(bench.plane.time.frameStart[0], bench.origin + 9 * FRAME);
    assert.deepEqual(
      bench.times('serve', 'a.tx0'),
      [0, 1, 2, 3, 4].map((n) => 200_000 + n * C),
    );
  });

  it('[utest->req~sched.absolute-grid~1] a stop of hours is skipped in one step', () => {
    const bench = grid();
    const stopNs = 3 * 3600 * 1e9;
    bench.time.nowNs = bench.origin + stopNs;
    bench.frames(2);
    assert.equal(frames(bench).run, 2);
    assert.equal(frames(bench).run + frames(bench).skipped, 1 + stopNs / FRAME);
    assert.equal(bench.plane.time.frameStart[0], bench.origin + stopNs + FRAME);
  });

  it('[utest->req~sched.overrun-detection~1] a start as late as the window switch is on time, one nanosecond more is late', () => {
    for (const [lateNs, late] of [
      [0, 0],
      [SWITCH_NS, 0],
      [SWITCH_NS + 1, 1],
    ] as const) {
      const bench = grid({ windows: [window('c', 'a', 0, 100_000, [], { kind: 'control' })] });
      bench.time.nowNs = bench.origin + lateNs;
      bench.frames();
      assert.equal(frames(bench).late, late);
      assert.deepEqual(
        [bench.counters.windowStartJitter.count, bench.counters.windowStartJitter.max],
        [1, lateNs],
      );
    }
  });
});

describe('dispatcher: overruns', () => {
  it('[utest->req~sched.overrun-detection~1] a window that ends on time, to the nanosecond, is no overrun', () => {
    const bench = grid({ windows: [window('w', 'a', 0, 2 * C, [caps('transmitq0')])] });
    bench.backlog(2);
    bench.frames();
    assert.equal(bench.served('a.tx0'), 2);
    assert.equal(bench.counters.window(0, WindowCounter.OVERRUNS_COST), 0);
    assert.deepEqual(bench.allEvents(), []);
  });

  it('[utest->req~sched.overrun-detection~1] one nanosecond later it is one, with its length', () => {
    const bench = grid({
      windows: [window('w', 'a', 0, 2 * C, [caps('transmitq0')])],
      takesNs: C + 1,
    });
    bench.backlog(1);
    bench.at(C, () => bench.advance(C));
    bench.frames();
    assert.equal(bench.counters.window(0, WindowCounter.OVERRUNS_COST), 1);
    assert.equal(bench.counters.window(0, WindowCounter.OVERRUN_NS_MAX), 1);
  });

  it('[utest->req~sched.overrun-detection~1] every cause has its counter, and its event names window and cause', () => {
    assert.deepEqual(OVERRUN_CAUSES, ['cost-model', 'host', 'garbage-collection']);
    const counters = [
      WindowCounter.OVERRUNS_COST,
      WindowCounter.OVERRUNS_HOST,
      WindowCounter.OVERRUNS_GC,
    ];
    for (const cause of Object.values(OverrunCause)) {
      const bench = grid({
        windows: [
          window('first', 'b', 0, C, []),
          window('w', 'a', 200_000, 2 * C, [caps('transmitq0')]),
        ],
        takesNs: 3 * C,
      });
      bench.evidence = { mark() {}, cause: () => cause };
      bench.backlog(1);
      bench.frames();
      assert.deepEqual(
        counters.map((counter) => bench.counters.window(1, counter)),
        counters.map((_, n) => +(n === cause)),
      );
      assert.deepEqual(
        counters.map((counter) => bench.counters.window(0, counter)),
        [0, 0, 0],
      );
      assert.deepEqual(bench.allEvents(), [
        {
          kind: EventKind.OVERRUN,
          subject: 1,
          queue: 0,
          code: cause,
          timeNs: bench.origin + 200_000 + 3 * C,
        },
      ]);
    }
  });

  it('[utest->req~sched.overrun-detection~1] the longest overrun is kept', () => {
    const bench = grid({ windows: [window('w', 'a', 0, C, [caps('transmitq0')])] });
    for (const extra of [500, 9000, 40]) {
      bench.backlog(1);
      bench.at(bench.plane.time.frameStart[0]! - bench.origin + 1, () => bench.advance(extra));
      bench.frames();
    }
    assert.equal(bench.counters.window(0, WindowCounter.OVERRUN_NS_MAX), 9000);
    assert.equal(bench.counters.window(0, WindowCounter.OVERRUNS_COST), 3);
  });

  it('[utest->req~sched.overrun-detection~1] the evidence is marked at each window, and asked behind a late one only', () => {
    const calls: string[] = [];
    const bench = grid({
      windows: [window('w', 'a', 0, 2 * C, [caps('transmitq0')]), window('x', 'b', 500_000, C, [])],
      takesNs: 5 * C,
    });
    bench.evidence = { mark: () => calls.push('mark'), cause: () => (calls.push('cause'), 0) };
    bench.frames();
    assert.deepEqual(
      calls.splice(0),
      ['mark', 'mark', 'mark'],
      'two windows and the control window between them',
    );
    bench.backlog(1);
    bench.frames();
    assert.deepEqual(calls, ['mark', 'cause', 'mark', 'mark']);
  });

  it('[utest->req~diag.counters~1] a window counts its visits, its requests, and the time its bursts took', () => {
    const bench = grid({ takesNs: 700 });
    for (const count of [3, 40, 2]) {
      bench.backlog(count);
      bench.frames();
    }
    const window = bench.plan.windows.find(({ id }) => id === 'w')!.index;
    const counters = ['VISITS', 'REQUESTS', 'SPENT_NS', 'SPENT_NS_MAX'] as const;
    assert.deepEqual(
      counters.map((name) => bench.counters.window(window, WindowCounter[name])),
      [3, 45, 45 * 700, 40 * 700],
    );
  });
});

describe('regressions', () => {
  it('[utest->req~sched.overrun-detection~1] a control window that ends late is an overrun, too', () => {
    const bench = grid({ windows: [window('c', 'a', 0, 10_000, [], { kind: 'control' })] });
    const { commands } = bench.plane;
    commands.runOne = () => {
      bench.advance(50_000);
      return true;
    };
    bench.frames();
    assert.equal(bench.counters.window(0, WindowCounter.OVERRUNS_COST), 1);
  });
});
