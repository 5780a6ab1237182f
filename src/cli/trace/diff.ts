/** `trace diff REV1 REV2`: what changed for requirements between two revisions. */
import path from 'node:path';
import { filesAt } from '../../host/git.ts';
import { writeTextFile } from '../../host/files.ts';
import { makeFolder } from '../../host/source-tree.ts';
import { diffTraces } from '../../traceability/diff.ts';
import { diffHtml, diffMarkdown } from '../../traceability/exports/diff-report.ts';
import { isTagged } from '../../traceability/scan-tags.ts';
import { parseArguments, type CommandShape } from '../arguments.ts';
import { TraceExit } from './exit-code.ts';
import { isDocument, readPolicy, type Sources } from './project.ts';

const SHAPE: CommandShape = {
  positionals: ['REV1', 'REV2'],
  options: { out: 'value', json: 'flag', debug: 'flag' },
};

function sourcesAt(root: string, revision: string): Sources {
  const { documents, code, tests } = readPolicy(root);
  return {
    documents: filesAt(root, revision, documents, isDocument),
    code: filesAt(root, revision, code, isTagged),
    tests: filesAt(root, revision, tests, isTagged),
  };
}

/** Lost coverage is a defect. */
export function traceDiff(words: readonly string[], root: string): number {
  const { positionals, options } = parseArguments(words, SHAPE);
  const [before, after] = positionals as [string, string];
  const changes = diffTraces(sourcesAt(root, before), sourcesAt(root, after));
  const title = { before, after };
  if (options['json']) console.log(JSON.stringify({ ...title, changes }, null, 2));
  else console.log(diffMarkdown(title, changes).trimEnd());
  if (typeof options['out'] === 'string') {
    const out = path.resolve(root, options['out']);
    makeFolder(out);
    writeTextFile(path.join(out, 'diff.md'), diffMarkdown(title, changes));
    writeTextFile(path.join(out, 'diff.html'), diffHtml(title, changes));
  }
  const lost = changes.some(({ kind }) => kind === 'coverage-lost');
  return lost ? TraceExit.DEFECTS : TraceExit.OK;
}
