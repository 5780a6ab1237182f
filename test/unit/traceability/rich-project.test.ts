/** Reports of a project in which everything occurs once. */
import { strict as assert } from 'node:assert';
import { diffMarkdown } from '../../../src/traceability/exports/diff-report.ts';
import { diffTraces } from '../../../src/traceability/diff.ts';
import { EXPORTS } from '../../../src/traceability/exports/export.ts';
import { trace } from '../../../src/traceability/trace.ts';
import type { TraceInput } from '../../../src/traceability/trace-input.ts';
import { CODE, GOAL, project, REQUIREMENT, tag } from '../../support/trace-project.ts';

const range = (start: number, end: number) => ({ start: { line: start }, end: { line: end } });
const MEASURED = { statementMap: { 0: range(5, 5) }, branchMap: {}, s: { 0: 1 }, b: {} };

const MAP = {
  standard: 'VIRTIO 1.4',
  inventory: { '1': 3 },
  clauses: [
    {
      id: '1#1',
      statement: 'done',
      status: 'implemented',
      requirements: ['req~stop~1'],
      tests: ['test/stop.test.ts'],
    },
    { id: '1#2', statement: 'left', status: 'not-offered', feature: 'VIRTIO_F_X' },
    { id: '1#3', statement: 'lost', status: 'implemented', requirements: ['req~none~1'] },
  ],
} as const;

const ITEMS = [
  GOAL,
  REQUIREMENT,
  {
    ...REQUIREMENT,
    id: 'req~go~1',
    title: 'Goes',
    covers: ['goal~safe~1', 'goal~gone~1'],
    needs: 'impl',
  },
  { id: 'aou~host~1', title: 'Host', tags: 'ASIL_B, by_inspection' },
  { id: 'aou~plan~1', title: 'Plan', tags: 'QM, by_analysis' },
  { id: 'note~x~1', title: 'Note', tags: 'QM', status: 'draft' },
];

function rich(): TraceInput {
  const results = [1, 2, 3, 4, 5].map((n) => ({ suite: `s${n}`, seeds: n === 1 ? [9] : [] }));
  const base = project({ items: ITEMS, results });
  const text = `${base.documents[0]!.text}\nComment:\n\nA remark.\n`;
  return {
    ...base,
    documents: [{ file: 'safety/items.md', text }],
    code: [...base.code, { file: 'src/other.ts', text: `// ${tag('impl', 'req~go~1')}\n` }],
    reviews: { 'req~stop~1': base.reviews!['req~stop~1']! },
    coverage: new Map([['src/stop.ts', MEASURED]]),
    mutation: { killed: 9, total: 10, tested: 'abc' },
    clauses: [{ file: 'map.json', text: JSON.stringify(MAP), map: MAP }],
    origin: { ...base.origin, commit: '' },
  };
}

