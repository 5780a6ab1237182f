/** `trace`: goals, requirements, code, tests and results, and whether their chain holds. */
import path from 'node:path';
import { authorName } from '../host/git.ts';
import { FileProblem, writeTextFile } from '../host/files.ts';
import { makeFolder } from '../host/source-tree.ts';
import { ASILS } from '../traceability/asil.ts';
import { EXPORTS } from '../traceability/exports/export.ts';
import { findingText, weightOf } from '../traceability/finding.ts';
import { stampOf } from '../traceability/reviews.ts';
import { percent } from '../traceability/totals.ts';
import { reviewable, trace as traceProject, type Trace } from '../traceability/trace.ts';
import { parseArguments, UsageError, type CommandShape } from './arguments.ts';
import { ExitCode } from './exit-code.ts';
import { packageVersion } from './package-version.ts';
import { textTable } from './text-table.ts';
import { traceDiff } from './trace/diff.ts';
import { generatedDocuments } from './trace/generate.ts';
import { traceExit, TraceExit, type FailOn } from './trace/exit-code.ts';
import { readPolicy, readProject, readReviews, readSources, REVIEWS } from './trace/project.ts';

const DEFAULT_OUT = 'build/trace';

const REPORT_SHAPE: CommandShape = {
  positionals: [],
  options: {
    ...{ out: 'value', 'fail-on': 'value', 'link-base': 'value' },
    ...{ json: 'flag', generate: 'flag', debug: 'flag' },
  },
};

const REVIEW_SHAPE: CommandShape = {
  positionals: ['ID'],
  options: { by: 'value', debug: 'flag' },
};

/** @throws UsageError */
function failOn(value: string | true | undefined): FailOn {
  if (value === undefined) return 'any';
  const known = ['any', ...ASILS] as const;
  const found = known.find((level) => level === value);
  if (!found) throw new UsageError(`--fail-on is "${value}"; allowed are ${known.join(', ')}`);
  return found;
}

function summary({ counts, totals, clauses, mutation }: Trace): string {
  const share = (part: { covered: number; total: number }) =>
    `${part.covered}/${part.total} (${percent(part).toFixed(1)} %)`;
  const rows = totals.map((one) => [
    one.asil === 'QM' ? 'QM' : `ASIL ${one.asil}`,
    String(one.requirements),
    String(one.ok),
    ...[one.links, one.tested, one.statements, one.branches].map(share),
  ]);
  const by = (status: string) => clauses.filter((clause) => clause.status === status).length;
  return [
    `${counts.items} items, ${counts.tags} tags in ${counts.code} sources and ${counts.tests} test ` +
      `files, ${counts.links} links, ${counts.results} test results`,
    `${counts.clauses} statements of standards: ${by('implemented')} implemented, ` +
      `${by('front-end')} front-end, ${by('not-offered')} not offered, ${by('exception')} exceptions`,
    '',
    textTable([['level', 'items', 'ok', 'links', 'tested', 'statements', 'branches'], ...rows]),
    '',
    ...(mutation ? [`mutants killed: ${mutation.killed} of ${mutation.total}`] : []),
    `${counts.defects} defects, ${counts.warnings} warnings`,
  ].join('\n');
}

function printFindings({ findings }: Trace): void {
  for (const finding of findings) {
    if (weightOf(finding) !== 'consequence') process.stderr.write(`${findingText(finding)}\n`);
  }
}

function writeExports(result: Trace, out: string): void {
  makeFolder(out);
  for (const [name, write] of Object.entries(EXPORTS)) {
    writeTextFile(path.join(out, name), write(result));
  }
}

// [impl->req~trace.exit-codes~1]
function report(words: readonly string[], root: string): number {
  const { options } = parseArguments(words, REPORT_SHAPE);
  const limit = failOn(options['fail-on']);
  const out = path.resolve(root, String(options['out'] ?? DEFAULT_OUT));
  const relative = `${path.relative(out, root).split(path.sep).join('/') || '.'}/`;
  const linkBase = String(options['link-base'] ?? relative);
  const result = traceProject(readProject(root, packageVersion(), linkBase));
  printFindings(result);
  if (options['generate']) {
    for (const [file, text] of Object.entries(generatedDocuments(root, result))) {
      writeTextFile(path.join(root, file), text);
    }
  }
  writeExports(result, out);
  if (options['json']) console.log(EXPORTS['traceability.json']!(result).trimEnd());
  else console.log(`${summary(result)}\nreport: ${path.relative(root, out)}/traceability.html`);
  return traceExit(result.findings, limit);
}

/** Stamps items as reviewed in the text and code that they have now. */
function review(words: readonly string[], root: string): number {
  const { positionals, options } = parseArguments(words, REVIEW_SHAPE);
  const by = typeof options['by'] === 'string' ? options['by'] : authorName(root);
  if (by === '') throw new UsageError('who reviewed? --by NAME, or user.name of git');
  const all = reviewable(readSources(root, readPolicy(root)));
  const wanted = positionals[0]!;
  const chosen = all.filter(({ item }) => wanted === 'all' || item.id === wanted);
  if (chosen.length === 0) throw new UsageError(`there is no item "${wanted}"`);
  const before = readReviews(root);
  const ids = new Set(chosen.map(({ item }) => item.id));
  const kept = all.filter(({ item }) => before[item.id] && !ids.has(item.id));
  const stamps = [
    ...kept.map(({ item }) => [item.id, before[item.id]!] as const),
    ...chosen.map((one) => [one.item.id, stampOf(one, by)] as const),
  ].sort(([a], [b]) => (a < b ? -1 : 1));
  const document = { formatVersion: 1, reviews: Object.fromEntries(stamps) };
  writeTextFile(path.join(root, REVIEWS), `${JSON.stringify(document, null, 1)}\n`);
  console.log(`${chosen.length} items stamped as reviewed by ${by}`);
  return ExitCode.OK;
}

const FORMS: Readonly<Record<string, (words: readonly string[], root: string) => number>> = {
  diff: traceDiff,
  review,
};

/** Unreadable input has a code of its own here. */
export function trace(words: readonly string[]): number {
  const [form = '', ...rest] = words;
  const root = process.cwd();
  try {
    const chosen = Object.hasOwn(FORMS, form) ? FORMS[form] : undefined;
    return chosen ? chosen(rest, root) : report(words, root);
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    process.stderr.write(`virtio-gateway: error: ${error.message}\n`);
    return TraceExit.UNREADABLE;
  }
}
