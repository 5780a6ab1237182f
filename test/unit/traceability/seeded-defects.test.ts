/** Qualification of the tracer: potential errors of a project, seeded one by one, each named at its place. */
import { strict as assert } from 'node:assert';
import { trace } from '../../../src/traceability/trace.ts';
import type { TraceInput } from '../../../src/traceability/trace-input.ts';
import {
  CODE,
  found,
  GOAL,
  project,
  REQUIREMENT,
  result,
  tag,
  TEST,
  type Parts,
} from '../../support/trace-project.ts';

const ITEMS = 'safety/items.md';
/** Lines of the two items in the small project. */
const GOAL_AT = `${ITEMS}:2:2`;
const REQUIREMENT_AT = `${ITEMS}:17:2`;

/** The stamps are those of the sound project. */
function broken(parts: Parts, change: Partial<TraceInput> = {}): string[] {
  const { reviews } = project();
  return found({ ...project(parts), reviews, ...change });
}

interface Seeded {
  readonly defect: string;
  readonly seed: () => string[];
  readonly finds: readonly string[];
}

const withTag = (id: string) => CODE.replace('req~stop~1', id);

const LINKS: readonly Seeded[] = [
  {
    defect: 'the only test is deleted',
    seed: () => broken({ test: '/** Nothing. */\n', results: [] }, { results: [result()] }),
    finds: [`partial ${REQUIREMENT_AT}`, 'suspect test/stop.test.ts:1:1'],
  },
  {
    defect: 'the code is no longer tagged',
    seed: () => broken({ code: CODE.replace(/\/\/ .*\n/, '') }),
    finds: [
      `partial ${REQUIREMENT_AT}`,
      `suspect-code ${REQUIREMENT_AT}`,
      'unspecified src/stop.ts:1:1',
    ],
  },
  {
    defect: 'a tag names a requirement that does not exist',
    seed: () => found(project({ code: `${CODE}// ${tag('impl', 'req~go~1')}\nconst go = 1;\n` })),
    finds: ['orphaned src/stop.ts:8:11'],
  },
  {
    defect: 'a requirement is renamed',
    seed: () => found(project({ items: [GOAL, { ...REQUIREMENT, id: 'req~halt~1' }] })),
    finds: [
      `uncovered ${REQUIREMENT_AT}`,
      'orphaned src/stop.ts:3:11',
      'orphaned test/stop.test.ts:2:13',
    ],
  },
  {
    defect: 'the revision of a requirement is raised',
    seed: () => found(project({ items: [GOAL, { ...REQUIREMENT, id: 'req~stop~2' }] })),
    finds: [
      `outdated ${REQUIREMENT_AT}`,
      `outdated ${REQUIREMENT_AT}`,
      `uncovered ${REQUIREMENT_AT}`,
      'outdated src/stop.ts:3:11',
      'outdated test/stop.test.ts:2:13',
    ],
  },
  {
    defect: 'a tag is ahead of the requirement',
    seed: () => found(project({ code: withTag('req~stop~2') })),
    finds: [`partial ${REQUIREMENT_AT}`, `predated ${REQUIREMENT_AT}`, 'predated src/stop.ts:3:11'],
  },
  {
    defect: 'a requirement covers a goal that does not exist',
    seed: () => found(project({ items: [GOAL, { ...REQUIREMENT, covers: ['goal~sound~1'] }] })),
    finds: [`uncovered ${GOAL_AT}`, `orphaned ${ITEMS}:29:4`],
  },
  {
    defect: 'a goal is covered by nothing',
    seed: () => found(project({ items: [GOAL, { ...REQUIREMENT, covers: [] }] })),
    finds: [`uncovered ${GOAL_AT}`],
  },
  {
    defect: 'code covers what only requirements may cover',
    seed: () =>
      found(project({ code: `${CODE}// ${tag('impl', 'goal~safe~1')}\nconst go = 1;\n` })),
    finds: [`unwanted ${GOAL_AT}`, 'unwanted src/stop.ts:8:11'],
  },
  {
    defect: 'a requirement exists twice',
    seed: () => found(project({ items: [GOAL, REQUIREMENT, REQUIREMENT] })),
    finds: [
      ...['duplicate', 'uncovered'].map((state) => `${state} ${REQUIREMENT_AT}`),
      ...['duplicate', 'uncovered'].map((state) => `${state} ${ITEMS}:36:2`),
      ...['ambiguous src/stop.ts:3:11', 'ambiguous test/stop.test.ts:2:13'],
    ],
  },
  {
    defect: 'two items cover each other',
    seed: () =>
      found(
        project({
          items: [
            { ...GOAL, covers: ['req~stop~1'] },
            { ...REQUIREMENT, needs: 'impl, utest, goal' },
          ],
        }),
      ),
    finds: [`cycle ${GOAL_AT}`, `cycle ${ITEMS}:21:2`],
  },
];

