/** VIRTIO 1.4, 2.7: nothing of one life of a ring, or of one walk, is left for the next. */
import { strict as assert } from 'node:assert';
import { NEXT, QueueBench } from '../support/queue-bench.ts';

describe('VIRTIO 2.7: one life after another', () => {
  it('[utest->req~queue.reset~1] a notification owed before a restart is not sent after it', () => {
    const bench = new QueueBench({ size: 4 });
    bench.expose(3);
    bench.serve(3);
    bench.queue.stop();
    bench.start();
    assert.equal(bench.queue.takeNotification(), false);
  });

  it('[utest->req~queue.resume~1] service resumes behind what was published, whatever was taken or completed', () => {
    for (const index of [0, 5, 0xffff]) {
      const bench = new QueueBench({ size: 4, index });
      assert.equal(bench.queue.base, index);
      const heads = bench.offer(3);
      bench.look();
      const [first, second] = bench.take(2) as [number, number];
      bench.queue.complete(first, 0);
      bench.queue.publish();
      bench.queue.complete(second, 0);
      bench.queue.stop();
      bench.queue.publish();
      const base = (index + 1) & 0xffff;
      assert.deepEqual([bench.queue.base, bench.double.usedIndex], [base, base]);
      const { double, queue, slice } = bench;
      queue.start({
        ...{ size: 4, eventIdx: false, indirect: false, packed: false, index: queue.base },
        descAt: slice.at(double.desc),
        availAt: slice.at(double.avail),
        usedAt: slice.at(double.used),
      });
      bench.look();
      assert.deepEqual(bench.take(), heads.slice(1), 'offered again');
      assert.equal(bench.look(), 'none');
    }
  });

  it('[utest->req~queue.chain-checked~1] after so many walks that their number wraps, no loop is seen where none is', () => {
    const bench = new QueueBench({ size: 8 });
    const desc = { address: bench.slice.allocate(8), length: 8 };
    const walk = (first: number, second: number) => {
      bench.double.describe(first, { ...desc, flags: NEXT, next: second });
      bench.double.describe(second, desc);
      return bench.walk(first);
    };
    assert.equal(walk(0, 1), 'none');
    (bench.chain as unknown as { table: number }).table = 2 ** 31 - 1;
    assert.equal(walk(2, 0), 'none');
    assert.equal(walk(3, 1), 'none');
  });
});
