/** The gate: behind all suites, each requirement has a result, and none that failed. */
import { strict as assert } from 'node:assert';
import path from 'node:path';
import { readProject } from '../../src/cli/trace/project.ts';
import { findingText, weightOf } from '../../src/traceability/finding.ts';
import { trace } from '../../src/traceability/trace.ts';

const ROOT = path.resolve(__dirname, '../../..');

/** By how many tests are verified only by the gate, which has no result yet when it looks. */
const OWN = 'test/gate/';

describe('gate', () => {
  const { findings, counts, totals } = trace(readProject(ROOT, 'gate', '../'));

  it('[utest->req~dev.traced~1] every requirement has a test result, every test passed, the results are of these sources', () => {
    const red = findings.filter(
      (finding) => weightOf(finding) === 'test' && !finding.file.startsWith(OWN),
    );
    assert.deepEqual(red.map(findingText), []);
    assert.ok(counts.results > 1000);
  });

  it('[utest->req~dev.covered~1] the thresholds of the policy are kept, level by level', () => {
    const missed = findings.filter((finding) => weightOf(finding) === 'threshold');
    assert.deepEqual(missed.map(findingText), []);
    assert.ok(totals.every(({ branches, statements }) => branches.total + statements.total > 0));
  });
});
