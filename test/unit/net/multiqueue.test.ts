/** Queue pairs: only those that the driver has set are served, and packets keep to them (5.1.9.5.6). */
import { strict as assert } from 'node:assert';
import { NetCtrl } from '../../../src/wire/virtio-net.ts';
import {
  command,
  features,
  le16,
  packets,
  postQueueStart,
  indexOfQueue,
} from '../../support/net-guest.ts';
import { Rig, netDevice, route } from '../../support/rig.ts';

const PAIRS = 4;

function rigOf(names = ['CTRL_VQ', 'MQ']): Rig {
  const device = (last: number) =>
    netDevice(last, { queuePairs: PAIRS, offer: features('CTRL_VQ', 'MQ') });
  return new Rig({
    memoryMiB: 2,
    devices: { a: device(1), b: device(2) },
    routes: [route('a', 'b')],
    negotiate: { a: features(...names), b: features(...names) },
  });
}

function setPairs(rig: Rig, id: string, pairs: number): void {
  assert.equal(command(rig, id, NetCtrl.MQ, NetCtrl.MQ_VQ_PAIRS_SET, ...le16(pairs)), NetCtrl.OK);
}

/** Sends one packet on each pair; how many arrived on each pair of the receiver. */
function sendOnAll(rig: Rig): number[] {
  const pairs = [0, 1, 2, 3];
  const before = pairs.map((pair) => packets(rig, 'b', pair).length);
  for (const pair of pairs) {
    rig.supply('b', 4, 1600, pair);
    rig.send('a', rig.packet('a', 'b', 64 + pair), undefined, pair);
  }
  rig.frames();
  return pairs.map((pair) => packets(rig, 'b', pair).length - before[pair]!);
}

const served = (rig: Rig) => rig.guest('a').transmit.map((ring) => ring.usedIndex);

describe('queue pairs', () => {
  for (const names of [['CTRL_VQ', 'MQ'], ['CTRL_VQ']]) {
    it(
      `[utest->req~net.multiqueue~1] ` +
        `after a start only the first pair is used (${names.join(', ')})`,
      () => {
        const rig = rigOf(names);
        assert.deepEqual(sendOnAll(rig), [1, 0, 0, 0]);
        assert.deepEqual(served(rig), [1, 0, 0, 0]);
      },
    );
  }

  it(
    '[utest->req~net.multiqueue~1] ' +
      'with all pairs set each transmitq reaches the receiveq of its number',
    () => {
      const rig = rigOf();
      setPairs(rig, 'a', PAIRS);
      setPairs(rig, 'b', PAIRS);
      assert.deepEqual(sendOnAll(rig), [1, 1, 1, 1]);
      assert.deepEqual(
        [0, 1, 2, 3].map((pair) => packets(rig, 'b', pair)[0]!.length),
        [64, 65, 66, 67],
      );
    },
  );

  it('[utest->req~net.multiqueue~1] a sender’s pairs wait until its driver sets them', () => {
    const rig = rigOf();
    setPairs(rig, 'b', PAIRS);
    assert.deepEqual(sendOnAll(rig), [1, 0, 0, 0]);
    setPairs(rig, 'a', 3);
    rig.frames();
    assert.deepEqual(served(rig), [1, 1, 1, 0]);
  });

  it('[utest->req~net.multiqueue~1] a receiver with fewer pairs gets everything on those', () => {
    const rig = rigOf();
    setPairs(rig, 'a', PAIRS);
    assert.deepEqual(sendOnAll(rig), [4, 0, 0, 0]);
    setPairs(rig, 'b', 3);
    assert.deepEqual(sendOnAll(rig), [2, 1, 1, 0]);
  });

  it('[utest->req~net.multiqueue~1] pairs that are taken back are used no more (5.1.9.5.6.2)', () => {
    const rig = rigOf();
    setPairs(rig, 'a', PAIRS);
    setPairs(rig, 'b', PAIRS);
    setPairs(rig, 'b', 2);
    assert.deepEqual(sendOnAll(rig), [2, 2, 0, 0]);
    setPairs(rig, 'a', 1);
    assert.deepEqual(sendOnAll(rig), [1, 0, 0, 0]);
    assert.deepEqual(served(rig), [2, 1, 1, 1]);
  });

  it('[utest->req~net.multiqueue~1] a new start begins with one pair again', () => {
    const rig = rigOf();
    setPairs(rig, 'a', PAIRS);
    const { low, high } = rig.plan.devices[0]!.offered;
    rig.plane.devices[0]!.start(low, high);
    assert.deepEqual(sendOnAll(rig), [1, 0, 0, 0]);
  });

  it('[utest->req~queue.reset~1] one pair that restarts does not disturb the others', () => {
    const rig = rigOf();
    setPairs(rig, 'a', PAIRS);
    setPairs(rig, 'b', PAIRS);
    sendOnAll(rig);
    postQueueStart(rig, 'a', indexOfQueue(rig, 'a.net0.transmitq1'));
    rig.frames();
    assert.deepEqual(sendOnAll(rig), [1, 1, 1, 1]);
    assert.deepEqual(served(rig), [2, 1, 2, 2]);
  });

  it('[utest->req~net.rate~1] the quota of a route is one for all pairs', () => {
    const device = (last: number) =>
      netDevice(last, { queuePairs: PAIRS, offer: features('CTRL_VQ', 'MQ') });
    const rig = new Rig({
      memoryMiB: 2,
      devices: { a: device(1), b: device(2) },
      routes: [route('a', 'b', { packetsPerMajorFrame: 3 })],
    });
    setPairs(rig, 'a', PAIRS);
    assert.deepEqual(sendOnAll(rig), [3, 0, 0, 0]);
    assert.deepEqual(rig.route('a-b').drops, { policed: 1 });
  });
});
