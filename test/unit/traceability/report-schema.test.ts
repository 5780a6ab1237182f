/** The JSON report and its published schema. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import { jsonReport } from '../../../src/traceability/exports/json.ts';
import { STATES } from '../../../src/traceability/finding.ts';
import { trace } from '../../../src/traceability/trace.ts';
import type { TraceInput } from '../../../src/traceability/trace-input.ts';
import { repositoryPath } from '../../support/judged.ts';
import { project } from '../../support/trace-project.ts';

const SCHEMA = JSON.parse(
  readFileSync(repositoryPath('traceability/report.schema.json'), 'utf8'),
) as { $defs: { state: { enum: string[] } } };

describe('schema of the JSON report', () => {
  const validate = new Ajv2020({ strict: false, allErrors: true }).compile(SCHEMA);
  const problems = (input: TraceInput) => {
    validate(JSON.parse(jsonReport(trace(input))));
    return validate.errors ?? [];
  };

  it('[utest->req~trace.exports~1] a report matches it, whatever was found', () => {
    const map = {
      ...{ standard: 'V', inventory: { '1': 2 } },
      clauses: [{ id: '1#1', statement: 'x', status: 'exception' as const, reason: 'y' }],
    };
    const covered = { statementMap: {}, branchMap: {}, s: {}, b: {} };
    const full = {
      ...project({ results: [{ seeds: [1] }, { suite: 'b', result: 'failed' }] }),
      clauses: [{ file: 'x', text: '', map }],
      coverage: new Map([['src/stop.ts', covered]]),
      mutation: { killed: 1, total: 2, tested: 'x' },
      reviews: {},
    };
    assert.deepEqual(problems(full), []);
    assert.deepEqual(problems(project()), []);
  });

  it('[utest->req~trace.exports~1] it knows every state, and refuses what is not there', () => {
    assert.deepEqual(SCHEMA.$defs.state.enum, ['ok', ...Object.keys(STATES)]);
    assert.equal(validate({}), false);
  });
});
