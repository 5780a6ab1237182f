/** Quotas of routes against what flows may send: harmless, dropping, deferring. */
import { strict as assert } from 'node:assert';
import { flowBounds } from '../../../src/analysis/flow-bounds.ts';
import { compilePlan } from '../../../src/schedule/compile-plan.ts';
import {
  first,
  routeDraft,
  twoPartitions,
  type ConfigDraft,
} from '../../support/two-partitions.ts';

function bounds(change: (draft: ConfigDraft) => void) {
  return flowBounds(compilePlan(twoPartitions(change)));
}

/** Three packets in every 10 ms, over a route that carries `packets`. */
function three(packets: number, excess: 'drop' | 'defer', bytes = 12112) {
  return bounds((draft) => {
    Object.assign(first(draft.flows).arrival, { burst: 3, jitterUs: 0 });
    const change = { packetsPerMajorFrame: packets, bytesPerMajorFrame: bytes, excess };
    draft.network.routes[0] = routeDraft('cluster', 'telematics', change);
  })[0]!;
}

describe('quotas of routes', () => {
  it('[utest->req~time.route-quota~1] a quota that the contract cannot use up changes nothing', () => {
    const { boundNs, shortage } = three(6, 'drop');
    assert.equal(shortage, null);
    assert.equal(boundNs, three(8, 'defer').boundNs);
  });

  it('[utest->req~time.route-quota~1] one that may drop what the contract allows is named, with what is asked of it', () => {
    const { boundNs, shortage } = three(5, 'drop');
    assert.equal(boundNs, three(8, 'drop').boundNs);
    assert.ok(shortage?.kind === 'route-quota');
    const { route, packets, bytes } = shortage.demand;
    assert.deepEqual([route.id, packets, bytes], ['cluster-to-telematics', 6, 6 * 1514]);
  });

  it('[utest->req~time.route-quota~1] bytes count as packets do', () => {
    const { shortage } = three(8, 'drop', 6 * 1514 - 1);
    assert.equal(shortage!.kind, 'route-quota');
  });

  it('[utest->req~time.route-quota~1] one that defers is a cap of the major frame', () => {
    const roomy = three(8, 'defer');
    const capped = three(3, 'defer');
    assert.equal(capped.shortage, null);
    assert.ok(capped.boundNs! >= roomy.boundNs!);
    // Less than comes in the long run never ends.
    const { boundNs, shortage } = three(2, 'defer');
    assert.deepEqual([boundNs, shortage!.kind], [null, 'route-quota']);
  });

  it('[utest->req~time.route-quota~1] a deferring quota that several queues share is named', () => {
    const flows = bounds((draft) => {
      const flow = first(draft.flows);
      Object.assign(flow.arrival, { burst: 3 });
      draft.network.routes[0]!.packetsPerMajorFrame = 3;
      draft.network.routes[0]!.excess = 'defer';
      const device = first(first(draft.partitions).devices);
      device.queuePairs = 2;
      first(draft.schedule.windows).queues!.push({
        queue: 'net0.transmitq1',
        requestsMax: 8,
        bytesMax: 12144,
      });
      draft.flows.push({ ...flow, id: 'other', from: 'cluster.net0.transmitq1' });
    });
    assert.deepEqual(
      flows.map(({ boundNs, shortage }) => [boundNs, shortage?.kind]),
      [
        [null, 'route-quota'],
        [null, 'route-quota'],
      ],
    );
  });
});
