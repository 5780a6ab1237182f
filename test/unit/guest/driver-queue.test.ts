/** The embedded driver's side of a split ring against the real device side: layout, order, notifications. */
import { strict as assert } from 'node:assert';
import { RingPair } from '../../support/ring-pair.ts';

const BOTH = [false, true];
const WRITE = 2;

describe('driver queue', () => {
  it('[utest->req~guest.honest-driver~1] 2.7: the three parts and the buffers are aligned and lie apart', () => {
    for (const size of [1, 2, 64]) {
      const { driver } = new RingPair({ size, bufferBytes: 48 });
      assert.deepEqual([driver.desc % 16, driver.avail % 2, driver.used % 4], [0, 0, 0]);
      const parts = [
        [driver.desc, 16 * size],
        [driver.avail, 6 + 2 * size],
        [driver.used, 6 + 8 * size],
      ] as const;
      const sorted = parts.toSorted((a, b) => a[0] - b[0]);
      sorted.slice(1).forEach(([at], n) => assert.ok(at >= sorted[n]![0] + sorted[n]![1]));
    }
  });

  it('[utest->req~guest.honest-driver~1] 2.7.5: an exposed buffer is one descriptor of the given length and direction', () => {
    const pair = new RingPair({ size: 4, bufferBytes: 64 });
    pair.driver.expose(2, 40, true);
    pair.driver.expose(3, 64, false);
    assert.deepEqual(pair.descriptor(2), {
      address: pair.driver.bufferAt(2),
      length: 40,
      flags: WRITE,
    });
    assert.deepEqual(pair.descriptor(3), {
      address: pair.driver.bufferAt(3),
      length: 64,
      flags: 0,
    });
  });

  it('[utest->req~guest.honest-driver~1] 2.7.5: the direction of a reused buffer is the last one given', () => {
    const pair = new RingPair({ size: 2 });
    pair.driver.expose(0, 16, true);
    pair.driver.publish();
    pair.serve();
    pair.reapAll();
    pair.driver.expose(0, 8, false);
    assert.deepEqual(pair.descriptor(0), { address: pair.driver.bufferAt(0), length: 8, flags: 0 });
  });

  it('[utest->req~guest.honest-driver~1] 2.7.13: the device sees nothing before publish, and everything after', () => {
    const pair = new RingPair({ size: 4 });
    pair.driver.expose(3, 16, true);
    pair.driver.expose(1, 16, true);
    assert.deepEqual(pair.take(), []);
    pair.driver.publish();
    assert.deepEqual(pair.take(), [3, 1]);
  });

  it('[utest->req~guest.honest-driver~1] 2.7.14: used buffers are reaped in the order of use, with their lengths', () => {
    const pair = new RingPair({ size: 4 });
    for (const index of [0, 1, 2]) pair.driver.expose(index, 16, true);
    pair.driver.publish();
    pair.take();
    for (const [head, length] of [
      [2, 7],
      [0, 0],
      [1, 16],
    ] as const)
      pair.complete(head, length);
    assert.equal(pair.driver.reap(), -1, 'not published yet');
    pair.publish();
    assert.deepEqual(pair.reapAll(), [
      { index: 2, length: 7 },
      { index: 0, length: 0 },
      { index: 1, length: 16 },
    ]);
  });

  it('[utest->req~guest.honest-driver~1] 2.7.13: outstanding counts what is exposed and not reaped', () => {
    const pair = new RingPair({ size: 4 });
    for (const index of [0, 1, 2]) pair.driver.expose(index, 16, true);
    assert.equal(pair.driver.outstanding, 3);
    pair.driver.publish();
    pair.serve();
    assert.equal(pair.driver.outstanding, 3);
    pair.driver.reap();
    assert.equal(pair.driver.outstanding, 2);
  });

  for (const eventIdx of BOTH) {
    const kind = eventIdx ? 'used_event' : 'flags';

    it(`[utest->req~queue.polled-no-kicks~1] 2.7.10.2: with ${kind} the driver never kicks a device that polls`, () => {
      const pair = new RingPair({ size: 4, eventIdx });
      for (let n = 0; n < 1000; n++) {
        pair.driver.expose(n % 4, 16, true);
        pair.driver.publish();
        if (n % 4 === 3) {
          pair.serve();
          pair.reapAll();
        }
      }
      assert.equal(pair.kicks, 0);
    });

    it(`[utest->req~guest.honest-driver~1] 2.7.13.4: with ${kind} it kicks a device that asks for it, once for each publish`, () => {
      const pair = new RingPair({ size: 4, eventIdx });
      pair.driver.expose(0, 16, true);
      pair.driver.expose(1, 16, true);
      pair.askForKicks();
      pair.driver.publish();
      assert.equal(pair.kicks, 1);
      pair.driver.publish();
      assert.equal(pair.kicks, 1, 'nothing new');
    });

    it(`[utest->req~queue.notify-suppression~1] 2.7.7.2: with ${kind} an armed driver is notified, a disarmed one is not`, () => {
      const pair = new RingPair({ size: 4, eventIdx });
      const round = (): void => {
        pair.driver.expose(0, 16, true);
        pair.driver.publish();
        pair.serve();
        pair.reapAll();
      };
      pair.driver.disarmNotification();
      round();
      assert.equal(pair.notifications, 0);
      assert.equal(pair.driver.armNotification(), false);
      round();
      assert.equal(pair.notifications, 1);
    });

    it(`[utest->req~guest.honest-driver~1] 2.7.14: with ${kind} arming tells when something came in between`, () => {
      const pair = new RingPair({ size: 4, eventIdx });
      pair.driver.disarmNotification();
      pair.driver.expose(0, 16, true);
      pair.driver.publish();
      pair.serve();
      assert.equal(pair.driver.armNotification(), true);
      pair.reapAll();
      assert.equal(pair.driver.armNotification(), false);
    });

    it(`[utest->req~guest.honest-driver~1] 2.7: with ${kind} nothing is lost where the indices wrap`, () => {
      const pair = new RingPair({ size: 64, eventIdx });
      let total = 0;
      for (let round = 0; round < 1100; round++) {
        for (let n = 0; n < 64; n++) pair.driver.expose(n, 16, n % 2 === 0);
        pair.driver.publish();
        assert.equal(pair.driver.armNotification(), false);
        const before = pair.notifications;
        pair.serve();
        assert.equal(pair.notifications, before + 1, `round ${round}`);
        total += pair.reapAll().length;
      }
      assert.equal(total, 1100 * 64);
      assert.equal(pair.kicks, 0);
    });
  }
});

describe('driver queue: pairs', () => {
  it('[utest->req~guest.honest-driver~1] 2.7.5: a request and the room for its answer are one chain of two neighbours', () => {
    const pair = new RingPair({ size: 4, bufferBytes: 64 });
    pair.driver.exposePair(2, 40, 24);
    pair.driver.publish();
    assert.deepEqual(pair.take(), [2]);
    const NEXT = 1;
    assert.deepEqual(
      [pair.descriptor(2).flags, pair.descriptor(2).length, pair.descriptor(3).length],
      [NEXT, 40, 24],
    );
    assert.equal(pair.descriptor(3).flags, WRITE);
    pair.driver.expose(3, 8, false);
    assert.equal(pair.descriptor(3).flags, 0);
  });
});
