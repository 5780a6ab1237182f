/** A small project for the tracer, sound until a test breaks it. */
import type { Finding } from '../../src/traceability/finding.ts';
import { DEFAULT_POLICY } from '../../src/traceability/policy.ts';
import type { TestResult } from '../../src/traceability/test-results.ts';
import type { TraceInput } from '../../src/traceability/trace-input.ts';
import { reviewable, trace } from '../../src/traceability/trace.ts';
import { stampOf } from '../../src/traceability/reviews.ts';

/** A tag; written apart, so that no scanner takes the sources of the tests for tagged. */
export function tag(type: string, id: string): string {
  return `[${type}-` + `>${id}]`;
}

export interface ItemText {
  readonly id: string;
  readonly title?: string;
  readonly text?: string;
  readonly covers?: readonly string[];
  readonly needs?: string;
  readonly tags?: string;
  readonly status?: string;
}

export function itemText(item: ItemText): string {
  const { id, title = 'A door', text = 'The door shall close.', covers = [], needs } = item;
  return [
    ...[`### ${title}`, `\`${id}\``, '', `Status: ${item.status ?? 'approved'}`, '', text, ''],
    ...['Rationale:', '', 'Because.', ''],
    ...(covers.length > 0 ? ['Covers:', '', ...covers.map((one) => `* \`${one}\``), ''] : []),
    ...[`Tags: ${item.tags ?? 'ASIL_B'}`, ''],
    ...(needs ? [`Needs: ${needs}`, ''] : []),
  ].join('\n');
}

export const GOAL: ItemText = { id: 'goal~safe~1', title: 'Safe', needs: 'req' };
export const REQUIREMENT: ItemText = {
  id: 'req~stop~1',
  title: 'Stops',
  covers: ['goal~safe~1'],
  needs: 'impl, utest',
};

export interface Parts {
  readonly items?: readonly ItemText[];
  readonly code?: string;
  readonly test?: string;
  readonly results?: readonly Partial<TestResult>[] | undefined;
}

export const CODE = `/** Stops. */

// ${tag('impl', 'req~stop~1')}
export function stop(on: boolean): number {
  if (on) return 0;
  return 1;
}
`;

export const TEST = [
  '/** Tests of it. */',
  `it('${tag('utest', 'req~stop~1')} it stops', () => {`,
  '  stop(true);',
  '});',
  '',
].join('\n');

export function result(change: Partial<TestResult> = {}): TestResult {
  return {
    ...{ suite: 'covered', id: 'test/stop.test.ts: it stops', file: 'test/stop.test.ts', line: 2 },
    title: `${tag('utest', 'req~stop~1')} it stops`,
    ...{ result: 'passed', durationMs: 3, seeds: [], type: 'requirements-based' },
    technique: 'boundary-values',
    ...change,
  };
}

export function project(parts: Parts = {}): TraceInput {
  const { items = [GOAL, REQUIREMENT], code = CODE, test = TEST } = parts;
  const results = 'results' in parts ? parts.results : [{}];
  const sources = {
    documents: [{ file: 'safety/items.md', text: items.map(itemText).join('\n') }],
    code: [{ file: 'src/stop.ts', text: code }],
    tests: [{ file: 'test/stop.test.ts', text: test }],
  };
  const origin = { tool: '1.2.3', commit: 'c0ffee', dirty: false, asOf: '2026-01-01' };
  return {
    ...sources,
    origin: { ...origin, linkBase: '../../' },
    results: results?.map(result),
    resultsStale: false,
    coverage: new Map(),
    reviews: Object.fromEntries(
      reviewable(sources).map((one) => [one.item.id, stampOf(one, 'a reviewer')]),
    ),
    clauses: [],
    mutation: null,
    policy: DEFAULT_POLICY,
  };
}

/** Findings as `state file:line:column`, sorted. */
export function found(input: TraceInput): string[] {
  return trace(input).findings.map(shown);
}

export function shown({ state, file, line, column }: Finding): string {
  return `${state} ${file}:${line}:${column}`;
}
