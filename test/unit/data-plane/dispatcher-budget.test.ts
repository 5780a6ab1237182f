/** Serving rules 2 and 3: a request starts only if it fits, and only if the others' guarantees still do. */
import { strict as assert } from 'node:assert';
import { WindowCounter } from '../../../src/channel/counters.ts';
import type { WindowQueueConfig } from '../../../src/schedule/gateway-config.ts';
import {
  caps,
  COST_NS as C,
  DispatcherBench,
  window,
  type BenchOptions,
} from '../../support/dispatcher-bench.ts';

type Options = Omit<BenchOptions, 'windows'>;

function oneWindow(
  durationNs: number,
  queues: readonly WindowQueueConfig[],
  options: Options = {},
): DispatcherBench {
  return new DispatcherBench({ windows: [window('w', 'a', 0, durationNs, queues)], ...options });
}

const both = (first: Partial<WindowQueueConfig>, second: Partial<WindowQueueConfig>) => [
  caps('transmitq0', first),
  caps('transmitq1', second),
];

describe('dispatcher: a request starts only if it fits', () => {
  it('[utest->req~sched.budget-before-start~1] what ends exactly with the window is started, one nanosecond later is not', () => {
    for (const count of [1, 2, 31, 32, 33]) {
      for (const slack of [-1, 0, 1]) {
        const bench = oneWindow(count * C + slack, [caps('transmitq0')]);
        bench.backlog(count + 5);
        bench.frames();
        assert.equal(
          bench.served('a.tx0'),
          slack < 0 ? count - 1 : count,
          `${count} requests, ${slack} ns`,
        );
        assert.equal(bench.counters.window(0, WindowCounter.OVERRUNS_COST), 0);
      }
    }
  });

  it('[utest->req~sched.budget-before-start~1] a request that comes at the last instant is started, one later is not', () => {
    for (const [late, served] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const queues = [caps('transmitq0')];
      const bench = new DispatcherBench({
        windows: [window('w', 'a', 0, 10 * C, queues, { pollUs: (9 * C + late) / 1000 })],
      });
      bench.at(C, () => bench.backlog(1));
      bench.frames();
      assert.equal(bench.served('a.tx0'), served);
    }
  });

  it('[utest->req~sched.budget-before-start~1] what did not fit is first in the next window', () => {
    const bench = oneWindow(2 * C + C / 2, [caps('transmitq0')]);
    bench.backlog(5);
    bench.frames(3);
    assert.deepEqual(bench.times('serve', 'a.tx0'), [0, C, 0, C, 0]);
  });

  it('[utest->req~sched.budget-before-start~1] a window shorter than one request serves nothing, ever', () => {
    const bench = oneWindow(C - 1, [caps('transmitq0')]);
    bench.backlog(3);
    bench.frames(3);
    assert.equal(bench.served('a.tx0'), 0);
  });

  it('[utest->req~sched.budget-before-start~1] the declared cost decides, not the time that requests before it took', () => {
    const bench = oneWindow(4 * C, [caps('transmitq0')], { takesNs: 3 * C });
    bench.backlog(10);
    bench.frames();
    assert.equal(bench.served('a.tx0'), 4);
  });

  it('[utest->req~sched.budget-before-start~1] the declared cost is that of the queue, not of its neighbour', () => {
    const bench = oneWindow(5 * C, [caps('controlq'), caps('transmitq0')], {
      costs: { netControlNs: 4 * C },
    });
    bench.controlBacklog(3);
    bench.backlog(3);
    bench.frames();
    assert.deepEqual(bench.order('serve'), ['a.control', 'a.tx0']);
  });

  it('[utest->req~sched.budget-before-start~1] a window reached late has only its rest', () => {
    const bench = oneWindow(10 * C, [caps('transmitq0')]);
    bench.backlog(20);
    bench.time.nowNs = bench.origin + 7 * C;
    bench.frames();
    assert.equal(bench.served('a.tx0'), 3);
  });

  it('[utest->req~sched.budget-before-start~1] a window reached behind its end starts nothing', () => {
    const bench = oneWindow(10 * C, [caps('transmitq0')]);
    bench.backlog(20);
    bench.time.nowNs = bench.origin + 10 * C;
    bench.frames();
    assert.equal(bench.served('a.tx0'), 0);
  });
});

