/** Requests of a flow are measured when they are published: those of its route that were delivered. */
import { strict as assert } from 'node:assert';
import { FlowCounter } from '../../../src/channel/counters.ts';
import { packets, tagged } from '../../support/net-guest.ts';
import { Rig, netDevice, route } from '../../support/rig.ts';
import { SENDER, sendOriginal, windowOfA } from '../../support/segments.ts';

const FLOW = {
  id: 'f',
  from: 'a.net0.transmitq0',
  route: 'a-b',
  arrival: { periodUs: 10_000, jitterUs: 0, spacingUs: 0 },
  bytesMax: 1514,
  deadlineUs: 20_000,
};

const measured = (rig: Rig) => rig.counters.flow(0, FlowCounter.REQUESTS);

describe('latency of flows', () => {
  it('[utest->req~sched.latency-measured~1] a delivered request is measured once', () => {
    const rig = new Rig({ flows: [FLOW] });
    rig.supply('b', 4);
    rig.frames();
    rig.send('a', rig.packet('a', 'b'));
    rig.frames(2);
    assert.equal(measured(rig), 1);
    const { count, max } = summary(rig);
    assert.equal(count, 1);
    const [{ durationNs, pollNs }] = rig.plan.windows as [Rig['plan']['windows'][number]];
    const blackoutNs = rig.plan.majorFrameNs - durationNs;
    assert.ok(
      max >= blackoutNs && max <= blackoutNs + pollNs + 10_000,
      `since the look before: ${max}`,
    );
  });

  for (const [name, act] of [
    ['dropped', (rig: Rig) => rig.send('a', rig.packet('a', 'b'))],
    ['refused', (rig: Rig) => rig.send('a', [])],
    [
      'of another route',
      (rig: Rig) => {
        rig.supply('b', 1);
        rig.send('a', tagged(rig.packet('a', 'b'), 5));
      },
    ],
  ] as const) {
    it(`[utest->req~sched.latency-measured~1] a request that is ${name} is not measured`, () => {
      const routes = [route('a', 'b'), route('a', 'b', { id: 'v5', vlan: 5 })];
      const rig = new Rig({ flows: [FLOW], routes });
      act(rig);
      rig.frames();
      assert.equal(measured(rig), 0);
    });
  }

  it('[utest->req~sched.latency-measured~1] a request that was late counts as a missed deadline', () => {
    const rig = new Rig({ flows: [{ ...FLOW, deadlineUs: 5 }] });
    rig.supply('b', 1);
    rig.frames();
    rig.send('a', rig.packet('a', 'b'));
    rig.frames();
    assert.equal(rig.counters.flow(0, FlowCounter.VIOLATIONS), 1);
  });

  it(
    '[utest->req~sched.latency-measured~1] ' +
      'a packet that is cut is measured once, with its last segment',
    () => {
      const rig = new Rig({
        flows: [FLOW],
        devices: { a: netDevice(1, { offer: SENDER }), b: netDevice(2) },
        schedule: { windows: [windowOfA(0, 100_000, 2)] },
      });
      rig.supply('b', 8);
      rig.frames();
      sendOriginal(rig, { payloadBytes: 3000, gsoSize: 1000 });
      rig.frames();
      assert.equal(measured(rig), 0);
      rig.frames();
      assert.deepEqual([packets(rig, 'b').length, measured(rig)], [3, 1]);
      assert.ok(summary(rig).max > 19_000_000);
    },
  );

  it('[utest->req~sched.latency-measured~1] a packet that loses a segment is not measured', () => {
    const rig = new Rig({
      flows: [FLOW],
      devices: { a: netDevice(1, { offer: SENDER }), b: netDevice(2) },
    });
    rig.supply('b', 1);
    sendOriginal(rig);
    rig.frames();
    assert.equal(packets(rig, 'b').length, 1);
    assert.equal(measured(rig), 0);
  });
});

function summary(rig: Rig): { count: number; max: number } {
  const { count, max } = rig.counters.flowLatency(0);
  return { count, max };
}
