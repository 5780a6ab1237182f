/** What pages are told: plan, visits and histograms, bounded whatever the configuration is. */
import { strict as assert } from 'node:assert';
import { helloOf, latencyOf, latencyOfAll, scheduleOf } from '../../../src/dashboard/snapshot.ts';
import { Rig } from '../../support/rig.ts';

const IDENTITY = { name: 'rig', revision: 1, sha256: 'abc' };

function flow(n: number) {
  return {
    id: `flow-${n}`,
    from: 'a.net0.transmitq0',
    route: 'a-b',
    bytesMax: 1514,
    deadlineUs: 12_000,
    arrival: { periodUs: 10_000, jitterUs: 0, spacingUs: 0 },
  };
}

describe('dashboard: snapshot', () => {
  it('[utest->req~dash.served~1] the first message says what does not change', () => {
    const { plan } = new Rig();
    const source = {
      id: 'center',
      widthPx: 8,
      heightPx: 4,
      generation: () => 1,
      pixels: () => new Uint8Array(128),
    };
    const hello = helloOf(plan, IDENTITY, [source]);
    assert.deepEqual(hello.gateway, IDENTITY);
    assert.deepEqual(hello.displays, [{ id: 'center', widthPx: 8, heightPx: 4 }]);
    assert.deepEqual(hello.partitions, [
      { id: 'a', asil: 'QM', guest: 'embedded: echo' },
      { id: 'b', asil: 'QM', guest: 'embedded: echo' },
    ]);
    assert.deepEqual(
      hello.windows.map(({ id, partition, offsetNs }) => [id, partition, offsetNs]),
      [
        ['w-a', 0, 0],
        ['w-b', 1, 4_500_000],
        ['control', -1, 9_500_000],
      ],
    );
    assert.deepEqual(JSON.parse(JSON.stringify(hello)), hello);
  });

  it('[utest->req~dash.served~1] a front-end of its own is named as one', () => {
    const { plan } = new Rig();
    const guest = {
      type: 'vhost-user',
      socketDirectory: 'run',
      socketMode: 'listen',
      unsealed: 'refuse',
    } as const;
    const partitions = plan.partitions.map((partition) => ({ ...partition, guest }));
    const [first] = helloOf({ ...plan, partitions }, IDENTITY, []).partitions;
    assert.equal(first!.guest, 'vhost-user');
  });

  it('[utest->req~dash.bounded~1] visits of the last eight major frames, and of no more', () => {
    const rig = new Rig();
    assert.deepEqual(scheduleOf(rig.plan, rig.windowTrace).visits, []);
    rig.frames(20);
    const { visits } = scheduleOf(rig.plan, rig.windowTrace);
    assert.deepEqual(
      visits.map(({ sequence }) => sequence),
      Array.from({ length: 24 }, (_, n) => 36 + n),
    );
  });

  it('[utest->req~dash.bounded~1] many windows are shown over fewer major frames', () => {
    const rig = new Rig();
    rig.frames(400);
    const windows = Array.from({ length: 100 }, () => rig.plan.windows[0]!);
    assert.equal(scheduleOf({ ...rig.plan, windows }, rig.windowTrace).visits.length, 512);
  });

  it('[utest->req~dash.served~1] a histogram has the bars of its flow', () => {
    const rig = new Rig({ flows: [flow(0)] });
    rig.supply('b', 2);
    rig.frames(1);
    rig.send('a', rig.packet('a', 'b'));
    rig.frames(1);
    const [latency] = latencyOf(rig.plan, rig.counters, 0).flows;
    assert.deepEqual(latency, { id: 'flow-0', bars: rig.counters.flowLatency(0).bars() });
    assert.equal(latency.bars.length, 1);
    assert.deepEqual(latencyOfAll(rig.plan, rig.counters), [latency]);
  });

  it('[utest->req~dash.bounded~1] of many flows each message tells some, and all get their turn', () => {
    const rig = new Rig({ flows: Array.from({ length: 11 }, (_, n) => flow(n)) });
    const told = [0, 1, 2].map((turn) =>
      latencyOf(rig.plan, rig.counters, turn).flows.map(({ id }) => id),
    );
    assert.ok(told.every((ids) => ids.length === 8));
    assert.equal(new Set(told.flat()).size, 11);
    assert.equal(latencyOfAll(rig.plan, rig.counters).length, 11);
  });
});
