/** Latency of a request that is there at the first look at its ring. */
import { strict as assert } from 'node:assert';
import { Rig } from '../../support/rig.ts';

const flow = {
  id: 'f',
  from: 'a.net0.transmitq0',
  route: 'a-b',
  bytesMax: 64,
  deadlineUs: 20_000,
  arrival: { periodUs: 10_000, jitterUs: 0, spacingUs: 0 },
};

describe('regressions: latency at the first look', () => {
  it('[utest->req~sched.latency-measured~1] it is counted from the start of the ring, not from instant 0 of the clock', () => {
    const rig = new Rig({ flows: [flow] });
    const startedNs = rig.time.nowNs;
    rig.supply('b', 1);
    rig.send('a', rig.packet('a', 'b'));
    rig.frames(1);
    const latency = rig.counters.flowLatency(0);
    assert.equal(latency.count, 1);
    assert.ok(
      latency.max <= rig.time.nowNs - startedNs,
      `${latency.max} ns, ${rig.time.nowNs - startedNs} ns after the start`,
    );
  });
});
