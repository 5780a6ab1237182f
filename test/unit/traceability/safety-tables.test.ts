/** Tables of the safety analyses from their data. */
import { strict as assert } from 'node:assert';
import { dfaDocument, fmeaDocument } from '../../../src/traceability/safety-tables.ts';

describe('safety tables', () => {
  it('[utest->req~trace.safety-tables~1] failure modes, with the fault spelled out and measures as ids', () => {
    const row = { id: 'FM-01', element: 'a|b', fault: 'F1', failure: 'f', effect: 'e' };
    const document = fmeaDocument({
      faults: { F1: 'too late' },
      rows: [
        { ...row, measures: ['req~a~1', 'req~b~1'], remaining: 'r' },
        { ...row, id: 'FM-02', fault: 'F2', measures: [], remaining: '' },
      ],
    });
    assert.ok(
      document.includes('| FM-01 | a\\|b | F1 too late | f | e | `req~a~1`, `req~b~1` | r |'),
    );
    assert.ok(document.includes('| FM-02 | a\\|b | F2 ? | f | e |  |  |'));
  });

  it('[utest->req~trace.safety-tables~1] dependent failures, whether they apply and why', () => {
    const row = { initiator: 'i', what: 'w', argument: 'a', measures: ['req~a~1'] };
    const document = dfaDocument({
      rows: [
        { ...row, id: 'DF-01', applies: true },
        { ...row, id: 'DF-02', applies: false },
      ],
    });
    assert.ok(document.includes('| DF-01 | i | w | yes | a | `req~a~1` |'));
    assert.ok(document.includes('| DF-02 | i | w | no | a |'));
  });
});
