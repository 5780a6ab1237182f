/** Serving rule 1: queues in the order of the table, again and again, until the window ends or caps are used. */
import { strict as assert } from 'node:assert';
import { WindowCounter } from '../../../src/channel/counters.ts';
import { caps, DispatcherBench, window } from '../../support/dispatcher-bench.ts';

describe('dispatcher: visits', () => {
  it('[utest->req~sched.static-table~1] queues are visited in the order of their window, again and again', () => {
    const queues = [caps('transmitq1'), caps('controlq'), caps('transmitq0')];
    const bench = new DispatcherBench({ windows: [window('w', 'a', 0, 200_000, queues)] });
    bench.frames();
    assert.deepEqual(bench.order('look'), [
      'a.tx1',
      'a.control',
      'a.tx0',
      'a.tx1',
      'a.control',
      'a.tx0',
      'a.tx1',
      'a.control',
      'a.tx0',
    ]);
  });

  it('[utest->req~sched.static-table~1] each queue is looked at in its own windows only', () => {
    const bench = new DispatcherBench({
      windows: [
        window('late', 'a', 700_000, 100_000, [caps('transmitq0')]),
        window('other', 'b', 300_000, 200_000, [caps('transmitq0')]),
        window('early', 'a', 100_000, 100_000, [caps('transmitq0')]),
      ],
    });
    bench.frames(2);
    const inWindow = (ns: number, ...windows: [number, number][]) =>
      windows.some(([from, to]) => ns >= from && ns <= to);
    const a = bench.times('look', 'a.tx0');
    const b = bench.times('look', 'b.tx0');
    assert.ok(
      a.length > 0 && a.every((ns) => inWindow(ns, [100_000, 200_000], [700_000, 800_000])),
    );
    assert.ok(b.length > 0 && b.every((ns) => inWindow(ns, [300_000, 500_000])));
    assert.deepEqual(
      bench.order('look').map((name) => name.split('*')[0]),
      ['a.tx0', 'b.tx0', 'a.tx0', 'b.tx0', 'a.tx0'],
      'by offset, whatever the order in the file',
    );
    assert.equal(bench.times('look', 'a.tx1').length, 0);
  });

  it('[utest->req~sched.static-table~1] a request that becomes visible inside the window is served in it', () => {
    const bench = new DispatcherBench({
      windows: [window('w', 'a', 0, 1_000_000, [caps('transmitq0')])],
    });
    bench.at(450_000, () => bench.backlog(1));
    bench.frames();
    assert.deepEqual(bench.times('serve', 'a.tx0'), [500_000]);
  });

  it('[utest->req~sched.static-table~1] a request that comes behind its window waits for the next one', () => {
    const bench = new DispatcherBench({
      windows: [
        window('w', 'a', 0, 1_000_000, [caps('transmitq0')]),
        window('x', 'b', 2_000_000, 1_000_000, []),
      ],
    });
    bench.at(1_500_000, () => bench.backlog(1));
    bench.frames();
    assert.equal(bench.served('a.tx0'), 0);
    bench.frames();
    assert.deepEqual(bench.times('serve', 'a.tx0'), [0]);
  });

  it('[utest->req~sched.work-bound~1] requestsMax is exact in every window, and begins anew with each', () => {
    for (const cap of [1, 2, 31, 32, 33, 65]) {
      const queues = [caps('transmitq0', { requestsMax: cap })];
      const bench = new DispatcherBench({
        windows: [
          window('w1', 'a', 0, 1_000_000, queues),
          window('w2', 'a', 2_000_000, 1_000_000, queues),
        ],
      });
      bench.backlog(200);
      bench.frames();
      assert.equal(bench.served('a.tx0'), 2 * cap, `cap ${cap}`);
      assert.equal(bench.counters.window(0, WindowCounter.REQUESTS), cap);
      assert.equal(bench.counters.window(1, WindowCounter.REQUESTS), cap);
    }
  });

  it('[utest->req~sched.work-bound~1] faulty, unrouted and dropped requests count towards the cap', () => {
    const bench = new DispatcherBench({
      windows: [window('w', 'a', 0, 1_000_000, [caps('transmitq0', { requestsMax: 5 })])],
    });
    bench.send('a', bench.packet('b', 'a'));
    bench.send('a', bench.packet('a', 'b', 64, [0x81, 0x00]));
    bench.guest('a').transmit[0]!.submit([{ address: 0, length: 1 }]);
    bench.backlog(10);
    bench.frames();
    assert.equal(bench.guest('a').transmit[0]!.usedIndex, 5);
    assert.deepEqual(bench.faults('a'), { 'source-mac-spoofed': 1, 'address-out-of-range': 1 });
    assert.equal(bench.unrouted('a.net0.transmitq0'), 1);
    assert.deepEqual(bench.route('a-b').drops, { 'no-receive-buffer': 2 });
  });

  it('[utest->req~sched.work-bound~1] bytesMax is exact: the packet counts, its virtio-net header does not', () => {
    for (const [bytesMax, served] of [
      [199, 1],
      [200, 2],
      [299, 2],
      [300, 3],
      [99, 0],
    ] as const) {
      const bench = new DispatcherBench({
        windows: [window('w', 'a', 0, 1_000_000, [caps('transmitq0', { bytesMax })])],
      });
      bench.backlog(5, 0, 100);
      bench.frames();
      assert.equal(bench.guest('a').transmit[0]!.usedIndex, served, `${bytesMax} bytes`);
    }
  });

  it('[utest->req~sched.work-bound~1] a packet too long for the bytes left waits, and nothing overtakes it', () => {
    const bench = new DispatcherBench({
      windows: [window('w', 'a', 0, 1_000_000, [caps('transmitq0', { bytesMax: 1000 })])],
    });
    const heads = [600, 600, 64].map((bytes) => bench.send('a', bench.packet('a', 'b', bytes)));
    const { transmit } = bench.guest('a');
    bench.frames();
    assert.deepEqual(
      transmit[0]!.usedElements.map(({ id }) => id),
      heads.slice(0, 1),
    );
    bench.frames();
    assert.deepEqual(
      transmit[0]!.usedElements.map(({ id }) => id),
      heads,
    );
  });

  it('[utest->req~sched.work-bound~1] the caps of one queue are not those of another', () => {
    const queues = [
      caps('transmitq0', { requestsMax: 3 }),
      caps('transmitq1', { bytesMax: 640 }),
      caps('controlq'),
    ];
    const bench = new DispatcherBench({ windows: [window('w', 'a', 0, 1_000_000, queues)] });
    bench.backlog(20, 0);
    bench.backlog(20, 1);
    bench.controlBacklog(7);
    bench.frames();
    const { transmit, control } = bench.guest('a');
    assert.deepEqual(
      [transmit[0]!.usedIndex, transmit[1]!.usedIndex, control!.usedIndex],
      [3, 10, 7],
    );
  });

  it('[utest->req~sched.work-bound~1] with every cap used the window is over: no look, no wait more', () => {
    const queues = [caps('transmitq0', { requestsMax: 2 }), caps('transmitq1', { requestsMax: 1 })];
    const bench = new DispatcherBench({ windows: [window('w', 'a', 0, 1_000_000, queues)] });
    bench.backlog(5, 0);
    bench.backlog(5, 1);
    bench.frames();
    assert.deepEqual(bench.order('look'), ['a.tx0', 'a.tx1']);
    assert.equal(bench.waits, bench.plan.windows.length);
  });

  it("[utest->req~sched.static-table~1] between empty looks the dispatcher sleeps pollUs, to the window's end at most", () => {
    const bench = new DispatcherBench({
      windows: [window('w', 'a', 0, 1_000_000, [caps('transmitq0')], { pollUs: 300 })],
    });
    bench.frames();
    assert.deepEqual(bench.times('look', 'a.tx0'), [0, 300_000, 600_000, 900_000, 1_000_000]);
  });

  it('[utest->req~host.idle-cost~1] where no sleep fits before the end the last look was the last, and nobody spins for another', () => {
    const bench = new DispatcherBench({
      windows: [window('w', 'a', 0, 1_000_000, [caps('transmitq0')], { pollUs: 300 })],
    });
    const { rest } = bench.time;
    let sleeps = 0;
    bench.time.rest = (target, now) => {
      // From 200 µs before the end on there is not enough time.
      if (bench.frameNs > 800_000) return false;
      sleeps++;
      return rest.call(bench.time, target, now);
    };
    bench.frames();
    assert.deepEqual(bench.times('look', 'a.tx0'), [0, 300_000, 600_000, 900_000]);
    assert.equal(sleeps, 3);
  });

  it('[utest->req~host.idle-cost~1] where pollUs is too short for a sleep the next look is still no earlier', () => {
    const bench = new DispatcherBench({
      windows: [window('w', 'a', 0, 100_000, [caps('transmitq0')], { pollUs: 40 })],
    });
    bench.time.rest = () => false;
    bench.frames();
    assert.deepEqual(bench.times('look', 'a.tx0'), [0, 40_000, 80_000]);
  });

  it('[utest->req~sched.static-table~1] after a look that found something there is no sleep', () => {
    const bench = new DispatcherBench({
      windows: [window('w', 'a', 0, 1_000_000, [caps('transmitq0')], { pollUs: 600 })],
    });
    bench.backlog(1);
    bench.frames();
    assert.deepEqual(bench.times('look', 'a.tx0'), [0, 1000, 601_000, 1_000_000]);
  });

  it('[utest->req~sched.static-table~1] without pollUs the dispatcher looks again at once, until the window ends', () => {
    const bench = new DispatcherBench({
      windows: [window('w', 'a', 0, 10_000, [caps('transmitq0')], { pollUs: 0 })],
    });
    bench.time.perReadNs = 100;
    bench.frames();
    assert.equal(bench.waits, bench.plan.windows.length);
    const looks = bench.times('look', 'a.tx0');
    assert.ok(looks.length === 99 && looks.at(-1)! <= 10_000);
  });

  it('[utest->req~sched.static-table~1] a window without queues ends at once', () => {
    const bench = new DispatcherBench({ windows: [window('w', 'a', 0, 1_000_000, [])] });
    bench.frames();
    assert.equal(bench.waits, bench.plan.windows.length);
    assert.equal(bench.counters.window(0, WindowCounter.VISITS), 1);
  });

  it("[utest->req~sched.static-table~1] a receive queue in a window is left alone: others' windows fill it", () => {
    const bench = new DispatcherBench({
      windows: [window('w', 'b', 0, 100_000, [caps('receiveq0')])],
    });
    bench.supply('b', 1);
    bench.frames();
    assert.equal(bench.guest('b').receive[0]!.usedIndex, 0);
  });

  it('[utest->req~sched.static-table~1] even with a clock that stands still a window ends', () => {
    const bench = new DispatcherBench({
      windows: [window('w', 'a', 0, 1_000_000, [caps('transmitq0')], { pollUs: 0 })],
    });
    bench.trace.push = () => 0;
    bench.frames();
    assert.equal(bench.counters.window(0, WindowCounter.VISITS), 1);
  });
});
