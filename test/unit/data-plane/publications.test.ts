/** Publications: each ring that was touched is published once, however often it was touched. */
import { strict as assert } from 'node:assert';
import { caps, DispatcherBench, window } from '../../support/dispatcher-bench.ts';

describe('publications', () => {
  it('[utest->req~queue.publish-receiver-first~1] a receiver is published per burst, not per packet', () => {
    const bench = new DispatcherBench({
      windows: [window('w', 'a', 0, 2_000_000, [caps('transmitq0')])],
    });
    bench.supply('b', 40);
    bench.backlog(40);
    const { index } = bench.plan.queues.find(({ name }) => name === 'b.net0.receiveq0')!;
    const { ring } = bench.plane.queues[index]!;
    const { publish } = ring;
    let calls = 0;
    ring.publish = () => {
      calls++;
      publish.call(ring);
    };
    bench.frames();
    assert.equal(calls, 2, 'a burst of 32 and one of 8');
  });
});
