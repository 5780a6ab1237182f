/** Latency of a flow: from the last look that did not show the request to its publication, on the virtual clock. */
import { strict as assert } from 'node:assert';
import { FlowCounter } from '../../../src/channel/counters.ts';
import { ArrivalStamps } from '../../../src/data-plane/arrival-stamps.ts';
import { FlowProbe } from '../../../src/data-plane/flow-probe.ts';
import { indexDistance } from '../../../src/base/ring-index.ts';
import type { WindowConfig } from '../../../src/schedule/gateway-config.ts';
import { caps, COST_NS as C, DispatcherBench, window } from '../../support/dispatcher-bench.ts';

const FRAME = 10_000_000;

interface FlowOptions {
  readonly deadlineUs?: number;
  readonly windows?: readonly WindowConfig[];
  readonly takesNs?: number;
}

/** A flow from a to b; one window of 1 ms that is polled every 100 µs. */
function bench({ deadlineUs = 5000, windows, takesNs }: FlowOptions = {}): DispatcherBench {
  const rig = new DispatcherBench({
    windows: windows ?? [window('w', 'a', 0, 1_000_000, [caps('transmitq0')])],
    flows: [
      {
        id: 'flow',
        from: 'a.net0.transmitq0',
        route: 'a-b',
        bytesMax: 1514,
        deadlineUs,
        arrival: { periodUs: 10_000, jitterUs: 0, spacingUs: 0 },
      },
    ],
    ...(takesNs === undefined ? {} : { takesNs }),
  });
  rig.supply('b', 200);
  return rig;
}

function flow(rig: DispatcherBench) {
  const { count, min, max } = rig.counters.flowLatency(0);
  return { count, min, max, misses: rig.counters.flow(0, FlowCounter.VIOLATIONS) };
}

describe('flow probe: latency', () => {
  it('[utest->req~sched.latency-measured~1] from the last look that did not show the request to its publication', () => {
    const rig = bench();
    rig.at(250_000, () => rig.backlog(1));
    rig.frames();
    assert.deepEqual(flow(rig), { count: 1, min: 100_000 + C, max: 100_000 + C, misses: 0 });
  });

  it('[utest->req~sched.latency-measured~1] never below the true latency, and above it by at most one look', () => {
    for (const ns of [200_001, 250_000, 299_999]) {
      const rig = bench();
      rig.at(ns, () => rig.backlog(1));
      rig.frames();
      const trueNs = 300_000 + C - ns;
      assert.ok(flow(rig).max >= trueNs && flow(rig).max <= trueNs + 100_000, `at ${ns}`);
    }
  });

  it('[utest->req~sched.latency-measured~1] requests that came together are published, and measured, one by one', () => {
    const rig = bench();
    rig.at(250_000, () => rig.backlog(3));
    rig.frames();
    assert.deepEqual(flow(rig), { count: 3, min: 100_000 + C, max: 100_000 + 3 * C, misses: 0 });
  });

  it('[utest->req~sched.latency-measured~1] a request that comes behind its window has waited since the last look there', () => {
    const rig = bench();
    rig.at(1_000_001, () => rig.backlog(1));
    rig.frames(2);
    assert.equal(flow(rig).max, FRAME - 1_000_000 + C);
  });

  it('[utest->req~sched.latency-measured~1] what waits for a cap keeps the instant at which it came', () => {
    const rig = bench({
      windows: [window('w', 'a', 0, 1_000_000, [caps('transmitq0', { requestsMax: 1 })])],
    });
    rig.at(250_000, () => rig.backlog(3));
    rig.frames(3);
    assert.deepEqual(flow(rig), {
      count: 3,
      min: 100_000 + C,
      max: 2 * FRAME - 200_000 + C,
      misses: 2,
    });
  });

  it('[utest->req~sched.latency-measured~1] publication counts from the planned start of the window', () => {
    const rig = bench({ windows: [window('w', 'a', 400_000, 1_000_000, [caps('transmitq0')])] });
    rig.at(650_000, () => rig.backlog(1));
    rig.frames();
    const { min, max } = rig.counters.flowPublication(0);
    assert.deepEqual([min, max], [300_000 + C, 300_000 + C]);
  });

  it('[utest->req~sched.latency-measured~1] a latency equal to the deadline is in time, one nanosecond more is a miss', () => {
    for (const [deadlineUs, misses] of [
      [101, 0],
      [100.999, 1],
    ] as const) {
      const rig = bench({ deadlineUs });
      rig.at(250_000, () => rig.backlog(1));
      rig.frames();
      assert.deepEqual(flow(rig).misses, misses);
      assert.equal(rig.counters.flow(0, FlowCounter.REQUESTS), 1);
    }
  });

  it("[utest->req~sched.latency-measured~1] requests that the flow's route did not deliver are not measured", () => {
    const rig = bench();
    rig.at(250_000, () => {
      rig.send('a', rig.packet('b', 'a'));
      rig.send('a', rig.packet('a', 'b', 64, [0x81, 0x00]));
      rig.guest('b').receive[0]!.setAvailIndex(0);
    });
    rig.frames();
    assert.equal(rig.guest('a').transmit[0]!.usedIndex, 2);
    assert.equal(flow(rig).count, 0);
  });

  it('[utest->req~sched.latency-measured~1] between requests of the flow, others leave no trace', () => {
    const rig = bench();
    rig.at(250_000, () => {
      rig.backlog(1);
      rig.send('a', rig.packet('a', 'b', 64, [0x81, 0x00]));
      rig.backlog(1);
    });
    rig.frames();
    assert.deepEqual(flow(rig), { count: 2, min: 100_000 + C, max: 100_000 + 3 * C, misses: 0 });
  });

  it('[utest->req~sched.latency-measured~1] the clock is read for each publication of a flow', () => {
    const rig = bench({ takesNs: 10_000 });
    rig.at(250_000, () => rig.backlog(3));
    rig.frames();
    assert.deepEqual(flow(rig), { count: 3, min: 110_000, max: 130_000, misses: 0 });
  });
});

