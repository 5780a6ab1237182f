/** Serving rules 4 and 5: bursts, clock reads, publication in order, and notifications once per window. */
import { strict as assert } from 'node:assert';
import { QueueCounter, WindowCounter } from '../../../src/channel/counters.ts';
import { VirtqUsed } from '../../../src/wire/virtqueue.ts';
import type { WindowQueueConfig } from '../../../src/schedule/gateway-config.ts';
import {
  caps,
  COST_NS as C,
  DispatcherBench,
  window,
  type BenchOptions,
} from '../../support/dispatcher-bench.ts';
import { recordStores } from '../../support/recorded-stores.ts';
import type { RingDouble } from '../../support/ring-double.ts';

const FLOW = {
  id: 'flow',
  from: 'a.net0.transmitq0',
  route: 'a-b',
  bytesMax: 1514,
  deadlineUs: 10_000,
  arrival: { periodUs: 10_000, jitterUs: 0, spacingUs: 0 },
};

function oneWindow(
  queues: readonly WindowQueueConfig[],
  options: Omit<BenchOptions, 'windows'> = {},
): DispatcherBench {
  return new DispatcherBench({ windows: [window('w', 'a', 0, 2_000_000, queues)], ...options });
}

function usedIndexAt(double: RingDouble): number {
  return double.slice.at(double.used + VirtqUsed.IDX);
}

/** Stores of used indices while one major frame runs, as `name=index`. */
function publications(bench: DispatcherBench): string[] {
  const rings: [number, string][] = [
    [usedIndexAt(bench.guest('a').transmit[0]!), 'sender'],
    [usedIndexAt(bench.guest('a').transmit[1]!), 'second'],
    [usedIndexAt(bench.guest('b').receive[0]!), 'receiver'],
  ];
  const names = new Map(rings);
  return recordStores(bench.plane.arena, () => bench.frames())
    .filter(({ at }) => names.has(at))
    .map(({ at, value }) => `${names.get(at)}=${value}`);
}

function queueIndex(bench: DispatcherBench, name: string): number {
  return bench.plan.queues.find((queue) => queue.name === name)!.index;
}

describe('dispatcher: bursts', () => {
  it("[utest->req~sched.serving-rule~1] a burst has at most 32 requests, then it is the next queue's turn", () => {
    const bench = oneWindow([caps('transmitq0'), caps('transmitq1')]);
    bench.backlog(70, 0);
    bench.backlog(40, 1);
    bench.frames();
    assert.deepEqual(bench.order('serve'), [
      'a.tx0*32',
      'a.tx1*32',
      'a.tx0*32',
      'a.tx1*8',
      'a.tx0*6',
    ]);
  });

  it('[utest->req~sched.serving-rule~1] the ring is looked at once per burst: what comes in between waits for the next', () => {
    const bench = oneWindow([caps('transmitq0')]);
    bench.backlog(2);
    bench.at(C, () => bench.backlog(3));
    bench.frames();
    assert.deepEqual(bench.times('look', 'a.tx0').slice(0, 3), [0, 2 * C, 5 * C]);
  });

  it('[utest->req~sched.serving-rule~1] a burst of 32 reads the clock as often as a burst of one', () => {
    const reads = [1, 2, 32].map((count) => {
      const bench = oneWindow([caps('transmitq0', { requestsMax: count })]);
      bench.backlog(count);
      bench.frames();
      assert.equal(bench.served('a.tx0'), count);
      return bench.clockReads;
    });
    assert.deepEqual(reads, [reads[0], reads[0], reads[0]]);
  });

  it('[utest->req~sched.serving-rule~1] between two starts of one burst the clock is not read', () => {
    const bench = oneWindow([caps('transmitq0')]);
    bench.backlog(32);
    const reads: number[] = [];
    bench.trace.push = (step) => (step?.call === 'serve' ? reads.push(bench.clockReads) : 0);
    bench.frames();
    assert.equal(reads.length, 32);
    assert.equal(new Set(reads).size, 1);
  });

  it('[utest->req~sched.serving-rule~1] within a burst now advances by the declared cost, however long it took', () => {
    const bench = new DispatcherBench({
      windows: [window('w', 'a', 0, 40 * C, [caps('transmitq0')])],
      takesNs: 2 * C,
    });
    bench.backlog(50);
    bench.frames();
    assert.equal(
      bench.served('a.tx0'),
      32,
      'the clock that was read behind the burst ends the window',
    );
    assert.equal(bench.counters.window(0, WindowCounter.OVERRUNS_COST), 1);
  });

  it('[utest->req~sched.serving-rule~1] each burst begins with the clock as it is', () => {
    const bench = new DispatcherBench({
      windows: [window('w', 'a', 0, 100 * C, [caps('transmitq0')])],
      takesNs: 2 * C,
    });
    bench.backlog(100);
    bench.frames();
    assert.equal(bench.served('a.tx0'), 32 + 32, 'at 64 costs there are 36 left, at 128 none');
  });
});

