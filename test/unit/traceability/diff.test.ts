/** Two revisions of a project, compared item by item. */
import { strict as assert } from 'node:assert';
import { diffHtml, diffMarkdown } from '../../../src/traceability/exports/diff-report.ts';
import { diffTraces } from '../../../src/traceability/diff.ts';
import {
  CODE,
  GOAL,
  project,
  REQUIREMENT,
  tag,
  TEST,
  type Parts,
} from '../../support/trace-project.ts';

function kinds(after: Parts, before: Parts = {}): string[] {
  return diffTraces(project(before), project(after)).map(({ kind, item }) => `${kind} ${item}`);
}

const changed = (change: object): Parts => ({ items: [GOAL, { ...REQUIREMENT, ...change }] });
const STOP = 'req~stop';

describe('trace diff', () => {
  const cases: [string, Parts, string[]][] = [
    ['nothing', {}, []],
    ['an item is added', { items: [GOAL, REQUIREMENT, { id: 'req~go~1' }] }, ['added req~go']],
    ['an item is removed', { items: [REQUIREMENT] }, ['removed goal~safe']],
    ['a sentence changes', changed({ text: 'It shall.' }), [`reworded ${STOP}`]],
    [
      'a revision is raised, and nothing follows',
      changed({ id: 'req~stop~2' }),
      [`revised ${STOP}`, `coverage-lost ${STOP}`],
    ],
    ['a level changes', changed({ tags: 'QM' }), [`asil-changed ${STOP}`]],
    [
      'an item covers something else',
      changed({ covers: ['goal~sound~1'] }),
      ['coverage-lost goal~safe', `parents-changed ${STOP}`],
    ],
    ['a test is deleted', { test: '' }, [`tests-changed ${STOP}`, `coverage-lost ${STOP}`]],
    ['code changes', { code: CODE.replace('(on)', '(!on)') }, [`code-changed ${STOP}`]],
    [
      'a test is added',
      { test: `${TEST}it('${tag('utest', 'req~stop~1')} again', () => {});` },
      [`tests-changed ${STOP}`],
    ],
    ['lines move', { code: `\n\n${CODE}`, test: `\n\n${TEST}` }, []],
  ];
  for (const [name, after, expected] of cases) {
    it(`[utest->req~trace.diff~1] ${name}`, () => {
      assert.deepEqual(kinds(after), expected);
    });
  }

  it('[utest->req~trace.diff~1] coverage may be gained', () => {
    assert.ok(kinds({}, { test: '' }).includes(`coverage-gained ${STOP}`));
  });

  it('[utest->req~trace.diff~1] it is written as Markdown and as a page', () => {
    const title = { before: 'v1', after: 'v2' };
    const changes = diffTraces(project(), project(changed({ text: 'It <shall> | stop.' })));
    const markdown = diffMarkdown(title, changes);
    assert.match(markdown, /^# Requirements from v1 to v2\n\n## Reworded \(1\)/);
    assert.ok(markdown.includes('| The door shall close. | It <shall> \\| stop. |'));
    assert.ok(diffHtml(title, changes).includes('<ins>It &lt;shall&gt; | stop.</ins>'));
    assert.match(diffMarkdown(title, []), /No requirement changed/);
    assert.match(diffHtml(title, []), /No requirement changed/);
  });
});
