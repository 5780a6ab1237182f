/** Flows of GPU commands: each flush from its arrival to the publication of its answer. */
import { strict as assert } from 'node:assert';
import { FlowCounter } from '../../../src/channel/counters.ts';
import { GpuResponse } from '../../../src/wire/virtio-gpu.ts';
import { flush, getDisplayInfo, transfer } from '../../support/gpu-commands.ts';
import { GpuRig, HEIGHT, WIDTH } from '../../support/gpu-rig.ts';

const WHOLE = [0, 0, WIDTH, HEIGHT] as const;

function withFlow(deadlineUs: number) {
  const rig = new GpuRig({
    flows: [
      {
        id: 'f',
        from: 'a.gpu0.controlq',
        command: 'flush',
        bytesMax: 4 * WIDTH * HEIGHT,
        deadlineUs,
        arrival: { periodUs: 10_000, jitterUs: 0, spacingUs: 0 },
      },
    ],
    caps: { requestsMax: 1, bytesMax: 32768 },
  });
  const guest = rig.guest('a');
  guest.picture(1, WIDTH, HEIGHT);
  guest.present(1, WIDTH, HEIGHT);
  const flow = (counter: number) => rig.counters.flow(0, counter);
  return { rig, guest, flow };
}

describe('GPU flows', () => {
  it('[utest->req~gpu.resumable~1] a flush of many windows counts once, from its arrival to its publication', () => {
    const { rig, guest, flow } = withFlow(1_000_000);
    const latency = rig.counters.flowLatency(0);
    const [requests, count] = [flow(FlowCounter.REQUESTS), latency.count];
    // Three pieces of at most 32 KiB: the answer is published in the third window.
    guest.ok(flush(1, WHOLE));
    assert.equal(flow(FlowCounter.REQUESTS), requests + 1);
    assert.equal(latency.count, count + 1);
    assert.ok(latency.max >= 2 * rig.plan.majorFrameNs, `${latency.max} ns`);
    assert.ok(latency.max <= 3 * rig.plan.majorFrameNs + 1000, `${latency.max} ns`);
    assert.equal(flow(FlowCounter.VIOLATIONS), 0);
  });

  it('[utest->req~gpu.resumable~1] other commands, and flushes that are refused, are none of it', () => {
    const { guest, flow } = withFlow(1_000_000);
    const requests = flow(FlowCounter.REQUESTS);
    guest.ok(transfer(1, WHOLE));
    guest.run(getDisplayInfo(), { answer: 408 });
    assert.equal(guest.run(flush(9, WHOLE)).type, GpuResponse.ERR_INVALID_RESOURCE_ID);
    assert.equal(
      guest.run(flush(1, [0, 0, WIDTH, HEIGHT + 1])).type,
      GpuResponse.ERR_INVALID_PARAMETER,
    );
    assert.equal(flow(FlowCounter.REQUESTS), requests);
  });

  it('[utest->req~gpu.resumable~1] a flush behind its deadline is a violation', () => {
    const { guest, flow } = withFlow(1000);
    const violations = flow(FlowCounter.VIOLATIONS);
    guest.ok(flush(1, WHOLE));
    assert.equal(flow(FlowCounter.VIOLATIONS), violations + 1);
  });
});
