/** Requirements, code, tests, standards and generated documents agree with each other, whatever was run. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { generatedDocuments } from '../../src/cli/trace/generate.ts';
import { readProject } from '../../src/cli/trace/project.ts';
import { findingText, weightOf } from '../../src/traceability/finding.ts';
import { unknownMeasures } from '../../src/traceability/safety-tables.ts';
import { trace } from '../../src/traceability/trace.ts';
import { ROOT, TESTS } from './sources.ts';

/** A changed item is for its reviewer; nothing is said about it here, but `trace` does. */
const FOR_REVIEWERS = ['suspect', 'suspect-code', 'threshold'];

const TRACE = trace(readProject(ROOT, 'tidy', '../', false));

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

describe('trace', () => {
  it('[utest->req~dev.traced~1] no link is broken, no requirement uncovered, no statement of a standard unmapped', () => {
    const broken = TRACE.findings.filter(
      (finding) => weightOf(finding) === 'defect' && !FOR_REVIEWERS.includes(finding.state),
    );
    assert.deepEqual(broken.map(findingText), []);
    assert.ok(TRACE.counts.items > 100 && TRACE.counts.tags > 1000, 'something was scanned');
    assert.ok(TRACE.counts.clauses > 300, 'the standards are there');
  });

  it('[utest->req~dev.traced~1] generated documents are fresh: else run virtio-gateway trace --generate', () => {
    const documents = Object.entries(generatedDocuments(ROOT, TRACE));
    assert.ok(documents.length >= 3);
    const stale = documents.filter(([file, text]) => read(file) !== text).map(([file]) => file);
    assert.deepEqual(stale, []);
  });

  it('[utest->req~trace.safety-tables~1] each measure of the safety analyses is a requirement', () => {
    const known = new Set(TRACE.requirements.map(({ id }) => id));
    const rows = ['safety/08-fmea.json', 'safety/09-dfa.json'].flatMap(
      (file) => (JSON.parse(read(file)) as { rows: { id: string; measures: string[] }[] }).rows,
    );
    assert.deepEqual(unknownMeasures(rows, known), []);
    assert.deepEqual(unknownMeasures([{ id: 'x', measures: ['req~none~1'] }], known), [
      'x: req~none~1',
    ]);
  });

  it('[utest->req~dev.traced~1] every test title starts with its tag', () => {
    const bare = TESTS.flatMap(({ file, lines }) =>
      lines.flatMap((line, n) =>
        /^\s*it\((?!['"`]\[utest->req~)(?!installed \? title)/.test(line) && !/^\s*it\($/.test(line)
          ? [`${file}:${n + 1}`]
          : [],
      ),
    );
    assert.deepEqual(bare, []);
  });
});
