/** Quotas of a route per major frame, and what happens past them: drop, or wait. */
import { strict as assert } from 'node:assert';
import type { RouteConfig, WindowConfig } from '../../../src/schedule/gateway-config.ts';
import { indexOfQueue, packets, postQueueStart, tagged } from '../../support/net-guest.ts';
import { Rig, route } from '../../support/rig.ts';

function policed(options: Partial<RouteConfig>): Rig {
  const rig = new Rig({ routes: [route('a', 'b', options)] });
  rig.supply('b', 20);
  return rig;
}

function sendLengths(rig: Rig, ...lengths: number[]): number[][] {
  const sent = lengths.map((bytes, n) => [...rig.packet('a', 'b', bytes).slice(0, -1), n]);
  sent.forEach((packet) => rig.send('a', packet));
  return sent;
}

function windowOfA(offsetUs: number): WindowConfig {
  return {
    id: `w${offsetUs}`,
    partition: 'a',
    offsetUs,
    durationUs: 1000,
    pollUs: 100,
    queues: [
      { queue: 'net0.transmitq0', requestsMax: 100, requestsGuaranteed: 1, bytesMax: 100_000 },
    ],
  };
}

const arrivedLengths = (rig: Rig) => packets(rig, 'b').map((packet) => packet.length);
const returned = (rig: Rig) => rig.guest('a').transmit[0]!.usedIndex;

describe('quota of a route, excess dropped', () => {
  it(
    '[utest->req~net.rate~1] ' +
      'packets past the quota are dropped, counted, and returned to the sender',
    () => {
      const rig = policed({ packetsPerMajorFrame: 3 });
      const sent = sendLengths(rig, 64, 65, 66, 67, 68);
      rig.frames();
      assert.deepEqual(packets(rig, 'b'), sent.slice(0, 3));
      assert.deepEqual(rig.route('a-b'), {
        sent: 5,
        delivered: 3,
        deferred: 0,
        drops: { policed: 2 },
      });
      assert.equal(returned(rig), 5);
      assert.deepEqual(rig.faults('a'), {});
    },
  );

  it('[utest->req~net.rate~1] the quota in bytes is met exactly, and not exceeded by one', () => {
    const rig = policed({ bytesPerMajorFrame: 300 });
    sendLengths(rig, 100, 100, 101, 100, 14);
    rig.frames();
    assert.deepEqual(arrivedLengths(rig), [100, 100, 100]);
    assert.deepEqual(rig.route('a-b').drops, { policed: 2 });
  });

  it(
    '[utest->req~net.rate~1] ' +
      'every major frame brings the whole quota, and no more after an idle one',
    () => {
      const rig = policed({ packetsPerMajorFrame: 2 });
      rig.frames(3);
      sendLengths(rig, 64, 65, 66);
      rig.frames();
      sendLengths(rig, 67, 68, 69);
      rig.frames();
      assert.deepEqual(arrivedLengths(rig), [64, 65, 67, 68]);
    },
  );

  it('[utest->req~net.rate~1] bytes begin anew with the major frame', () => {
    const rig = policed({ bytesPerMajorFrame: 150 });
    for (let n = 0; n < 3; n++) {
      sendLengths(rig, 100, 100);
      rig.frames();
    }
    assert.deepEqual(arrivedLengths(rig), [100, 100, 100]);
  });

  it('[utest->req~net.rate~1] a route without packets carries none', () => {
    const rig = policed({ packetsPerMajorFrame: 0 });
    sendLengths(rig, 64);
    rig.frames(2);
    assert.deepEqual(rig.route('a-b'), {
      sent: 1,
      delivered: 0,
      deferred: 0,
      drops: { policed: 1 },
    });
  });

  it('[utest->req~net.rate~1] a packet that its receiver could not take has used its share', () => {
    const rig = new Rig({ routes: [route('a', 'b', { packetsPerMajorFrame: 1 })] });
    rig.send('a', rig.packet('a', 'b'));
    rig.send('a', rig.packet('a', 'b'));
    rig.frames();
    assert.deepEqual(rig.route('a-b').drops, { 'no-receive-buffer': 1, policed: 1 });
  });

  it('[utest->req~net.rate~1] one route past its quota leaves another its own', () => {
    const rig = new Rig({
      routes: [
        route('a', 'b', { id: 'v10', vlan: 10, packetsPerMajorFrame: 1 }),
        route('a', 'b', { id: 'v20', vlan: 20, packetsPerMajorFrame: 2 }),
      ],
    });
    rig.supply('b', 8);
    for (const id of [10, 10, 20, 20, 20]) rig.send('a', tagged(rig.packet('a', 'b'), id));
    rig.frames();
    assert.deepEqual(
      [rig.route('v10'), rig.route('v20')],
      [
        { sent: 2, delivered: 1, deferred: 0, drops: { policed: 1 } },
        { sent: 3, delivered: 2, deferred: 0, drops: { policed: 1 } },
      ],
    );
  });
});