describe('dispatcher: publication', () => {
  it("[utest->req~queue.publish-receiver-first~1] the receiver's used index is stored before the sender's", () => {
    const bench = oneWindow([caps('transmitq0')]);
    bench.supply('b', 5);
    bench.backlog(5);
    assert.deepEqual(publications(bench), ['receiver=5', 'sender=5']);
  });

  it("[utest->req~queue.publish-receiver-first~1] each burst is one publication, before the next queue's burst", () => {
    const bench = oneWindow([caps('transmitq0'), caps('transmitq1')]);
    bench.supply('b', 60);
    bench.backlog(40, 0);
    bench.backlog(20, 1);
    assert.deepEqual(publications(bench), [
      'receiver=32',
      'sender=32',
      'receiver=52',
      'second=20',
      'receiver=60',
      'sender=40',
    ]);
  });

  it('[utest->req~queue.publish-receiver-first~1] a packet nobody takes is published to its sender alone', () => {
    const bench = oneWindow([caps('transmitq0')]);
    bench.backlog(3);
    assert.deepEqual(publications(bench), ['sender=3']);
  });

  it("[utest->req~queue.publish-receiver-first~1] a receiver's faulty buffer goes back before the sender's packet", () => {
    const bench = oneWindow([caps('transmitq0')]);
    bench.guest('b').receive[0]!.submit([{ address: 0, length: 2048, flags: 2 }]);
    bench.backlog(1);
    assert.deepEqual(publications(bench), ['receiver=1', 'sender=1']);
    assert.deepEqual(bench.guest('b').receive[0]!.usedElement(0).length, 0);
  });

  it('[utest->req~sched.latency-measured~1] a queue that carries a flow is published after every request', () => {
    const bench = oneWindow([caps('transmitq0'), caps('transmitq1')], { flows: [FLOW] });
    bench.supply('b', 10);
    bench.backlog(3, 0);
    bench.backlog(2, 1);
    assert.deepEqual(publications(bench), [
      'receiver=1',
      'sender=1',
      'receiver=2',
      'sender=2',
      'receiver=3',
      'sender=3',
      'receiver=5',
      'second=2',
    ]);
  });

  it("[utest->req~queue.used-order~1] packet and used element are in the receiver's memory before its index", () => {
    const bench = oneWindow([caps('transmitq0')]);
    const [address] = bench.supply('b', 1);
    const packet = bench.packet('a', 'b', 200);
    bench.send('a', packet);
    const { receive } = bench.guest('b');
    const { slice } = bench.guest('b');
    const { store } = Atomics;
    let seen: unknown;
    Atomics.store = ((view: Uint16Array, index: number, value: number) => {
      if (view === bench.plane.arena.u16 && 2 * index === usedIndexAt(receive[0]!)) {
        seen = {
          packet: slice.read(address! + 12, 200),
          element: receive[0]!.usedElement(0),
          index: receive[0]!.usedIndex,
        };
      }
      return store(view, index, value);
    }) as typeof Atomics.store;
    try {
      bench.frames();
    } finally {
      Atomics.store = store;
    }
    assert.deepEqual(seen, { packet, element: { id: 0, length: 212 }, index: 0 });
  });

  it('[utest->req~sched.work-bound~1] a ring that breaks in a burst still returns what was served before', () => {
    const bench = oneWindow([caps('transmitq0')]);
    bench.backlog(2);
    bench.guest('a').transmit[0]!.expose(300);
    bench.backlog(1);
    assert.deepEqual(publications(bench), ['sender=2']);
    assert.deepEqual(bench.faults('a'), { 'head-out-of-range': 1 });
  });
});

