/** What the counters say of lateness: whose it was, and that quiet windows are never accused. */
import { strict as assert } from 'node:assert';
import { FlowCounter, WindowCounter } from '../../../src/channel/counters.ts';
import { OverrunCause } from '../../../src/data-plane/dispatcher.ts';
import { caps, DispatcherBench, window } from '../../support/dispatcher-bench.ts';

const FLOW = {
  id: 'flow',
  from: 'a.net0.transmitq0',
  route: 'a-b',
  bytesMax: 1514,
  deadlineUs: 9_500,
  arrival: { periodUs: 10_000, jitterUs: 0, spacingUs: 0 },
};

function overruns(bench: DispatcherBench, id: string): number[] {
  const { index } = bench.plan.windows.find((one) => one.id === id)!;
  const { OVERRUNS_COST, OVERRUNS_HOST, OVERRUNS_GC } = WindowCounter;
  return [OVERRUNS_COST, OVERRUNS_HOST, OVERRUNS_GC].map((counter) =>
    bench.counters.window(index, counter),
  );
}

/** A flow's window at 300 µs behind others; its request comes at 250 µs of the second frame. */
function flowBench(takesNs = 1000, between = true): DispatcherBench {
  const bench = new DispatcherBench({
    windows: [
      window('long', 'a', 0, 100_000, [caps('transmitq1')]),
      ...(between ? [window('short', 'b', 200_000, 10_000, [caps('transmitq0')])] : []),
      window('flow', 'a', 300_000, 700_000, [caps('transmitq0')]),
    ],
    flows: [FLOW],
    takesNs,
  });
  bench.supply('b', 2);
  bench.frames();
  bench.at(bench.plan.majorFrameNs + 250_000, () => bench.backlog(1, 0));
  return bench;
}

function breaches(bench: DispatcherBench): { host: number; violations: number } {
  return {
    host: bench.counters.flow(0, FlowCounter.HOST_BREACHES),
    violations: bench.counters.flow(0, FlowCounter.VIOLATIONS),
  };
}

describe('dispatcher: evidence', () => {
  it('[utest->req~sched.overrun-detection~1] a frame without work behind an overrun is none', () => {
    const bench = new DispatcherBench({
      windows: [window('w', 'a', 0, 100_000, [caps('transmitq0')])],
      takesNs: 300_000,
    });
    bench.backlog(1);
    bench.frames(4);
    assert.deepEqual(overruns(bench, 'w'), [1, 0, 0]);
  });

  it('[utest->req~sched.overrun-detection~1] a late command window is one overrun, the next one none', () => {
    const bench = new DispatcherBench({
      windows: [window('c', 'a', 0, 100_000, [], { kind: 'control' })],
    });
    const { commands } = bench.plane;
    let left = 1;
    commands.runOne = () => {
      if (left-- <= 0) return false;
      bench.advance(200_000);
      return true;
    };
    bench.frames(3);
    assert.deepEqual(overruns(bench, 'c'), [1, 0, 0]);
  });

  it('[utest->req~sched.latency-measured~1] a request served in time is no breach of anybody', () => {
    const bench = flowBench();
    bench.frames();
    assert.deepEqual(breaches(bench), { host: 0, violations: 0 });
    assert.equal(bench.counters.flow(0, FlowCounter.REQUESTS), 1);
  });

  it("[utest->req~sched.latency-measured~1] a breach behind a late wake-up is the host's", () => {
    const bench = flowBench();
    bench.at(bench.plan.majorFrameNs + 260_000, () => {
      bench.time.nowNs += 500_000;
    });
    bench.frames();
    assert.deepEqual(breaches(bench), { host: 1, violations: 0 });
  });

  it("[utest->req~sched.latency-measured~1] a breach behind an overrun is the host's only if its cause is", () => {
    for (const cause of Object.values(OverrunCause)) {
      const bench = flowBench(800_000, false);
      bench.evidence = { mark() {}, cause: () => cause };
      bench.backlog(1, 1);
      bench.frames();
      const host = cause === OverrunCause.HOST ? 1 : 0;
      assert.deepEqual(breaches(bench), { host, violations: 1 - host }, `cause ${cause}`);
    }
  });

  it('[utest->req~sched.latency-measured~1] what the host took before a request came is no excuse', () => {
    for (const [earlierNs, host] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const bench = flowBench(800_000);
      const lastLook = bench.origin + 1_000_000;
      bench.plane.time.disturbed[0] = lastLook - earlierNs;
      bench.frames();
      assert.deepEqual(breaches(bench), { host, violations: 1 - host });
    }
  });
});

describe('suspected defects', () => {
  it('[utest->req~sched.overrun-detection~1] a control window that the host let us reach late is not the cost model', () => {
    const bench = new DispatcherBench({
      windows: [window('c', 'a', 0, 100_000, [], { kind: 'control' })],
    });
    bench.time.nowNs = bench.origin + 150_000;
    bench.frames();
    assert.equal(overruns(bench, 'c')[OverrunCause.COST_MODEL], 0, 'no command was carried out');
  });

  it('[utest->req~sched.latency-measured~1] a breach behind our own overrun is a violation, with a window between', () => {
    // Given an overrun of the first window that lasts past the second one
    const bench = flowBench(600_000);
    bench.backlog(1, 1);
    // When the flow's request is served too late because of it
    bench.frames();
    // Then nobody says that it was the host
    assert.deepEqual(overruns(bench, 'long'), [1, 0, 0]);
    assert.deepEqual(breaches(bench), { host: 0, violations: 1 });
  });
});
