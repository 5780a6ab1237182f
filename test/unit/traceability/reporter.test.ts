/** What the reporter of the suites records of each test. */
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { repositoryPath } from '../../support/judged.ts';
import { originalLine } from '../../support/source-position.ts';

/** As the compiler would leave it; it has no source map. */
const SUITE = `
const fc = require('fast-check');
const { SeededRandom } = require('SUPPORT/seeded-random.js');
const test = it;
describe('a suite', () => {
  test('one passes', () => {});
  test('one fails', () => { throw new Error('as it should'); });
  test.skip('one is skipped', () => {});
  test('one has the seed of a property', () => fc.assert(fc.property(fc.nat(), () => true), { seed: 42 }));
  test('one has the seed of an async property', () =>
    fc.assert(fc.asyncProperty(fc.nat(), async () => true), { seed: 43 }));
  test('one fails as fast-check has it fail', () =>
    fc.assert(fc.property(fc.nat(), (n) => n < 5), { seed: 44 }));
  test('one has a seed of its own', () => { new SeededRandom(7); new SeededRandom(7); });
});
`;

interface Recorded {
  readonly passed: number;
  readonly failed: number;
  readonly suite: string;
  readonly tests: readonly {
    readonly id: string;
    readonly title: string;
    readonly file: string;
    readonly line: number;
    readonly result: string;
    readonly durationMs: number;
    readonly seeds: readonly number[];
    readonly type: string;
    readonly technique: string;
  }[];
}

describe('reporter', () => {
  let recorded: Recorded;
  let printed: string;
  let folder: string;

  before(() => {
    mkdirSync(repositoryPath('build/test/property'), { recursive: true });
    folder = mkdtempSync(repositoryPath('build/test/property/reporter-'));
    const file = path.join(folder, 'suite.js');
    writeFileSync(file, SUITE.replace('SUPPORT', repositoryPath('build/test/support')));
    const out = path.join(folder, 'recorded.json');
    const { stdout } = spawnSync(
      process.execPath,
      [
        repositoryPath('node_modules/mocha/bin/mocha.js'),
        ...['--no-config', '--no-package', '--reporter'],
        ...[repositoryPath('test/support/counting-reporter.cjs'), file],
      ],
      { cwd: repositoryPath(), encoding: 'utf8', env: { ...process.env, MOCHA_COUNTS: out } },
    );
    printed = stdout;
    recorded = JSON.parse(readFileSync(out, 'utf8')) as Recorded;
  });

  after(() => rmSync(folder, { recursive: true }));

  it('[utest->req~trace.recorded~1] results and counts', () => {
    assert.deepEqual([recorded.suite, recorded.passed, recorded.failed], ['recorded', 4, 2]);
    assert.deepEqual(recorded.tests.map(({ result }) => result).sort(), [
      'failed',
      'failed',
      'passed',
      'passed',
      'passed',
      'passed',
      'skipped',
    ]);
  });

  it('[utest->req~trace.recorded~1] id, title, file, type and technique', () => {
    const { title, id, file, type, technique } = recorded.tests[0]!;
    assert.equal(title, 'one passes');
    assert.match(file, /^test\/property\/reporter-\w+\/suite.ts$/);
    assert.equal(id, `${file}: a suite one passes`);
    assert.deepEqual([type, technique], ['requirements-based', 'fuzz-testing']);
  });

  it('[utest->req~trace.recorded~1] seeds of properties, async ones, and of our own generator', () => {
    const seeds = Object.fromEntries(recorded.tests.map((test) => [test.title, test.seeds]));
    assert.deepEqual(seeds['one passes'], []);
    assert.deepEqual(seeds['one has the seed of a property'], [42]);
    assert.deepEqual(seeds['one has the seed of an async property'], [43]);
    assert.deepEqual(seeds['one fails as fast-check has it fail'], [44]);
    assert.deepEqual(seeds['one has a seed of its own'], [7]);
  });

  it('[utest->req~trace.recorded~1] a property that fails prints its seed and its counterexample', () => {
    assert.match(printed, /Property failed after \d+ tests\s+\{ seed: 44/);
    assert.match(printed, /Counterexample: \[5\]/);
  });

  it('[utest->req~trace.recorded~1] a line is that of the source, by the map of the compiler', () => {
    const built = repositoryPath('build/test/unit/traceability/reporter.test.js');
    const lines = readFileSync(built, 'utf8').split('\n');
    const at = lines.findIndex(
      (line) => line.includes("'[utest-") && line.includes('a line is that of'),
    );
    const source = readFileSync(repositoryPath('test/unit/traceability/reporter.test.ts'), 'utf8');
    const line = originalLine(built, at + 1, lines[at]!.indexOf('it(') + 1);
    assert.match(source.split('\n')[line - 1]!, /a line is that of the source/);
    assert.equal(originalLine('/no/such/file.js', 1, 1), 0);
  });
});
