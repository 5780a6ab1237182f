/** The report of a run: the keys of the contract, and every number from its counter. */
import { strict as assert } from 'node:assert';
import { GuestStatistic, GuestStatistics } from '../../../src/channel/guest-statistics.ts';
import { runReport, type RunFacts } from '../../../src/control-plane/run-report.ts';
import { netDevice, Rig, route, type RigOptions } from '../../support/rig.ts';

const FLOW = {
  id: 'telltale',
  from: 'a.net0.transmitq0',
  route: 'a-b',
  bytesMax: 1514,
  deadlineUs: 12_000,
  arrival: { periodUs: 10_000, jitterUs: 0, spacingUs: 0 },
};

function reported(
  prepare: (rig: Rig) => void = () => {},
  options: RigOptions = {},
  facts: Partial<RunFacts> = {},
) {
  const rig = new Rig({ flows: [FLOW], ...options });
  prepare(rig);
  const { plan, counters } = rig;
  const statistics = plan.layout.partitions.map(
    ({ statisticsAt }) =>
      new GuestStatistics(rig.plane.arena.u8.buffer as SharedArrayBuffer, statisticsAt),
  );
  const report = (more: Partial<RunFacts> = {}) =>
    runReport({
      plan,
      counters,
      config: { sha256: 'abc', name: 'rig', revision: 1 },
      durationNs: 5e9,
      modes: ['normal', 'isolated'],
      statistics,
      lostEvents: 0,
      safeState: undefined,
      ...facts,
      ...more,
    });
  return { rig, statistics, report };
}

/** Three packets that arrive, and one that finds no buffer. */
function traffic(rig: Rig): void {
  rig.supply('b', 3);
  rig.frames(1);
  for (let n = 0; n < 4; n++) rig.send('a', rig.packet('a', 'b', 100));
  rig.frames(2);
}