describe('dispatcher: several queues in one window', () => {
  it('[utest->req~sched.serving-rule~1] the first queue leaves exactly the guarantees of the others', () => {
    for (const [guaranteed, first] of [
      [0, 8],
      [1, 7],
      [3, 5],
      [8, 0],
    ] as const) {
      const bench = oneWindow(8 * C, both({}, { requestsGuaranteed: guaranteed }));
      bench.backlog(20, 0);
      bench.backlog(20, 1);
      bench.frames();
      assert.deepEqual(
        [bench.served('a.tx0'), bench.served('a.tx1')],
        [first, 8 - first],
        `${guaranteed}`,
      );
    }
  });

  it('[utest->req~sched.serving-rule~1] work beyond the guarantee starts at the exact edge, not a nanosecond past it', () => {
    for (const [slack, beyond] of [
      [0, 1],
      [-1, 0],
    ] as const) {
      const bench = oneWindow(
        2 * C + 3 * C + slack,
        both({ requestsGuaranteed: 1 }, { requestsGuaranteed: 3 }),
      );
      bench.backlog(20, 0);
      bench.frames();
      assert.deepEqual(bench.times('serve', 'a.tx0').filter((ns) => ns < 2 * C).length, 1 + beyond);
    }
  });

  it('[utest->req~sched.serving-rule~1] work within the guarantee does not wait for the others', () => {
    const bench = oneWindow(5 * C, both({ requestsGuaranteed: 3 }, { requestsGuaranteed: 3 }));
    bench.backlog(20, 0);
    bench.backlog(20, 1);
    bench.frames();
    assert.deepEqual([bench.served('a.tx0'), bench.served('a.tx1')], [3, 2]);
  });

  it('[utest->req~sched.serving-rule~1] guarantees count at the cost of the queue that has them', () => {
    const queues = [caps('transmitq0'), caps('controlq', { requestsGuaranteed: 2 })];
    const bench = oneWindow(10 * C, queues, { costs: { netControlNs: 3 * C } });
    bench.backlog(20);
    bench.controlBacklog(5);
    bench.frames();
    assert.deepEqual([bench.served('a.tx0'), bench.served('a.control')], [4, 2]);
  });

  it('[utest->req~sched.serving-rule~1] the guarantees of all other queues add up', () => {
    const queues = [
      caps('transmitq0'),
      caps('transmitq1', { requestsGuaranteed: 2 }),
      caps('controlq', { requestsGuaranteed: 3 }),
    ];
    const bench = oneWindow(10 * C, queues);
    bench.backlog(20, 0);
    bench.backlog(20, 1);
    bench.controlBacklog(20);
    bench.frames();
    assert.deepEqual(bench.order('serve').slice(0, 3), ['a.tx0*5', 'a.tx1*2', 'a.control*3']);
  });

  it("[utest->req~sched.serving-rule~1] an unused guarantee is kept until the window's end", () => {
    const queues = both({}, { requestsGuaranteed: 4 });
    const bench = new DispatcherBench({
      windows: [window('w', 'a', 0, 10 * C, queues, { pollUs: 0.5 })],
    });
    bench.backlog(20, 0);
    bench.at(5.5 * C, () => bench.backlog(20, 1));
    bench.frames();
    assert.deepEqual([bench.served('a.tx0'), bench.served('a.tx1')], [6, 4]);
  });

  it('[utest->req~sched.serving-rule~1] a guarantee that was used is not kept any longer', () => {
    const bench = oneWindow(10 * C, both({}, { requestsGuaranteed: 2 }));
    bench.backlog(1, 0);
    bench.backlog(2, 1);
    bench.at(3 * C, () => bench.backlog(20, 0));
    bench.frames();
    assert.deepEqual([bench.served('a.tx0'), bench.served('a.tx1')], [8, 2]);
  });

  it('[utest->req~sched.serving-rule~1] a queue that is closed for this window keeps nothing', () => {
    const closing = { requestsGuaranteed: 5, bytesMax: 100 };
    const bench = oneWindow(10 * C, [caps('transmitq1', closing), caps('transmitq0')]);
    bench.backlog(20, 0);
    bench.backlog(20, 1, 80);
    bench.frames();
    assert.deepEqual([bench.served('a.tx0'), bench.times('serve', 'a.tx1').length], [9, 2]);
    assert.equal(
      bench.guest('a').transmit[1]!.usedIndex,
      1,
      'the second one did not fit its bytes',
    );
  });

  it('[utest->req~sched.serving-rule~1] a queue does not wait for its own guarantee', () => {
    const bench = oneWindow(8 * C, both({ requestsGuaranteed: 3 }, {}));
    bench.backlog(20, 0);
    bench.backlog(20, 1);
    bench.frames();
    assert.deepEqual(bench.order('serve'), ['a.tx0*8']);
  });

  it('[utest->req~sched.serving-rule~1] time that is left exactly to the end is served, too', () => {
    const bench = oneWindow(4 * C, [caps('transmitq0')], { takesNs: (3 * C) / 4 });
    bench.backlog(6);
    bench.frames();
    assert.equal(bench.served('a.tx0'), 5, 'four by declared cost, then one at 3 costs of 4');
  });

  it('[utest->req~sched.serving-rule~1] a queue alone in its window keeps nothing for itself', () => {
    const bench = oneWindow(4 * C, [caps('transmitq0', { requestsGuaranteed: 1 })]);
    bench.backlog(20);
    bench.frames();
    assert.equal(bench.served('a.tx0'), 4);
  });

  it('[utest->req~sched.serving-rule~1] guarantees begin anew with every window', () => {
    const bench = oneWindow(8 * C, both({}, { requestsGuaranteed: 3 }));
    bench.backlog(100, 0);
    bench.backlog(100, 1);
    bench.frames(3);
    assert.deepEqual(bench.order('serve'), [
      'a.tx0*5',
      'a.tx1*3',
      'a.tx0*5',
      'a.tx1*3',
      'a.tx0*5',
      'a.tx1*3',
    ]);
  });

  it('[utest->req~sched.serving-rule~1] a queue without a stated guarantee has its cap guaranteed', () => {
    const queues = [
      caps('transmitq0'),
      { queue: 'net0.transmitq1', requestsMax: 3, bytesMax: 100_000 },
    ];
    const bench = oneWindow(8 * C, queues);
    bench.backlog(20, 0);
    bench.backlog(20, 1);
    bench.frames();
    assert.deepEqual([bench.served('a.tx0'), bench.served('a.tx1')], [5, 3]);
  });
});

describe('regressions', () => {
  it('[utest->req~sched.serving-rule~1] time that requests did not need is served in the same window', () => {
    const bench = oneWindow(4 * C, [caps('transmitq0')], { takesNs: C / 4 });
    bench.backlog(6);
    bench.frames();
    assert.equal(
      bench.served('a.tx0'),
      6,
      'after four, a fresh look at the clock shows time for two more',
    );
  });
});
