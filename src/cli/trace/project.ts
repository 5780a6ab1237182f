/** Reads a project for the tracer: documents, sources, tests, results, reviews, clauses. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { FileProblem } from '../../host/files.ts';
import { head } from '../../host/git.ts';
import { treeHash } from '../../host/tree-hash.ts';
import { readTree } from '../../host/source-tree.ts';
import type { ClauseMap } from '../../traceability/clauses.ts';
import type { TextFile } from '../../traceability/item.ts';
import { DEFAULT_POLICY, type TracePolicy } from '../../traceability/policy.ts';
import type { Reviews } from '../../traceability/reviews.ts';
import { isTagged } from '../../traceability/scan-tags.ts';
import type { FileCoverage } from '../../traceability/symbol-coverage.ts';
import type { SuiteResults, TestResult } from '../../traceability/test-results.ts';
import type { MutationScore, TraceInput } from '../../traceability/trace-input.ts';

const POLICY = 'traceability/policy.json';
export const REVIEWS = 'safety/reviews.lock.json';
const CLAUSES = ['traceability/virtio-clauses.json', 'traceability/vhost-user-clauses.json'];
const MUTATION = 'traceability/mutation.json';
const RESULTS = 'build/results';
const COVERAGE = 'build/coverage/coverage-final.json';

/** JSON of a file that may be absent. @throws FileProblem when it is no JSON */
export function readJson(root: string, file: string): unknown {
  const full = path.join(root, file);
  if (!existsSync(full)) return undefined;
  try {
    return JSON.parse(readFileSync(full, 'utf8'));
  } catch (error) {
    throw new FileProblem(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export function readPolicy(root: string): TracePolicy {
  const all = readJson(root, POLICY) as { readonly trace?: Partial<TracePolicy> } | undefined;
  return { ...DEFAULT_POLICY, ...all?.trace };
}

export type Sources = Pick<TraceInput, 'documents' | 'code' | 'tests'>;

export function isDocument(file: string): boolean {
  return file.endsWith('.md');
}

/** Files by their folders. @throws FileProblem when a folder is missing */
export function readSources(root: string, policy: TracePolicy): Sources {
  const read = (folders: readonly string[], wanted: (file: string) => boolean): TextFile[] =>
    folders.flatMap((folder) => readTree(root, folder, wanted));
  return {
    documents: read(policy.documents, isDocument),
    code: read(policy.code, isTagged),
    tests: read(policy.tests, isTagged),
  };
}

/** What the suites wrote last, and the hash of what they tested. */
function readResults(root: string): { results: TestResult[]; tested: string } {
  const folder = path.join(root, RESULTS);
  if (!existsSync(folder)) return { results: [], tested: '' };
  const run = readJson(root, `${RESULTS}/run.json`) as { readonly tested: string } | undefined;
  const suites = readdirSync(folder)
    .filter((name) => name.endsWith('.json') && name !== 'run.json')
    .sort()
    .map((name) => readJson(root, `${RESULTS}/${name}`) as SuiteResults);
  const results = suites.flatMap(({ suite, tests }) => tests.map((test) => ({ suite, ...test })));
  return { results, tested: run?.tested ?? '' };
}

function readCoverage(root: string): Map<string, FileCoverage> {
  const all = (readJson(root, COVERAGE) ?? {}) as Record<string, FileCoverage>;
  return new Map(Object.entries(all).map(([file, one]) => [path.relative(root, file), one]));
}

function readClauses(root: string): TraceInput['clauses'] {
  return CLAUSES.filter((file) => existsSync(path.join(root, file))).map((file) => ({
    file,
    text: readFileSync(path.join(root, file), 'utf8'),
    map: readJson(root, file) as ClauseMap,
  }));
}

export function readReviews(root: string): Reviews {
  return (
    ((readJson(root, REVIEWS) as { readonly reviews?: Reviews } | undefined) ?? {}).reviews ?? {}
  );
}

/**
 * @param withResults false for a gate that runs before the tests
 * @throws FileProblem when something cannot be read
 */
export function readProject(
  root: string,
  tool: string,
  linkBase: string,
  withResults = true,
): TraceInput {
  const policy = readPolicy(root);
  const { results, tested } = readResults(root);
  const { commit, dirty, date } = head(root);
  return {
    ...readSources(root, policy),
    origin: { tool, commit, dirty, asOf: date, linkBase },
    results: withResults ? results : undefined,
    resultsStale: withResults && tested !== '' && tested !== treeHash(root),
    coverage: readCoverage(root),
    reviews: readReviews(root),
    clauses: readClauses(root),
    mutation: (readJson(root, MUTATION) as MutationScore | undefined) ?? null,
    policy,
  };
}