const RULES: readonly Seeded[] = [
  {
    defect: 'a sentence says shall twice',
    seed: () =>
      found(project({ items: [GOAL, { ...REQUIREMENT, text: 'It shall stop and shall wait.' }] })),
    finds: [`wording ${REQUIREMENT_AT}`],
  },
  {
    defect: 'a title says shall, a weak word and an open point',
    seed: () =>
      found(
        project({
          items: [GOAL, { ...REQUIREMENT, title: 'It shall', text: 'It shall just be TBD.' }],
        }),
      ),
    finds: Array(3).fill(`wording ${REQUIREMENT_AT}`),
  },
  {
    defect: 'an item has no level, or a level below its parent',
    seed: () =>
      found(
        project({
          items: [
            GOAL,
            { ...REQUIREMENT, tags: 'fast' },
            { ...REQUIREMENT, id: 'req~go~1', tags: 'QM' },
          ],
          code: `${CODE}// ${tag('impl', 'req~go~1')}\nconst go = 1;\n`,
          test: `${TEST}it('${tag('utest', 'req~go~1')} it goes', () => {});\n`,
          results: [{}, { title: `${tag('utest', 'req~go~1')} it goes`, line: 5 }],
        }),
      ),
    finds: [`wording ${REQUIREMENT_AT}`, `asil-inconsistent ${ITEMS}:48:4`],
  },
  {
    defect: 'nothing says how an item is verified',
    seed: () =>
      found(
        project({
          items: [
            { ...GOAL, needs: '' },
            { ...REQUIREMENT, covers: [] },
          ],
        }),
      ),
    finds: [`wording ${GOAL_AT}`],
  },
  {
    defect: 'a draft is in what is released',
    seed: () => broken({ items: [GOAL, { ...REQUIREMENT, status: 'draft' }] }),
    finds: [`draft-in-release ${REQUIREMENT_AT}`],
  },
];

const TESTS: readonly Seeded[] = [
  {
    defect: 'a test fails',
    seed: () => found(project({ results: [{ result: 'failed' }] })),
    finds: [`test-not-run ${REQUIREMENT_AT}`, 'test-failed test/stop.test.ts:2:5'],
  },
  {
    defect: 'a test fails in one suite and passes in another',
    seed: () => found(project({ results: [{}, { suite: 'packed', result: 'failed' }] })),
    finds: [`test-not-run ${REQUIREMENT_AT}`, 'test-failed test/stop.test.ts:2:5'],
  },
  {
    defect: 'a test has no result',
    seed: () => found(project({ results: [{ title: 'another', line: 9 }] })),
    finds: [`test-not-run ${REQUIREMENT_AT}`, 'test-not-run test/stop.test.ts:2:5'],
  },
  {
    defect: 'a test was skipped',
    seed: () => found(project({ results: [{ result: 'skipped' }] })),
    finds: [`test-not-run ${REQUIREMENT_AT}`, 'test-skipped test/stop.test.ts:2:5'],
  },
  {
    defect: 'a test was left out because a program is missing',
    seed: () => found(project({ results: [{ title: `x ${'(not run: '}qemu)`, line: 9 }] })),
    finds: [`test-not-run ${REQUIREMENT_AT}`, 'test-absent test/stop.test.ts:2:5'],
  },
  {
    defect: 'nothing was run at all',
    seed: () => found(project({ results: [] })),
    finds: ['test-not-run build/results:1:1'],
  },
  {
    defect: 'the results are of other sources',
    seed: () => found({ ...project(), resultsStale: true }),
    finds: ['results-stale build/results:1:1'],
  },
];