describe('a project with everything in it', () => {
  const written = (name: string) => EXPORTS[name]!(trace(rich()));

  it('[utest->req~trace.exports~1] the page', () => {
    const html = written('traceability.html');
    for (const part of [
      'commit <code>none</code>',
      '9 of 10 mutants (90.0 %)',
      '<td class="n">100.0 % of 1</td><td class="n">none</td>',
      '<td class="n">not measured</td>',
      's1: passed, 3 ms, seed 9',
      'and 1 more',
      'reviewed by a reviewer',
      'no review stamp',
      'A remark.',
      'goal~gone~1</a> <span class="bad">is missing</span>',
      '<h2>note (1)</h2>',
      '<h2>Assumptions of use (2)</h2>',
      '<code>VIRTIO_F_X</code>',
      '<a href="../../test/stop.test.ts#L1">',
      'implemented, tests not run',
      '2 implemented, 1 not-offered',
      'verified by inspection',
      'verified by analysis',
    ]) {
      assert.ok(html.includes(part), part);
    }
  });

  it('[utest->req~trace.exports~1] the matrix sorts levels, unknown types last', () => {
    const titles = [...written('matrix.md').matchAll(/^## (.*)$/gm)].map((match) => match[1]);
    assert.deepEqual(titles, [
      ...['Safety goals', 'Software safety requirements', 'Assumptions of use', 'note'],
      'Statements of the standards',
    ]);
    assert.match(written('matrix.md'), /\| VIRTIO 1.4 1#2 \| not-offered \| VIRTIO_F_X \|/);
  });

  it('[utest->req~trace.exports~1] tools get unknown types as they are, and links to what exists', () => {
    assert.match(written('requirements.lobster'), /"kind": "note"/);
    assert.match(written('implementation.lobster'), /"tag": "typescript src\/other.ts#"/);
    assert.doesNotMatch(written('requirements.reqif'), /goal_gone/);
    assert.match(written('needs.json'), /"asil": "QM"/);
  });

  it('[utest->req~trace.clauses~1] a statement whose requirement does not exist is orphaned', () => {
    const { clauses } = trace(rich());
    assert.deepEqual(
      clauses.map(({ states }) => states),
      [['ok'], ['ok'], ['orphaned']],
    );
  });

  it('[utest->req~trace.exports~1] statuses of tests: failed, skipped, not run', () => {
    const status = (input: TraceInput) =>
      (JSON.parse(EXPORTS['activities.lobster']!(trace(input))) as { data: { status: string }[] })
        .data[0]!.status;
    assert.equal(status(project({ results: [{ result: 'failed' }] })), 'fail');
    assert.equal(status(project({ results: [{ result: 'skipped' }] })), 'not run');
    assert.equal(status(project({ results: [] })), 'not run');
    const skipped = EXPORTS['junit.xml']!(trace(project({ results: [{ result: 'skipped' }] })));
    assert.ok(skipped.includes('<skipped/>'));
  });

  it('[utest->req~trace.exports~1] one test may verify several requirements', () => {
    const both = `${tag('utest', 'req~stop~1')} ${tag('utest', 'req~go~1')} both`;
    const items = [GOAL, REQUIREMENT, { ...REQUIREMENT, id: 'req~go~1' }];
    const code = `${CODE}// ${tag('impl', 'req~go~1')}\nexport const go = 1;\n`;
    const input = project({
      items,
      code,
      test: `it('${both}', () => {});\n`,
      results: [{ title: both, line: 1 }],
    });
    const traced = trace(input);
    assert.equal(traced.counts.defects, 0);
    assert.ok(EXPORTS['junit.xml']!(traced).includes('value="req~go~1, req~stop~1"'));
    assert.match(EXPORTS['activities.lobster']!(traced), /"req stop@1",\s+"req go@1"/);
  });

  it('[utest->req~trace.report~1] without results or reviews asked for, nothing is said about them', () => {
    const quiet = trace({ ...project(), results: undefined, reviews: undefined });
    assert.deepEqual([quiet.findings, quiet.counts.results], [[], 0]);
  });

  it('[utest->req~trace.diff~1] items without a level have none in a comparison', () => {
    const bare = { id: 'note~x~1', tags: 'other' };
    const changes = diffTraces(project(), project({ items: [GOAL, REQUIREMENT, bare] }));
    assert.deepEqual(
      changes.map(({ kind, asil }) => [kind, asil]),
      [['added', null]],
    );
    assert.match(diffMarkdown({ before: 'a', after: 'b' }, changes), /\| `note~x` \| {2}\| {2}\|/);
    const untagged = { ...REQUIREMENT, tags: 'other' };
    assert.ok(
      diffTraces(project(), project({ items: [GOAL, untagged] })).some(
        ({ kind, after }) => kind === 'asil-changed' && after === 'none',
      ),
    );
  });

  it('[utest->req~trace.link~1] an item that exists three times, and links to several revisions', () => {
    const texts = [
      GOAL,
      { ...GOAL, id: 'goal~safe~3' },
      { ...REQUIREMENT, covers: ['goal~safe~2'] },
    ];
    const states = (items: typeof texts) =>
      trace({ ...project({ items }), reviews: undefined }).findings.map(({ state }) => state);
    const found = states(texts);
    assert.ok(found.includes('outdated') && found.includes('predated'));
    assert.equal(states([GOAL, GOAL, GOAL]).filter((state) => state === 'duplicate').length, 6);
  });

  it('[utest->req~trace.reviews~1] a reviewed line that was taken away', () => {
    const { reviews } = project();
    const shorter = CODE.replace('  return 1;\n', '');
    const found = trace({ ...project({ code: shorter }), reviews }).findings;
    assert.deepEqual(
      found.map(({ state, file }) => [state, file]),
      [['suspect-code', 'src/stop.ts']],
    );
  });
});