describe('dispatcher: notifications', () => {
  const count = (bench: DispatcherBench, queue: string) =>
    bench.notifier.sent.filter(({ target }) => target === queueIndex(bench, queue)).length;

  it('[utest->req~queue.notify-once-per-window~1] three bursts are one notification per ring', () => {
    const bench = oneWindow([caps('transmitq0')]);
    bench.supply('b', 90);
    bench.backlog(90);
    bench.frames();
    assert.deepEqual(
      bench.notifier.sent.map(({ target }) => target).toSorted((x, y) => x - y),
      [queueIndex(bench, 'a.net0.transmitq0'), queueIndex(bench, 'b.net0.receiveq0')].toSorted(
        (x, y) => x - y,
      ),
    );
    for (const name of ['a.net0.transmitq0', 'b.net0.receiveq0']) {
      assert.equal(bench.counters.queue(queueIndex(bench, name), QueueCounter.NOTIFICATIONS), 1);
    }
  });

  it('[utest->req~queue.notify-once-per-window~1] notifications come behind the last publication of the window', () => {
    const bench = oneWindow([caps('transmitq0', { requestsMax: 70 })]);
    bench.backlog(100);
    const published: number[] = [];
    bench.notifier.notify = () => {
      published.push(bench.guest('a').transmit[0]!.usedIndex);
    };
    bench.frames();
    assert.deepEqual(published, [70]);
  });

  it('[utest->req~queue.notify-once-per-window~1] every window of a queue may notify once', () => {
    const queues = [caps('transmitq0', { requestsMax: 5 })];
    const bench = new DispatcherBench({
      windows: [window('w1', 'a', 0, 100_000, queues), window('w2', 'a', 200_000, 100_000, queues)],
    });
    bench.backlog(8);
    bench.frames();
    assert.equal(count(bench, 'a.net0.transmitq0'), 2);
    bench.frames();
    assert.equal(count(bench, 'a.net0.transmitq0'), 2, 'nothing was left for the second frame');
  });

  it('[utest->req~queue.notify-once-per-window~1] a driver that wants none gets none, and it is counted', () => {
    const bench = oneWindow([caps('transmitq0')]);
    bench.guest('a').transmit[0]!.setAvailFlags(1);
    bench.backlog(3);
    bench.frames();
    assert.deepEqual(bench.notifier.sent, []);
    const index = queueIndex(bench, 'a.net0.transmitq0');
    assert.deepEqual(
      [QueueCounter.NOTIFICATIONS, QueueCounter.NOTIFICATIONS_SUPPRESSED].map((counter) =>
        bench.counters.queue(index, counter),
      ),
      [0, 1],
    );
  });

  it('[utest->req~queue.notify-once-per-window~1] the notification goes where the driver set it up', () => {
    const bench = oneWindow([caps('transmitq0')]);
    const queue = bench.plane.queues[queueIndex(bench, 'a.net0.transmitq0')]!;
    Object.assign(queue, { notifyKind: 7, notifyTarget: 99 });
    bench.backlog(1);
    bench.frames();
    assert.deepEqual(bench.notifier.sent, [{ kind: 7, target: 99 }]);
  });
});

describe('regressions', () => {
  it('[utest->req~queue.notify-suppression~1] 2.7.7.2: what was published before the ring broke is notified', () => {
    const bench = oneWindow([caps('transmitq0')]);
    bench.backlog(2);
    bench.guest('a').transmit[0]!.expose(300);
    bench.frames();
    assert.equal(bench.guest('a').transmit[0]!.usedIndex, 2);
    assert.deepEqual(
      bench.notifier.sent.map(({ target }) => target),
      [queueIndex(bench, 'a.net0.transmitq0')],
    );
  });
});
