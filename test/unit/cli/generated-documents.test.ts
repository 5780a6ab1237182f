/** Documents that `trace --generate` writes: which there are, and what the timing one says. */
import { strict as assert } from 'node:assert';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { generatedDocuments } from '../../../src/cli/trace/generate.ts';
import { timingDocument } from '../../../src/cli/trace/timing-document.ts';
import { trace } from '../../../src/traceability/trace.ts';
import { project } from '../../support/trace-project.ts';

const ROOT = path.resolve(__dirname, '../../../..');

describe('generated documents', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'generated-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('[utest->req~trace.exports~1] the matrix alone where there are no data, and all of them where there are', () => {
    const outcome = trace(project());
    assert.deepEqual(Object.keys(generatedDocuments(folder, outcome)), ['traceability/matrix.md']);
    assert.deepEqual(Object.keys(generatedDocuments(ROOT, outcome)), [
      'traceability/matrix.md',
      'safety/08-fmea.md',
      'safety/09-dfa.md',
      'safety/10-timing-analysis.md',
    ]);
  });

  it('[utest->req~trace.safety-tables~1] the timing document has a row for each window and flow of the configuration', () => {
    const file = path.join(folder, 'cockpit.json');
    copyFileSync(path.join(ROOT, 'config/cockpit.json'), file);
    const text = timingDocument(file, 'config/cockpit.json');
    assert.match(text, /^`config\/cockpit\.json`, SHA-256 `[0-9a-f]{64}`: major frame /m);
    const source = readFileSync(file, 'utf8');
    for (const [, id] of source.matchAll(/"id": "(\w+)",\s*"(?:partition|kind)"/g)) {
      assert.match(text, new RegExp(`^\\| ${id} \\|`, 'm'));
    }
    assert.match(text, /\| yes \|$/m);
    assert.doesNotMatch(text, /\| no \|$/m);
  });

  it('[utest->req~trace.safety-tables~1] a flow that does not hold is said not to, and a file in error has no rows', () => {
    const file = path.join(folder, 'late.json');
    const source = readFileSync(path.join(ROOT, 'config/cockpit.json'), 'utf8');
    writeFileSync(file, source.replace(/"deadlineUs": \d+/, '"deadlineUs": 1'));
    assert.match(timingDocument(file, 'late'), /\| no \|$/m);
    mkdirSync(path.join(folder, 'x'));
    writeFileSync(file, '{}');
    const empty = timingDocument(file, 'empty');
    assert.match(empty, /major frame none, 0\.0 % in windows/);
    assert.doesNotMatch(empty, /undefined|NaN/);
  });
});