const REVIEWS: readonly Seeded[] = [
  {
    defect: 'the text changes and the revision does not',
    seed: () => broken({ items: [GOAL, { ...REQUIREMENT, text: 'It shall stop soon.' }] }),
    finds: [`suspect ${REQUIREMENT_AT}`],
  },
  {
    defect: 'a reviewed line of code changes',
    seed: () => broken({ code: CODE.replace('if (on)', 'if (!on)') }),
    finds: ['suspect-code src/stop.ts:5:1'],
  },
  {
    defect: 'a line is added to reviewed code',
    seed: () => broken({ code: CODE.replace('return 1;', 'stop(on);\n  return 1;') }),
    finds: ['suspect-code src/stop.ts:6:1'],
  },
  {
    defect: 'a second place is tagged after the review',
    seed: () => broken({ code: `${CODE}\n// ${tag('impl', 'req~stop~1')}\nconst go = 1;\n` }),
    finds: ['suspect-code src/stop.ts:9:4'],
  },
  {
    defect: 'one of two tests is deleted after the review',
    seed: () => {
      const two = `${TEST}it('${tag('utest', 'req~stop~1')} it stops again', () => {});\n`;
      const { reviews } = project({ test: two });
      return found({ ...project(), reviews });
    },
    finds: ['suspect test/stop.test.ts:1:1'],
  },
  {
    defect: 'nobody has reviewed an item',
    seed: () => found({ ...project(), reviews: {} }),
    finds: [`unreviewed ${GOAL_AT}`, `unreviewed ${REQUIREMENT_AT}`],
  },
];

function assertFinds({ seed, finds }: Seeded): void {
  assert.deepEqual([...seed()].sort(), [...finds].sort());
}

describe('seeded defects', () => {
  it('[utest->req~trace.link~1] the project is sound before anything is seeded', () => {
    assert.deepEqual(found(project()), []);
    assert.equal(trace(project()).counts.defects, 0);
  });

  for (const seeded of LINKS) {
    it(`[utest->req~trace.link~1] seeded: ${seeded.defect}`, () => assertFinds(seeded));
  }

  for (const seeded of RULES) {
    it(`[utest->req~trace.rules~1] seeded: ${seeded.defect}`, () => assertFinds(seeded));
  }

  for (const seeded of TESTS) {
    it(`[utest->req~trace.results~1] seeded: ${seeded.defect}`, () => assertFinds(seeded));
  }

  for (const seeded of REVIEWS) {
    it(`[utest->req~trace.reviews~1] seeded: ${seeded.defect}`, () => assertFinds(seeded));
  }

  it('[utest->req~trace.results~1] the title of a helper has its results in the suites that use it', () => {
    const input = project();
    const helper = { file: 'test/support/helper.ts', text: TEST };
    assert.deepEqual(
      found({ ...input, tests: [...input.tests, helper], reviews: input.reviews }),
      [],
    );
    const unused = { ...helper, text: TEST.replace('it stops', 'it halts') };
    assert.deepEqual(found({ ...input, tests: [...input.tests, unused] }), []);
  });

  it('[utest->req~trace.reviews~1] comments, indentation and new tests do not make an item suspect', () => {
    const code = CODE.replace('  if (on)', '  // Why.\n\n    if (on)');
    const test = `${TEST}it('${tag('utest', 'req~stop~1')} it stops again', () => {});\n`;
    const again = { title: `${tag('utest', 'req~stop~1')} it stops again`, line: 5 };
    assert.deepEqual(broken({ code, test, results: [{}, again] }), []);
  });

  it('[utest->req~trace.link~1] what is above a cause is a consequence, with the way down to the cause', () => {
    const { requirements } = trace(project({ results: [{ result: 'failed' }] }));
    const [goal, requirement] = requirements;
    assert.deepEqual(goal!.states, ['tainted']);
    assert.deepEqual(goal!.taintedBy, ['goal~safe~1', 'req~stop~1']);
    assert.deepEqual(requirement!.states, ['test-failed', 'test-not-run']);
    assert.deepEqual(requirement!.taintedBy, []);
  });
});
