/** What the dispatcher writes about each visit of a window. */
import { strict as assert } from 'node:assert';
import { OverrunCause } from '../../../src/data-plane/dispatcher.ts';
import { caps, COST_NS as C, DispatcherBench, window } from '../../support/dispatcher-bench.ts';

const FRAME = 1_000_000;
const ALL = 1000;

function bench(): DispatcherBench {
  return new DispatcherBench({
    majorFrameNs: FRAME,
    windows: [
      window('w', 'a', 200_000, 100_000, [caps('transmitq0')]),
      window('c', 'a', 400_000, 50_000, [], { kind: 'control' }),
    ],
  });
}

describe('dispatcher: the trace', () => {
  it('[utest->req~diag.window-trace~1] one visit per window, in their order, planned on the grid', () => {
    const own = bench();
    own.frames(3);
    const visits = own.windowTrace.since(0, ALL);
    assert.deepEqual(
      visits.map(({ sequence, window: index, plannedNs }) => [sequence, index, plannedNs]),
      [0, 1, 2, 3, 4, 5].map((n) => [
        n,
        n % 2,
        own.origin + Math.floor(n / 2) * FRAME + (n % 2 === 0 ? 200_000 : 400_000),
      ]),
    );
    assert.deepEqual(new Set(visits.map(({ overrun }) => overrun)), new Set([0]));
  });

  it('[utest->req~diag.window-trace~1] requests and the time of their bursts are those of the visit', () => {
    const own = bench();
    own.backlog(3);
    own.frames(2);
    const [first, , second] = own.windowTrace.since(0, ALL);
    assert.deepEqual([first!.requests, first!.busyNs], [3, 3 * C]);
    assert.deepEqual([second!.requests, second!.busyNs], [0, 0]);
  });

  it('[utest->req~diag.window-trace~1] a window that is begun late started when it was begun', () => {
    const own = bench();
    own.time.nowNs = own.origin + 230_000;
    own.frames();
    const [visit] = own.windowTrace.since(0, ALL);
    assert.equal(visit!.plannedNs, own.origin + 200_000);
    assert.equal(visit!.startedNs, own.origin + 230_000);
    assert.ok(visit!.endedNs >= own.origin + 300_000);
  });

  it('[utest->req~diag.window-trace~1] a window that ends late says when, and by what cause', () => {
    for (const cause of Object.values(OverrunCause)) {
      const own = new DispatcherBench({
        majorFrameNs: FRAME,
        windows: [window('w', 'a', 200_000, 2 * C, [caps('transmitq0')])],
        takesNs: 5 * C,
      });
      own.evidence = { mark() {}, cause: () => cause };
      own.backlog(1);
      own.frames();
      const visit = own.windowTrace.since(0, ALL).find(({ window: index }) => index === 0)!;
      assert.deepEqual([visit.endedNs, visit.overrun], [own.origin + 200_000 + 5 * C, 1 + cause]);
    }
  });
});
