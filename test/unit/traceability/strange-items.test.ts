/** Items as nobody should write them, in every export: what is missing is said, nothing is made up. */
import { strict as assert } from 'node:assert';
import { byClause } from '../../../src/traceability/clauses.ts';
import { EXPORTS } from '../../../src/traceability/exports/export.ts';
import { trace } from '../../../src/traceability/trace.ts';
import { CODE, found, GOAL, project, REQUIREMENT, tag, TEST } from '../../support/trace-project.ts';

const COVERAGE = {
  statementMap: { 0: { start: { line: 4 }, end: { line: 4 } } },
  s: {},
  branchMap: {},
  b: {},
};

function page(...parts: Parameters<typeof project>): string {
  return EXPORTS['traceability.html']!(trace(project(...parts)));
}

describe('strange items', () => {
  it('[utest->req~trace.exports~1] items that cover each other end their chain where it begins again', () => {
    const a = { ...REQUIREMENT, id: 'req~a~1', covers: ['req~b~1'], needs: 'req' };
    const b = { ...REQUIREMENT, id: 'req~b~1', covers: ['req~a~1'], needs: 'req' };
    const html = page({ items: [a, b], code: '', test: '', results: [] });
    assert.match(html, /req~a~1<\/a> <span class="bad">is missing<\/span>/);
    assert.ok(html.includes('id="req~b~1"'));
  });

  it('[utest->req~trace.exports~1] a parent that is nowhere is said to be missing', () => {
    const lost = { ...REQUIREMENT, covers: ['goal~lost~1'] };
    const html = page({ items: [GOAL, lost] });
    assert.match(html, /goal~lost~1<\/a> <span class="bad">is missing<\/span>/);
  });

  it('[utest->req~trace.exports~1] an item without a level, a comment and a kind that no tool knows', () => {
    const odd = { ...REQUIREMENT, id: 'odd~thing~1', tags: 'by_inspection', needs: 'impl' };
    const code = CODE.replaceAll('req~stop~1', 'odd~thing~1');
    const input = project({ items: [GOAL, odd], code, test: '', results: [] });
    const outcome = trace(input);
    assert.match(EXPORTS['traceability.html']!(outcome), /id="odd~thing~1"[^>]*data-asil=""/);
    const exported = Object.keys(EXPORTS).map((name) => EXPORTS[name]!(outcome));
    assert.ok(
      exported.some((text) => /"kind": "odd"/.test(text)),
      'its type stands for its kind',
    );
    assert.ok(
      exported.some((text) => /^## odd$/m.test(text)),
      'a section of its own in the matrix',
    );
    assert.ok(exported.every((text) => !/undefined|NaN|null ASIL/.test(text)));
  });

  it('[utest->req~trace.exports~1] statements that were never counted are not covered, no branches are none', () => {
    const input = { ...project(), coverage: new Map([['src/stop.ts', COVERAGE]]) };
    const html = EXPORTS['traceability.html']!(trace(input as ReturnType<typeof project>));
    assert.match(html, /<td class="n">0\.0 % of 1<\/td><td class="n">none<\/td>/);
  });

  it('[utest->req~trace.exports~1] a test in a loop shows the first results, with seeds, and how many more', () => {
    const results = Array.from({ length: 6 }, (_, n) => ({ id: `turn ${n}`, seeds: [n] }));
    const html = page({ results });
    assert.match(html, /passed, 3 ms, seed 3<br>and 2 more/);
    assert.doesNotMatch(html, /seed 4/);
  });

  it('[utest->req~trace.exports~1] one test of two requirements is one result in the totals', () => {
    const second = { ...REQUIREMENT, id: 'req~go~1' };
    const both = TEST.replace(' it stops', ` ${tag('utest', 'req~go~1')} it stops`);
    const code = `${CODE}\n${CODE.replaceAll('stop', 'go')}`;
    const title = `${tag('utest', 'req~stop~1')} ${tag('utest', 'req~go~1')} it stops`;
    const html = page({
      items: [GOAL, REQUIREMENT, second],
      code,
      test: both,
      results: [{ title }],
    });
    assert.match(html, /<td>requirements-based<\/td><td>boundary-values<\/td><td[^>]*>1<\/td>/);
  });

  it('[utest->req~trace.exports~1] totals are ordered by type and technique', () => {
    const results = [{ technique: 'fuzzing' }, { id: 'other', technique: 'analysis' }];
    const html = page({ results });
    const row = (technique: string) =>
      html.indexOf(`<td>requirements-based</td><td>${technique}</td>`);
    assert.ok(0 < row('analysis') && row('analysis') < row('fuzzing'));
  });

  it('[utest->req~trace.exports~1] a place that names a requirement twice refers to it once', () => {
    const twice = CODE.replace(
      `// ${tag('impl', 'req~stop~1')}`,
      `// ${tag('impl', 'req~stop~1')} ${tag('impl', 'req~stop~1')}`,
    );
    const outcome = trace(project({ code: `${twice}\n${CODE.replace('stop(', 'halt(')}` }));
    const { data } = JSON.parse(EXPORTS['implementation.lobster']!(outcome)) as {
      data: { refs: string[] }[];
    };
    assert.ok(data.length >= 2);
    for (const { refs } of data) assert.deepEqual(refs, ['req stop@1']);
  });

  it('[utest->req~trace.rules~1] a tag for what is no identifier covers nothing that there is', () => {
    const code = `${CODE}// ${tag('impl', 'req~never~1')}\n`;
    assert.ok(found(project({ code })).some((text) => text.startsWith('orphaned src/stop.ts:')));
  });

  it('[utest->req~trace.clauses~1] a clause comes before its parts, and numbers are numbers', () => {
    const clauses = ['2.10', '2.7.8', '2.7', '2.7#2', '2.7.8.2#1', '2'];
    assert.deepEqual(clauses.sort(byClause), ['2', '2.7', '2.7#2', '2.7.8', '2.7.8.2#1', '2.10']);
  });
});