describe('quota of a route, excess deferred', () => {
  it(
    '[utest->req~net.rate~1] ' +
      'a packet past the quota waits, and arrives exactly once in the next major frame',
    () => {
      const rig = policed({ packetsPerMajorFrame: 2, excess: 'defer' });
      const sent = sendLengths(rig, 64, 65, 66, 67, 68);
      const seen = [1, 2, 3, 4].map(() => {
        rig.frames();
        return [packets(rig, 'b').length, returned(rig)];
      });
      assert.deepEqual(seen, [
        [2, 2],
        [4, 4],
        [5, 5],
        [5, 5],
      ]);
      assert.deepEqual(packets(rig, 'b'), sent);
      assert.deepEqual(rig.route('a-b'), { sent: 5, delivered: 5, deferred: 2, drops: {} });
    },
  );

  it('[utest->req~net.rate~1] bytes past the quota wait, and nothing overtakes them', () => {
    const rig = policed({ bytesPerMajorFrame: 250, excess: 'defer' });
    sendLengths(rig, 200, 100, 14);
    rig.frames();
    assert.deepEqual(arrivedLengths(rig), [200]);
    rig.frames();
    assert.deepEqual(arrivedLengths(rig), [200, 100, 14]);
  });

  it('[utest->req~net.rate~1] a packet larger than the whole quota is dropped, not waited for', () => {
    const rig = policed({ bytesPerMajorFrame: 250, excess: 'defer' });
    sendLengths(rig, 251, 250);
    rig.frames();
    assert.deepEqual(arrivedLengths(rig), [250]);
    assert.deepEqual(rig.route('a-b'), {
      sent: 2,
      delivered: 1,
      deferred: 0,
      drops: { policed: 1 },
    });
  });

  it('[utest->req~net.rate~1] a route without packets drops, because waiting cannot help', () => {
    const rig = policed({ packetsPerMajorFrame: 0, excess: 'defer' });
    sendLengths(rig, 64);
    rig.frames();
    assert.deepEqual(rig.route('a-b'), {
      sent: 1,
      delivered: 0,
      deferred: 0,
      drops: { policed: 1 },
    });
    assert.equal(returned(rig), 1);
  });

  it('[utest->req~net.rate~1] a waiting packet stays its driver’s: it is read when it is served', () => {
    const rig = policed({ packetsPerMajorFrame: 1, excess: 'defer' });
    const [, second] = sendLengths(rig, 64, 65);
    rig.frames();
    assert.equal(returned(rig), 1);
    rig.frames();
    assert.deepEqual(packets(rig, 'b')[1], second);
  });

  it('[utest->req~net.rate~1] a queue that waits is not served again in the same major frame', () => {
    const rig = new Rig({
      routes: [route('a', 'b', { packetsPerMajorFrame: 1, excess: 'defer' })],
      schedule: { windows: [0, 3000, 6000].map(windowOfA) },
    });
    rig.supply('b', 4);
    sendLengths(rig, 64, 65);
    rig.frames();
    assert.deepEqual(arrivedLengths(rig), [64]);
    assert.equal(rig.route('a-b').deferred, 1);
  });

  it(
    '[utest->req~queue.reset~1] ' +
      'a ring that restarts forgets what waited, and is served in the same major frame',
    () => {
      const rig = new Rig({
        routes: [
          route('a', 'b', { id: 'slow', packetsPerMajorFrame: 1, excess: 'defer' }),
          route('a', 'b', { id: 'fast', vlan: 5 }),
        ],
        schedule: {
          windows: [
            windowOfA(0),
            { id: 'control', kind: 'control', offsetUs: 2000, durationUs: 400 },
            windowOfA(3000),
          ],
        },
      });
      rig.supply('b', 4);
      sendLengths(rig, 64, 65);
      postQueueStart(rig, 'a', indexOfQueue(rig, 'a.net0.transmitq0'));
      rig.send('a', tagged(rig.packet('a', 'b'), 5));
      rig.frames();
      assert.equal(rig.route('slow').deferred, 1);
      assert.deepEqual(arrivedLengths(rig), [64, 68]);
      rig.frames();
      assert.deepEqual(arrivedLengths(rig), [64, 68]);
    },
  );

  it(
    '[utest->req~net.rate~1] ' +
      'a packet that one route has taken does not arrive there twice because of another',
    () => {
      const rig = new Rig({
        routes: [
          route('a', 'b', { id: 'first' }),
          route('a', 'b', {
            id: 'second',
            vlan: 5,
            vlanAction: 'insert',
            packetsPerMajorFrame: 1,
            excess: 'defer',
          }),
        ],
      });
      rig.supply('b', 8);
      sendLengths(rig, 64, 65);
      rig.frames(3);
      assert.deepEqual(
        arrivedLengths(rig).filter((bytes) => bytes < 68),
        [64, 65],
      );
      assert.equal(new Set(arrivedLengths(rig)).size, arrivedLengths(rig).length);
      assert.equal(returned(rig), 2);
    },
  );
});