describe('run report', () => {
  it('[utest->req~cfg.identity~1] it names the configuration by its hash, name and revision', () => {
    const { report } = reported();
    assert.deepEqual(report().config, { sha256: 'abc', name: 'rig', revision: 1 });
  });

  it('[utest->req~diag.counters~1] it has every key that the contract names', () => {
    const result = reported(traffic).report();
    const has = (value: object, ...keys: string[]) => {
      for (const key of keys) assert.ok(key in value, key);
    };
    has(
      result,
      'config',
      'durationNs',
      'majorFrames',
      'overruns',
      'partitions',
      'flows',
      'skippedMajorFrames',
      'gc',
      'windowStartJitterNs',
    );
    has(result.partitions[0]!, 'id', 'state', 'faults', 'queues');
    has(
      result.partitions[0]!.queues[0]!,
      'queue',
      'requests',
      'bytes',
      'usedNotifications',
      'kicksSuppressed',
    );
    has(
      result.flows[0]!,
      'id',
      'requests',
      'sent',
      'delivered',
      'dropped',
      'minNs',
      'p50Ns',
      'p99Ns',
      'p999Ns',
      'maxNs',
      'boundNs',
      'violations',
      'hostBreaches',
    );
    has(result.gc, 'count', 'maxNs');
    has(result.windowStartJitterNs, 'p50', 'p99', 'max');
  });

  it('[utest->req~diag.counters~1] it is plain JSON', () => {
    const result = reported(traffic).report();
    assert.deepEqual(JSON.parse(JSON.stringify(result)), result);
  });

  it('[utest->req~diag.counters~1] requests, bytes, deliveries and drops are those of the queues and routes', () => {
    const result = reported(traffic).report();
    const queue = result.partitions[0]!.queues.find(
      ({ queue: name }) => name === 'a.net0.transmitq0',
    )!;
    assert.deepEqual([queue.requests, queue.bytes, queue.unrouted], [4, 400, 0]);
    assert.deepEqual(
      result.routes.find(({ id }) => id === 'a-b'),
      { id: 'a-b', sent: 4, delivered: 3, deferred: 0, dropped: { 'no-receive-buffer': 1 } },
    );
    assert.deepEqual(
      result.partitions.map(({ queues }) => queues.length),
      [2, 2],
    );
  });

  it("[utest->req~diag.counters~1] a flow has its delivered requests, its route's fate and its latency", () => {
    const { rig, report } = reported(traffic);
    const flow = report().flows[0]!;
    const latency = rig.counters.flowLatency(0);
    assert.deepEqual([flow.id, flow.requests, flow.sent, flow.delivered], ['telltale', 3, 4, 3]);
    assert.deepEqual([flow.minNs, flow.maxNs], [latency.min, latency.max]);
    assert.ok(
      flow.minNs > 0 &&
        flow.p50Ns <= flow.p99Ns &&
        flow.p99Ns <= flow.p999Ns &&
        flow.p999Ns <= flow.maxNs,
    );
    assert.deepEqual([flow.deadlineNs, flow.boundNs, flow.violations], [12_000_000, null, 0]);
  });

  it('[utest->req~diag.counters~1] a missed deadline is a violation of its flow', () => {
    const { report } = reported(traffic, { flows: [{ ...FLOW, deadlineUs: 1 }] });
    assert.equal(report().flows[0]!.violations, 3);
  });

  it('[utest->req~diag.counters~1] faults are listed by name where there are any', () => {
    const { report } = reported((rig) => {
      rig.send('a', rig.packet('b', 'a'));
      rig.frames(2);
    });
    assert.deepEqual(
      report().partitions.map(({ faults }) => faults),
      [{ 'source-mac-spoofed': 1 }, {}],
    );
  });

  it('[utest->req~diag.counters~1] packets of no route are counted at their queue', () => {
    const { report } = reported(
      (rig) => {
        rig.send('b', rig.packet('b', 'a'));
        rig.frames(2);
      },
      { routes: [route('a', 'b')] },
    );
    const queue = report().partitions[1]!.queues.find(
      ({ queue: name }) => name === 'b.net0.transmitq0',
    )!;
    assert.deepEqual([queue.requests, queue.unrouted], [1, 1]);
  });

  it('[utest->req~diag.counters~1] major frames, windows and lost frames are counted', () => {
    const { report } = reported((rig) => {
      rig.frames(3);
      rig.time.nowNs += 25_000_000;
      rig.frames(1);
    });
    const result = report();
    assert.equal(result.majorFrames, 4);
    assert.ok(result.skippedMajorFrames >= 1);
    assert.deepEqual(
      result.windows.map(({ id, partition, visits }) => [id, partition, visits]),
      [
        ['w-a', 'a', 4],
        ['w-b', 'b', 4],
        ['control', null, 4],
      ],
    );
    assert.ok(result.lateWindowStarts >= 1 && result.windowStartJitterNs.max >= 20_000_000);
  });

  for (const [cause, name] of ['cost-model', 'host', 'garbage-collection'].entries()) {
    it(`[utest->req~sched.overrun-detection~1] an overrun is reported with its window and its cause, here ${name}`, () => {
      const { report } = reported((rig) => {
        rig.evidence = { mark() {}, cause: () => cause };
        rig.send('a', rig.packet('a', 'b'));
        rig.time.perReadNs = 3_000_000;
        rig.frames(1);
      });
      const result = report();
      assert.ok(result.overruns.length > 0);
      assert.deepEqual(new Set(result.overruns.map((overrun) => overrun.cause)), new Set([name]));
      const sum = result.overruns.reduce((total, { count }) => total + count, 0);
      assert.equal(result.gc.count, name === 'garbage-collection' ? sum : 0);
    });
  }

  it("[utest->req~diag.counters~1] modes, guests' own numbers, lost events and the safe state are passed on", () => {
    const { statistics, report } = reported();
    statistics[1]!.add(GuestStatistic.SENT, 7);
    statistics[1]!.add(GuestStatistic.LOST, 2);
    statistics[1]!.roundTrip.recordFrom(Float64Array.of(1234), 0);
    const result = report({ lostEvents: 3, safeState: 'because' });
    assert.deepEqual(
      result.partitions.map(({ state }) => state),
      ['normal', 'isolated'],
    );
    assert.deepEqual([result.lostEvents, result.safeState], [3, 'because']);
    assert.deepEqual(
      [result.partitions[1]!.guest!.sent, result.partitions[1]!.guest!.lost],
      [7, 2],
    );
    assert.equal(result.partitions[1]!.guest!.roundTrip?.maxNs, 1234);
    assert.equal('roundTrip' in result.partitions[0]!.guest!, false, 'nothing was measured');
    assert.equal(report().safeState, null);
  });

  it('[utest->req~diag.counters~1] used buffer notifications sent and suppressed are told apart', () => {
    const { report } = reported(
      (rig) => {
        rig.guest('a').transmit[0]!.setAvailFlags(1);
        traffic(rig);
      },
      { devices: { a: netDevice(1), b: netDevice(2) } },
    );
    const queues = report().partitions.flatMap(({ queues: own }) => own);
    const of = (name: string) => queues.find(({ queue }) => queue === name)!;
    assert.equal(of('a.net0.transmitq0').usedNotifications, 0);
    assert.ok(of('a.net0.transmitq0').usedNotificationsSuppressed > 0);
    assert.ok(of('b.net0.receiveq0').usedNotifications > 0);
  });
});