describe('flow probe: stamps', () => {
  const stampOf = (stamps: ArrivalStamps, position: number) => {
    const cell = new Float64Array(2);
    stamps.copyTo(cell, 1, position);
    return cell[1];
  };

  it('[utest->req~sched.latency-measured~1] positions keep the look before the one that showed them, over the wrap', () => {
    const stamps = new ArrivalStamps(8);
    stamps.looked(0xfffc, 0xfffc, Float64Array.of(100), true);
    stamps.looked(0xfffc, 0xffff, Float64Array.of(200), true);
    stamps.looked(0xffff, 2, Float64Array.of(300), true);
    stamps.looked(2, 4, Float64Array.of(400), true);
    assert.deepEqual(
      [0xfffc, 0xfffe, 0xffff, 0, 1, 2, 3].map((position) => stampOf(stamps, position)),
      [100, 100, 200, 200, 200, 300, 300],
    );
  });

  it('[utest->req~sched.latency-measured~1] a look that shows nothing moves on only the last look', () => {
    const stamps = new ArrivalStamps(4);
    stamps.looked(0, 1, Float64Array.of(50), true);
    stamps.looked(1, 1, Float64Array.of(60), true);
    stamps.looked(1, 2, Float64Array.of(70), true);
    assert.deepEqual([stampOf(stamps, 0), stampOf(stamps, 1)], [0, 60]);
  });

  it('[utest->req~sched.latency-measured~1] what a look has left counts from the look before it', () => {
    const stamps = new ArrivalStamps(4);
    stamps.looked(0, 0, Float64Array.of(50), true);
    stamps.looked(0, 1, Float64Array.of(60), false);
    stamps.looked(1, 2, Float64Array.of(70), true);
    stamps.looked(2, 3, Float64Array.of(80), true);
    assert.deepEqual(
      [0, 1, 2].map((position) => stampOf(stamps, position)),
      [50, 50, 70],
    );
  });

  it('[utest->req~sched.latency-measured~1] a probe holds a bounded number of requests until they are published', () => {
    const rig = bench();
    const plane = rig.plane;
    const probe = new FlowProbe(rig.plan.flows[0]!, rig.counters, plane.time);
    const stamps = new ArrivalStamps(4);
    assert.equal(probe.waiting, false);
    for (let n = 0; n < 70; n++) probe.served(stamps, n);
    assert.equal(probe.waiting, true);
    probe.published();
    assert.equal(probe.waiting, false);
    assert.equal(flow(rig).count, 64);
    probe.published();
    assert.equal(flow(rig).count, 64);
  });
});

