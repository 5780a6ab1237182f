/** The analysis is quick enough for every edit of a table, and grows with its size as stated. */
import { strict as assert } from 'node:assert';
import { flowBounds } from '../../src/analysis/flow-bounds.ts';
import { warningsFor } from '../../src/analysis/warnings.ts';
import { judgeConfig } from '../../src/control-plane/config/load-config.ts';
import { compilePlan } from '../../src/schedule/compile-plan.ts';
import { manyFlows, type Size } from '../support/many-flows.ts';

/** Processor time of loading, judging, compiling and analysing, in milliseconds. */
function checked(size: Size): { ms: number; flows: number; bounded: number } {
  const text = JSON.stringify(manyFlows(size));
  const before = process.cpuUsage();
  const { config, problems } = judgeConfig('many.json', text);
  assert.deepEqual(problems, []);
  const plan = compilePlan(config!);
  const bounds = flowBounds(plan);
  warningsFor(plan, bounds);
  const { user, system } = process.cpuUsage(before);
  const bounded = bounds.filter(({ shortage }) => shortage === null).length;
  return { ms: (user + system) / 1000, flows: bounds.length, bounded };
}

describe('speed of the analysis', function () {
  this.timeout(120_000);

  it('[utest->req~time.bound~1] 20 partitions with 200 flows: below a second', () => {
    const { ms, flows, bounded } = checked({ partitions: 20, flowsEach: 10, visitsEach: 2 });
    console.log(
      `      20 partitions, 200 flows, 40 windows: ${ms.toFixed(0)} ms of processor time`,
    );
    assert.deepEqual([flows, bounded], [200, 200]);
    assert.ok(ms < 1000, `${ms} ms`);
  });

  it('[utest->req~time.bound~1] a table of ten times the windows: at most a hundred times as long', () => {
    const small = checked({ partitions: 10, flowsEach: 10, visitsEach: 2 });
    const large = checked({ partitions: 10, flowsEach: 10, visitsEach: 20 });
    assert.equal(large.bounded, 100);
    const growth = large.ms / small.ms;
    console.log(
      `      20 to 200 windows: ${small.ms.toFixed(0)} to ${large.ms.toFixed(0)} ms, ${growth.toFixed(1)} times`,
    );
    assert.ok(growth < 100);
  });
});
