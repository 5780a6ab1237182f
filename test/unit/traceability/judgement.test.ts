/** Coverage of tagged code, thresholds, justifications and exit codes. */
import { strict as assert } from 'node:assert';
import { traceExit } from '../../../src/cli/trace/exit-code.ts';
import type { Finding } from '../../../src/traceability/finding.ts';
import {
  DEFAULT_POLICY,
  type Justification,
  type TracePolicy,
} from '../../../src/traceability/policy.ts';
import { addCoverage, coverageOf } from '../../../src/traceability/symbol-coverage.ts';
import { trace } from '../../../src/traceability/trace.ts';
import { found, project } from '../../support/trace-project.ts';

const range = (start: number, end: number) => ({ start: { line: start }, end: { line: end } });

/** Line 4 to 7 is the tagged function of the small project. */
const MEASURED = {
  statementMap: { 0: range(1, 1), 1: range(5, 5), 2: range(6, 6) },
  branchMap: { 0: { loc: range(5, 5) }, 1: { loc: range(1, 9) } },
  ...{ s: { 0: 1, 1: 4, 2: 0 }, b: { 0: [1, 0], 1: [0] } },
};

const COVERED = { ...project(), coverage: new Map([['src/stop.ts', MEASURED]]) };

function policy(change: Partial<TracePolicy>): TracePolicy {
  return { ...DEFAULT_POLICY, ...change };
}

describe('coverage of tagged code', () => {
  it('[utest->req~trace.report~1] counts what lies wholly inside the symbol', () => {
    assert.deepEqual(coverageOf(MEASURED, 4, 7), {
      statements: { covered: 1, total: 2 },
      branches: { covered: 1, total: 2 },
    });
    assert.deepEqual(addCoverage([]), {
      statements: { covered: 0, total: 0 },
      branches: { covered: 0, total: 0 },
    });
    const view = trace(COVERED).requirements[1]!.implementations[0]!;
    assert.deepEqual(view.coverage?.branches, { covered: 1, total: 2 });
  });

  it('[utest->req~trace.report~1] totals are given for each level, each symbol once', () => {
    const { totals } = trace(COVERED);
    assert.deepEqual(totals, [
      {
        ...{ asil: 'B', requirements: 2, ok: 2, deep: 2 },
        ...{ links: { covered: 3, total: 3 }, tested: { covered: 1, total: 1 } },
        ...{ statements: { covered: 1, total: 2 }, branches: { covered: 1, total: 2 } },
      },
    ]);
  });
});

describe('thresholds', () => {
  it('[utest->req~trace.exit-codes~1] a figure below its threshold is a finding of its level', () => {
    const thresholds = { B: { links: 100, tested: 100, statements: 50, branches: 51 } };
    assert.deepEqual(
      trace({ ...COVERED, policy: policy({ thresholds }) }).findings.map(({ message }) => message),
      ['branches at B: 50.00 %, below 51 %'],
    );
  });

  it('[utest->req~trace.exit-codes~1] a mutation score counts where it was measured', () => {
    const limits = policy({ thresholds: { B: { mutation: 85 } } });
    assert.deepEqual(found({ ...project(), policy: limits }), []);
    const mutation = { killed: 84, total: 100, tested: 'abc' };
    assert.deepEqual(
      trace({ ...project(), policy: limits, mutation }).findings.map(({ message }) => message),
      ['mutation at B: 84.00 %, below 85 %'],
    );
  });
});

describe('justifications', () => {
  const excuse: Justification = {
    item: 'req~stop~1',
    state: 'test-failed',
    reason: 'known',
    owner: 'me',
    until: '2026-01-01',
  };
  const failed = project({ results: [{ result: 'failed' }] });

  it('[utest->req~trace.rules~1] an excuse makes a finding a warning, with reason and owner, until its day', () => {
    const justified = { ...failed, policy: policy({ justifications: [excuse] }) };
    const [finding] = trace(justified).findings.filter(({ state }) => state === 'justified');
    assert.match(finding!.message, /^test-failed: .* \(known; me, until 2026-01-01\)$/);
  });

  it('[utest->req~trace.rules~1] an excuse that is over, or that nothing needs, is a defect', () => {
    const late = { ...failed.origin, asOf: '2026-01-02' };
    const expired = { ...failed, origin: late, policy: policy({ justifications: [excuse] }) };
    const messages = trace(expired).findings.map(({ state, message }) => `${state}: ${message}`);
    assert.ok(
      messages.includes(
        'justification-expired: the justification of test-failed at req~stop~1 expired on 2026-01-01',
      ),
    );
    assert.ok(messages.some((message) => message.startsWith('test-failed')));
    assert.deepEqual(found({ ...project(), policy: policy({ justifications: [excuse] }) }), [
      'justification-expired traceability/policy.json:1:1',
    ]);
  });
});

describe('exit codes', () => {
  const at = { file: 'x', line: 1, column: 1, item: '', message: '' };
  const finding = (state: Finding['state'], asil: Finding['asil']): Finding => ({
    ...at,
    state,
    asil,
  });

  it('[utest->req~trace.exit-codes~1] defects outrank tests, and tests thresholds', () => {
    const threshold = finding('threshold', 'B');
    const failed = finding('test-failed', 'B');
    const orphan = finding('orphaned', 'B');
    assert.equal(traceExit([], 'any'), 0);
    assert.equal(traceExit([finding('unreviewed', 'B'), finding('tainted', 'B')], 'any'), 0);
    assert.equal(traceExit([threshold], 'any'), 5);
    assert.equal(traceExit([threshold, failed], 'any'), 4);
    assert.equal(traceExit([threshold, failed, orphan], 'any'), 1);
  });

  it('[utest->req~trace.exit-codes~1] findings below the level asked for do not count, those without a level do', () => {
    assert.equal(traceExit([finding('orphaned', 'QM')], 'B'), 0);
    assert.equal(traceExit([finding('orphaned', 'A')], 'B'), 0);
    assert.equal(traceExit([finding('orphaned', 'B')], 'B'), 1);
    assert.equal(traceExit([finding('orphaned', 'D')], 'B'), 1);
    assert.equal(traceExit([finding('orphaned', 'QM')], 'QM'), 1);
    assert.equal(traceExit([finding('orphaned', null)], 'D'), 1);
  });
});