describe('flow probe: what is late', () => {
  it('[utest->req~time.run-proven~1] the bound counts where there is one, and else the deadline', () => {
    for (const [boundNs, late] of [
      [null, 0],
      [100_000 + C, 0],
      [100_000 + C - 1, 1],
    ] as const) {
      const rig = bench();
      const probe = new FlowProbe({ ...rig.plan.flows[0]!, boundNs }, rig.counters, rig.plane.time);
      const stamps = new ArrivalStamps(4);
      rig.plane.time.disturbed[0] = -1;
      rig.plane.time.now[0] = 100_000 + C;
      probe.served(stamps, 0);
      probe.published();
      assert.equal(rig.counters.flow(0, FlowCounter.VIOLATIONS), late);
    }
  });

  it('[utest->req~sched.latency-measured~1] who waits behind a request that the host delayed is delayed by the host', () => {
    const rig = bench({ deadlineUs: 1 });
    const { time } = rig.plane;
    const probe = new FlowProbe(rig.plan.flows[0]!, rig.counters, time);
    const stamps = new ArrivalStamps(4);
    const at = (ns: number) => Float64Array.of(ns);
    stamps.idle();
    stamps.looked(0, 1, at(100), true);
    time.disturbed[0] = 150;
    // It came behind the disturbance, and the first one still waits.
    stamps.looked(1, 2, at(200), true);
    probe.served(stamps, 1);
    time.now[0] = 9000;
    probe.published();
    assert.deepEqual(lateness(rig), [0, 1]);
    // With nothing before it, it is late by itself.
    stamps.idle();
    stamps.looked(2, 3, at(300), true);
    probe.served(stamps, 2);
    probe.published();
    assert.deepEqual(lateness(rig), [1, 1]);
  });
});

describe('flow probe: caps', () => {
  /** One request of 1 µs in a window of 1 ms, every 10 ms, against a bound. */
  const capped = (boundNs: number, second: number) => {
    const rig = bench({
      windows: [window('w', 'a', 0, 1_000_000, [caps('transmitq0', { requestsMax: 1 })])],
      deadlineUs: boundNs / 1000,
    });
    rig.plane.time.disturbed[0] = -1;
    rig.at(0, () => rig.backlog(1));
    rig.at(second, () => rig.backlog(1));
    rig.frames(2);
    return flow(rig);
  };

  it('[utest->req~time.run-proven~1] what comes while nobody looks is late as if the window had looked on', () => {
    // The window's looks end at 1 ms less cost, sleep and look; the bound counts from there.
    const bound = FRAME + C - (1_000_000 - C - 100_000 - 1000);
    assert.equal(capped(bound, 5_000_000).misses, 0);
    assert.equal(capped(bound - 1, 5_000_000).misses, 1);
  });

  it('[utest->req~sched.latency-measured~1] the latency itself counts from the last look, and hides nothing', () => {
    assert.equal(capped(FRAME, 5_000_000).max, FRAME + C);
  });
});

function lateness(rig: DispatcherBench): number[] {
  return [FlowCounter.VIOLATIONS, FlowCounter.HOST_BREACHES].map((counter) =>
    rig.counters.flow(0, counter),
  );
}

describe('regressions', () => {
  it('[utest->req~sched.latency-measured~1] a request visible at the very first look has not waited since time began', () => {
    const rig = bench();
    rig.backlog(1);
    rig.frames();
    assert.ok(flow(rig).max <= rig.time.nowNs - rig.origin + 1000, `${flow(rig).max} ns`);
  });

  it('[utest->req~sched.latency-measured~1] waiting while the partition is held is not hidden', () => {
    const rig = bench();
    rig.frames();
    rig.plane.partitions[0]!.running = false;
    rig.at(FRAME + 50_000, () => rig.backlog(1));
    rig.at(FRAME + 550_000, () => {
      rig.plane.partitions[0]!.running = true;
    });
    rig.frames();
    assert.equal(flow(rig).count, 1);
    assert.ok(
      flow(rig).max >= 550_000 - 50_000,
      `${flow(rig).max} ns for a request that waited 550 µs`,
    );
  });

  it('[utest->req~sched.work-bound~1] a look costs at most one step per ring entry, whatever the index does', () => {
    const rig = bench({
      windows: [window('w', 'a', 0, 1_000_000, [caps('transmitq0', { requestsMax: 2 })])],
    });
    const service = rig.plane.services.find((candidate) => candidate !== undefined)!;
    const { stamps } = service as unknown as { stamps: ArrivalStamps };
    const { looked } = stamps;
    let longest = 0;
    stamps.looked = (from, to, now, sawAll) => {
      longest = Math.max(longest, indexDistance(to, from));
      looked.call(stamps, from, to, now, sawAll);
    };
    rig.backlog(5);
    rig.frames();
    rig.guest('a').transmit[0]!.setAvailIndex(4);
    rig.frames();
    assert.ok(longest <= 256, `${longest} stamps in one look`);
  });
});
