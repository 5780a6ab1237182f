/** The window trace between two threads: a reader never sees a visit that is made of two. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { WindowTrace, type WindowVisit } from '../../src/channel/window-trace.ts';

const VISITS = Number(process.env['TEST_STEPS'] ?? 20_000_000);
const BATCH = 32;

function isWhole({ sequence: n, ...visit }: WindowVisit): boolean {
  return (
    visit.window === (n & 0xff) &&
    visit.plannedNs === n &&
    visit.startedNs === n + 1 &&
    visit.endedNs === n + 2 &&
    visit.busyNs === n &&
    visit.requests === n &&
    visit.overrun === (n & 3)
  );
}

describe('litmus: window trace', function () {
  this.timeout(120_000);

  it('[utest->req~diag.window-trace~1] no visit is torn while the writer is as fast as it can be', async () => {
    const buffer = new SharedArrayBuffer(WindowTrace.bytes);
    const trace = new WindowTrace(buffer);
    const worker = new Worker(path.join(__dirname, 'trace-writer.js'), {
      workerData: { buffer, visits: VISITS },
    });
    const exited = once(worker, 'exit');
    let read = 0;
    let torn = 0;
    while (trace.written < VISITS) {
      for (let n = 0; n < 1000; n++) {
        const visits = trace.since(trace.written - BATCH, BATCH);
        read += visits.length;
        torn += visits.filter((visit) => !isWhole(visit)).length;
      }
      // The thread's own messages, its end by an error among them, come between the reads.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    await exited;
    assert.equal(torn, 0);
    assert.ok(read > BATCH, `${read} visits were read`);
  });
});
