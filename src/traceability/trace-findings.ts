/** All findings about a project: links, wording, tests, reviews, clauses, untagged sources. */
import { asilOf } from './asil.ts';
import { clauseFindings } from './clauses.ts';
import type { Finding } from './finding.ts';
import type { TextFile } from './item.ts';
import { linkFindings } from './link-findings.ts';
import type { LinkedItem } from './link.ts';
import type { TracePolicy } from './policy.ts';
import { tagsOf } from './requirement-view.ts';
import { reviewFindings, type Reviewed } from './reviews.ts';
import type { TagItem } from './scan-tags.ts';
import { testFindings } from './test-findings.ts';
import type { ResultIndex } from './test-results.ts';
import type { TraceInput } from './trace-input.ts';
import { asilFindings, wordingFindings } from './wording.ts';

/** What review stamps are about: an item, its tagged code, its tests. */
export function reviewedItems(specified: readonly LinkedItem[]): Reviewed[] {
  return specified.map((linked) => ({
    item: linked.item,
    asil: asilOf(linked.item.tags),
    implementations: tagsOf(linked, false),
    tests: tagsOf(linked, true),
  }));
}

/** Sources without a tag, which the policy does not excuse either. */
function unspecified(
  code: readonly TextFile[],
  tags: readonly TagItem[],
  { unspecified: excused }: TracePolicy,
): Finding[] {
  const tagged = new Set(tags.map(({ file }) => file));
  return code
    .filter(({ file }) => file.endsWith('.ts') && !tagged.has(file))
    .filter(({ file }) => !Object.keys(excused).some((path) => file.startsWith(path)))
    .map(({ file }) => ({
      ...{ state: 'unspecified', item: '', asil: null, file, line: 1, column: 1 },
      message: `no requirement is named in ${file}`,
    }));
}

function resultFindings(
  { results, resultsStale }: TraceInput,
  specified: readonly LinkedItem[],
  index: ResultIndex,
): Finding[] {
  if (results === undefined) return [];
  const at = { item: '', asil: null, file: 'build/results', line: 1, column: 1 };
  if (results.length === 0) {
    return [{ ...at, state: 'test-not-run', message: 'there are no results: run npm test' }];
  }
  const message = 'the results are of other sources: run npm test';
  const stale: Finding[] = resultsStale ? [{ ...at, state: 'results-stale', message }] : [];
  return [...stale, ...specified.flatMap((linked) => testFindings(linked, index))];
}

function clauseProblems(
  { clauses }: TraceInput,
  specified: readonly LinkedItem[],
  tags: readonly TagItem[],
): Finding[] {
  if (clauses.length === 0) return [];
  const testFiles = new Map<string, Set<string>>();
  for (const { file, covers } of tags) {
    const ids = testFiles.get(file) ?? new Set();
    for (const { id } of covers) ids.add(id);
    testFiles.set(file, ids);
  }
  const requirements = new Set(specified.map(({ item }) => item.id));
  return clauses.flatMap((one) => clauseFindings({ ...one, requirements, testFiles }));
}

export function findingsOf(
  input: TraceInput,
  linked: readonly LinkedItem[],
  specified: readonly LinkedItem[],
  tags: readonly TagItem[],
  index: ResultIndex,
): Finding[] {
  const { reviews } = input;
  return [
    ...linked.flatMap(linkFindings),
    ...specified.flatMap((one) => [...wordingFindings(one), ...asilFindings(one)]),
    ...resultFindings(input, specified, index),
    ...(reviews === undefined
      ? []
      : reviewedItems(specified).flatMap((one) => reviewFindings(one, reviews[one.item.id]))),
    ...clauseProblems(input, specified, tags),
    ...unspecified(input.code, tags, input.policy),
  ];
}
