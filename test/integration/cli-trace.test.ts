/** The command `trace` as a user starts it, in a small repository. */
import { strict as assert } from 'node:assert';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { EXPORTS } from '../../src/traceability/exports/export.ts';
import { GOAL, itemText, REQUIREMENT, TEST } from '../support/trace-project.ts';
import { TracedRepository } from '../support/traced-repository.ts';

describe('trace', () => {
  let repository: TracedRepository;

  beforeEach(() => {
    repository = new TracedRepository();
  });

  afterEach(() => repository.remove());

  function reviewed(): void {
    assert.equal(repository.trace('review', 'all', '--by', 'A Reviewer').code, 0);
  }

  it('[utest->req~trace.exit-codes~1] a sound project: 0, figures, and all reports', () => {
    reviewed();
    repository.writeResults();
    const { code, stdout, stderr } = repository.trace();
    assert.equal(stderr, '');
    assert.match(stdout, /^2 items, 2 tags in 1 sources and 1 test files, 3 links, 1 test results/);
    assert.match(stdout, /^ASIL B +2 +2 +3\/3 \(100.0 %\) +1\/1 \(100.0 %\)/m);
    assert.match(stdout, /0 defects, 0 warnings\nreport: build\/trace\/traceability.html\n$/);
    assert.equal(code, 0);
    const written = readdirSync(path.join(repository.path, 'build/trace')).sort();
    assert.deepEqual(written, Object.keys(EXPORTS).sort());
  });

  it('[utest->req~trace.report~1] the same project gives the same bytes in every file', () => {
    reviewed();
    repository.writeResults();
    repository.trace('--out', 'build/a');
    repository.trace('--out', 'build/b');
    for (const name of Object.keys(EXPORTS)) {
      const read = (folder: string) =>
        readFileSync(path.join(repository.path, 'build', folder, name), 'utf8');
      assert.equal(read('a'), read('b'), name);
    }
  });

  it('[utest->req~trace.exit-codes~1] a defect: 1, and file:line:col on stderr', () => {
    repository.write('safety/items.md', itemText(GOAL));
    const { code, stderr } = repository.trace();
    assert.equal(code, 1);
    assert.ok(
      stderr.includes(
        'src/stop.ts:3:11: error: orphaned: the impl tag covers req~stop~1, which does not exist\n',
      ),
      stderr,
    );
  });

  it('[utest->req~trace.exit-codes~1] a defect below the level asked for: 0', () => {
    const qm = [GOAL, REQUIREMENT].map((item) => itemText({ ...item, tags: 'QM' })).join('\n');
    repository.write('safety/items.md', qm);
    repository.write('test/stop.test.ts', '/** None. */\n');
    repository.writeResults();
    assert.equal(repository.trace().code, 1);
    assert.equal(repository.trace('--fail-on', 'QM').code, 1);
    assert.equal(repository.trace('--fail-on', 'B').code, 0);
  });

  it('[utest->req~trace.exit-codes~1] tests that failed, were not run, or ran for other sources: 4', () => {
    reviewed();
    assert.equal(repository.trace().code, 4);
    repository.writeResults('failed');
    assert.equal(repository.trace().code, 4);
    repository.writeResults();
    repository.write('test/other.test.ts', '/** New. */\n');
    const { code, stderr } = repository.trace();
    assert.deepEqual([code, /results-stale/.test(stderr)], [4, true]);
  });

  it('[utest->req~trace.exit-codes~1] a threshold that is missed: 5', () => {
    reviewed();
    repository.writeResults();
    const trace = { thresholds: { B: { links: 101 } } };
    repository.write('traceability/policy.json', JSON.stringify({ trace }));
    assert.equal(repository.trace().code, 5);
  });

  it('[utest->req~trace.exit-codes~1] wrong use: 2; input that cannot be read: 3; no stack trace', () => {
    const wrong = [
      ['--fail-on', 'E'],
      ['--nonsense'],
      ['review', 'req~none~1', '--by', 'x'],
      ['diff'],
    ];
    for (const words of wrong) assert.equal(repository.trace(...words).code, 2, words.join(' '));
    repository.write('traceability/policy.json', '{');
    const unreadable = repository.trace();
    assert.equal(unreadable.code, 3);
    assert.match(unreadable.stderr, /^virtio-gateway: error: traceability\/policy.json: /);
    repository.write('traceability/policy.json', '{ "trace": { "code": ["none"] } }');
    const missing = repository.trace();
    assert.equal(missing.code, 3);
    assert.match(missing.stderr, /none: no such file/);
    assert.doesNotMatch(missing.stderr, /^\s+at /m);
  });

  it('[utest->req~trace.reviews~1] a review stamps items, keeps other stamps, and ages', () => {
    const lock = () =>
      JSON.parse(readFileSync(path.join(repository.path, 'safety/reviews.lock.json'), 'utf8')) as {
        reviews: Record<string, { by: string }>;
      };
    repository.trace('review', 'req~stop~1', '--by', 'First');
    assert.deepEqual(Object.keys(lock().reviews), ['req~stop~1']);
    repository.trace('review', 'goal~safe~1', '--by', 'Second');
    const { reviews } = lock();
    assert.deepEqual([reviews['req~stop~1']!.by, reviews['goal~safe~1']!.by], ['First', 'Second']);
    repository.write(
      'safety/items.md',
      [GOAL, { ...REQUIREMENT, text: 'It shall.' }].map(itemText).join('\n'),
    );
    assert.match(
      repository.trace().stderr,
      /safety\/items.md:17:2: error: suspect: the text of req~stop~1/,
    );
  });

  it('[utest->req~trace.exports~1] --generate writes the matrix, --json the trace alone on stdout', () => {
    repository.write('traceability/policy.json', '{}');
    const { stdout } = repository.trace('--generate', '--json', '--link-base', 'https://x/{file}');
    const document = JSON.parse(stdout) as {
      counts: { items: number };
      origin: { linkBase: string };
    };
    assert.equal(document.counts.items, 2);
    assert.equal(document.origin.linkBase, 'https://x/{file}');
    assert.ok(existsSync(path.join(repository.path, 'traceability/matrix.md')));
  });

  it('[utest->req~trace.diff~1] diff compares two revisions of the repository, whatever is checked out', () => {
    repository.git('init', '-q');
    repository.commit('first');
    repository.write('test/stop.test.ts', TEST.replace(/^it.*$/m, "it('untagged', () => {"));
    repository.commit('second');
    const { code, stdout } = repository.trace('diff', 'HEAD~1', 'HEAD', '--out', 'build/diff');
    assert.equal(code, 1);
    assert.match(stdout, /^# Requirements from HEAD~1 to HEAD/);
    assert.match(stdout, /## Coverage lost \(1\)[^]*`req~stop` \| B \| covered \| lacks utest/);
    assert.deepEqual(readdirSync(path.join(repository.path, 'build/diff')).sort(), [
      'diff.html',
      'diff.md',
    ]);
    const back = repository.trace('diff', 'HEAD', 'HEAD~1', '--json');
    assert.equal(back.code, 0);
    const { changes } = JSON.parse(back.stdout) as { changes: { kind: string }[] };
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ['tests-changed', 'coverage-gained'],
    );
    const unknown = repository.trace('diff', 'none', 'HEAD');
    assert.equal(unknown.code, 3);
    assert.match(unknown.stderr, /none: no such revision/);
  });

  it('[utest->req~trace.report~1] the report names commit and changes', () => {
    repository.git('init', '-q');
    repository.commit('first');
    const origin = () =>
      (
        JSON.parse(repository.trace('--json').stdout) as {
          origin: { commit: string; dirty: boolean };
        }
      ).origin;
    assert.match(origin().commit, /^[0-9a-f]{40}$/);
    assert.equal(origin().dirty, false);
    repository.write('src/stop.ts', '/** Nothing. */\n');
    assert.equal(origin().dirty, true);
  });
});
