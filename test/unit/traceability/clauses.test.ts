/** The map of statements of the standards: what is missing in it, and what is wrong. */
import { strict as assert } from 'node:assert';
import { byClause, clauseFindings, type Clause } from '../../../src/traceability/clauses.ts';
import { trace } from '../../../src/traceability/trace.ts';
import { EXPORTS } from '../../../src/traceability/exports/export.ts';
import { project } from '../../support/trace-project.ts';

const FILE = 'traceability/map.json';
const DONE: Clause = {
  id: '2.1#1',
  statement: 'It stops.',
  status: 'implemented',
  requirements: ['req~stop~1'],
};

function messages(clauses: readonly Clause[], inventory: Record<string, number> = { '2.1': 1 }) {
  const map = { standard: 'VIRTIO', inventory, clauses };
  return clauseFindings({
    ...{ map, file: FILE, text: JSON.stringify(map, null, 1) },
    requirements: new Set(['req~stop~1']),
    testFiles: new Map([
      ['test/a.test.ts', new Set(['req~stop~1'])],
      ['test/b.test.ts', new Set(['req~go~1'])],
    ]),
  }).map(({ state, message }) => `${state}: ${message}`);
}

describe('statements of standards', () => {
  it('[utest->req~trace.clauses~1] a statement is implemented, or has a reason not to be', () => {
    const others: Clause[] = [
      { id: '2.2#1', statement: 'x', status: 'front-end', reason: 'its driver does' },
      { id: '2.2#2', statement: 'x', status: 'not-offered', feature: 'VIRTIO_F_X' },
      { id: '2.2#3', statement: 'x', status: 'exception', reason: 'not built' },
    ];
    const tested = { ...DONE, tests: ['test/a.test.ts'] };
    assert.deepEqual(messages([tested, ...others], { '2.1': 1, '2.2': 3 }), []);
  });

  it('[utest->req~trace.clauses~1] a statement that is not mapped, is mapped twice, or does not exist', () => {
    assert.deepEqual(messages([DONE, DONE, { ...DONE, id: '9#1' }], { '2.1': 2 }), [
      'clause-unmapped: VIRTIO: statement 2.1#2 is not mapped',
      'clause-wrong: statement 9#1: the inventory does not have it',
      'clause-wrong: statement 2.1#1: it is mapped more than once',
    ]);
  });

  const wrong: [string, Partial<Clause>, string][] = [
    ['no requirement', { requirements: [] }, 'no requirement implements it'],
    ['a requirement that does not exist', { requirements: ['req~x~1'] }, 'there is no req~x~1'],
    ['no text', { statement: '' }, 'it says nothing'],
    ['no reason', { status: 'exception' }, 'it gives no reason'],
    ['no feature', { status: 'not-offered', reason: 'no' }, 'it names no feature'],
    ['a test that does not exist', { tests: ['test/c'] }, 'there is no test in test/c'],
    [
      'a test about something else',
      { tests: ['test/b.test.ts'] },
      'no test in test/b.test.ts is about req~stop~1',
    ],
    [
      'a status nobody knows',
      { status: 'done' as 'implemented', reason: 'x' },
      '"done" is none of implemented, front-end, not-offered, exception',
    ],
  ];
  for (const [name, change, message] of wrong) {
    it(`[utest->req~trace.clauses~1] ${name} is reported`, () => {
      assert.deepEqual(messages([{ ...DONE, ...change }]), [
        `clause-wrong: statement 2.1#1: ${message}`,
      ]);
    });
  }

  it('[utest->req~trace.clauses~1] a finding is at the line of the statement', () => {
    const map = { standard: 'V', inventory: { '2.1': 1 }, clauses: [{ ...DONE, statement: '' }] };
    const text = JSON.stringify(map, null, 1);
    const at = {
      map,
      file: FILE,
      text,
      requirements: new Set(['req~stop~1']),
      testFiles: new Map(),
    };
    const [found] = clauseFindings(at);
    assert.equal(text.split('\n')[found!.line - 1], '   "id": "2.1#1",');
  });

  it('[utest->req~trace.clauses~1] the order is that of the standard', () => {
    const ids = ['2.10.2#1', '2.7.8.2#10', '2.7.8.2#9', '2.7#1', 'b:x#2', 'b:x#1'];
    assert.deepEqual(ids.sort(byClause), [
      ...['2.7#1', '2.7.8.2#9', '2.7.8.2#10', '2.10.2#1', 'b:x#1', 'b:x#2'],
    ]);
  });

  it('[utest->req~trace.clauses~1] the reports show each statement with the state of its requirements', () => {
    const map = { standard: 'VIRTIO 1.4', inventory: { '2.1': 1 }, clauses: [DONE] };
    const clauses = [{ file: FILE, text: JSON.stringify(map), map }];
    const sound = trace({ ...project(), clauses });
    assert.deepEqual(sound.clauses[0]!.states, ['ok']);
    const failed = trace({ ...project({ results: [{ result: 'failed' }] }), clauses });
    assert.deepEqual(failed.clauses[0]!.states, ['test-failed', 'test-not-run']);
    const html = EXPORTS['traceability.html']!(failed);
    assert.match(html, /<h2>VIRTIO 1.4<\/h2><p>1 implemented<\/p>/);
    assert.match(html, /implemented, tests failed/);
    assert.match(
      EXPORTS['matrix.md']!(sound),
      /\| VIRTIO 1.4 2.1#1 \| implemented \| req~stop~1 \|/,
    );
  });
});
