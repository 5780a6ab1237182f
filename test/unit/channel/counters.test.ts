/** Counters and histograms of a plan: each in a place of its own, the same for writer and reader. */
import { strict as assert } from 'node:assert';
import { FAULT_COUNT } from '../../../src/base/fault.ts';
import { HISTOGRAM_WORDS } from '../../../src/base/histogram.ts';
import {
  Counters,
  Drop,
  DROP_REASONS,
  FlowCounter,
  GatewayCounter,
  layOutCounters,
  QueueCounter,
  RouteCounter,
  WindowCounter,
} from '../../../src/channel/counters.ts';
import { compilePlan } from '../../../src/schedule/compile-plan.ts';
import type { GatewayPlan } from '../../../src/schedule/gateway-plan.ts';
import { netDevice, rigConfig } from '../../support/rig.ts';

const flow = (id: string) => ({
  id,
  from: 'a.net0.transmitq0',
  route: 'a-b',
  bytesMax: 100,
  deadlineUs: 1000,
  arrival: { periodUs: 10_000, jitterUs: 0, spacingUs: 0 },
});
const plan: GatewayPlan = compilePlan(
  rigConfig({
    devices: { a: netDevice(1), b: netDevice(2), c: netDevice(3) },
    flows: [flow('one'), flow('two')],
  }),
);

function fresh(): Counters {
  return new Counters(plan, new SharedArrayBuffer(Counters.bytes(plan)));
}

function indices(count: number): number[] {
  return [...Array(count).keys()];
}

/** Every counter of the plan: where it lies, and how it is read. */
function places(counters: Counters): { at: number; read: () => number }[] {
  const rows = (
    count: number,
    fields: number,
    at: (n: number) => number,
    read: (n: number, field: number) => number,
  ) =>
    indices(count).flatMap((n) =>
      indices(fields).map((field) => ({ at: at(n) + field, read: () => read(n, field) })),
    );
  return [
    ...rows(
      1,
      GatewayCounter.COUNT,
      () => 0,
      (_, field) => counters.gateway(field),
    ),
    ...rows(
      plan.queues.length,
      QueueCounter.COUNT,
      (n) => counters.queueAt(n),
      (n, field) => counters.queue(n, field),
    ),
    ...rows(
      plan.routes.length,
      RouteCounter.COUNT,
      (n) => counters.routeAt(n),
      (n, field) => counters.route(n, field),
    ),
    ...rows(
      plan.windows.length,
      WindowCounter.COUNT,
      (n) => counters.windowAt(n),
      (n, field) => counters.window(n, field),
    ),
    ...rows(
      plan.flows.length,
      FlowCounter.COUNT,
      (n) => counters.flowAt(n),
      (n, field) => counters.flow(n, field),
    ),
    ...rows(
      plan.partitions.length,
      FAULT_COUNT,
      (n) => counters.faultAt(n),
      (n, field) => counters.fault(n, field),
    ),
  ];
}

describe('counters', () => {
  it('[utest->req~diag.counters~1] no two counters share a word, and all begin at 0', () => {
    const all = places(fresh());
    assert.equal(new Set(all.map(({ at }) => at)).size, all.length);
    assert.deepEqual(new Set(all.map(({ read }) => read())), new Set([0]));
  });

  it('[utest->req~diag.counters~1] each counter is read where it is written, and nowhere else', () => {
    const counters = fresh();
    const all = places(counters);
    for (const { at, read } of all) {
      counters.words[at] = 5;
      assert.equal(read(), 5);
      counters.words[at] = 0;
      assert.equal(read(), 0);
    }
    assert.equal(Math.max(...all.map(({ at }) => at)) + 1, counters.layout.histograms);
  });

  it('[utest->req~diag.counters~1] histograms lie behind the counters, apart from each other, and fill the buffer', () => {
    const counters = fresh();
    const value = Float64Array.of(1);
    const histograms = [
      counters.windowStartJitter,
      ...plan.flows.flatMap(({ index }) => [
        counters.flowLatency(index),
        counters.flowPublication(index),
      ]),
    ];
    histograms.forEach((histogram, n) => {
      for (let count = 0; count <= n; count++) histogram.recordFrom(value, 0);
    });
    assert.deepEqual(
      histograms.map(({ count }) => count),
      histograms.map((_, n) => n + 1),
    );
    assert.equal(
      counters.layout.words,
      counters.layout.histograms + histograms.length * HISTOGRAM_WORDS,
    );
    assert.deepEqual(new Set(places(counters).map(({ read }) => read())), new Set([0]));
  });

  it('[utest->req~diag.counters~1] both planes see one set of words', () => {
    const buffer = new SharedArrayBuffer(Counters.bytes(plan));
    const writer = new Counters(plan, buffer);
    writer.words[writer.queueAt(2) + QueueCounter.BYTES] = 2 ** 40;
    assert.equal(new Counters(plan, buffer).queue(2, QueueCounter.BYTES), 2 ** 40);
  });

  it('[utest->req~diag.counters~1] a plan without flows still has its jitter histogram', () => {
    const bare = compilePlan(rigConfig());
    const counters = new Counters(bare, new ArrayBuffer(Counters.bytes(bare)));
    counters.windowStartJitter.recordFrom(Float64Array.of(9), 0);
    assert.equal(counters.windowStartJitter.max, 9);
    assert.equal(layOutCounters(bare).words, layOutCounters(bare).histograms + HISTOGRAM_WORDS);
  });

  it('[utest->req~diag.counters~1] every reason for a drop has a name and a counter', () => {
    assert.deepEqual(Object.values(Drop), indices(DROP_REASONS.length));
    assert.equal(RouteCounter.COUNT, RouteCounter.DROPS + DROP_REASONS.length);
  });
});
