/** What is wrong with the tests of a requirement: failed, not run, skipped, left out. */
import { asilOf } from './asil.ts';
import type { Finding, State } from './finding.ts';
import type { LinkedItem } from './link.ts';
import { tagsOf } from './requirement-view.ts';
import type { TagItem } from './scan-tags.ts';
import { leftOut, outcomeOf, plainTitle, type ResultIndex } from './test-results.ts';
import { methodOf } from './wording.ts';

const IS_SUITE = /\.test\.\w+$/;

function stateOf(tag: TagItem, index: ResultIndex): State | undefined {
  const results = index.of(tag);
  const absent = leftOut(results) || (results.length === 0 && leftOut(index.inFile(tag.file)));
  switch (outcomeOf(results)) {
    case 'failed':
      return 'test-failed';
    case 'passed':
      return undefined;
    case 'skipped':
      return absent ? 'test-absent' : 'test-skipped';
    case 'not run':
      // A helper of the tests may have a title for those who need it.
      if (!IS_SUITE.test(tag.file)) return undefined;
      return absent ? 'test-absent' : 'test-not-run';
  }
}

const TEXT: Readonly<Partial<Record<State, string>>> = {
  'test-failed': 'failed',
  'test-skipped': 'was skipped',
  'test-not-run': 'has no result',
  'test-absent': 'needs a program that this machine does not have',
};

// [impl->req~trace.results~1]
export function testFindings(linked: LinkedItem, index: ResultIndex): Finding[] {
  const { item } = linked;
  if (methodOf(item) !== 'test' || item.status === 'rejected') return [];
  const about = { item: item.id, asil: asilOf(item.tags) };
  const tags = tagsOf(linked, true);
  const states = tags.map((tag) => stateOf(tag, index));
  const findings = tags.flatMap((tag, n): Finding[] => {
    const state = states[n];
    if (!state) return [];
    const { file, line, column } = tag;
    const message = `the test "${plainTitle(tag.literal)}" of ${item.id} ${TEXT[state]!}`;
    return [{ ...about, state, file, line, column, message }];
  });
  if (tags.length > 0 && !tags.some((tag) => outcomeOf(index.of(tag)) === 'passed')) {
    const { file, line, column } = item;
    const message = `${item.id} has no passed test`;
    findings.push({ ...about, state: 'test-not-run', file, line, column, message });
  }
  return findings;
}
