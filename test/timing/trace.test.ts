/** Time of the tracer for a large project, in CPU time: others may be busy. */
import { strict as assert } from 'node:assert';
import { projectOf } from '../../src/cli/bench/trace.ts';
import { trace } from '../../src/traceability/trace.ts';

const ITEMS = 5000;
const RUNS = 5;
const LIMIT_MS = 1000;

describe('time of the tracer', () => {
  it('[utest->req~trace.fast~1] 5000 items with two tags each are traced in less than a second', function () {
    this.timeout(120_000);
    const project = projectOf(ITEMS);
    const times = Array.from({ length: RUNS }, () => {
      const before = process.cpuUsage();
      const { counts } = trace(project);
      assert.deepEqual([counts.items, counts.tags, counts.defects], [ITEMS, 9900, 0]);
      return process.cpuUsage(before).user / 1000;
    });
    assert.ok(Math.min(...times) < LIMIT_MS, `${times.join(', ')} ms`);
  });
});
