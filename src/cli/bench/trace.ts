/** How long the tracer takes for a project of a given size, all reports included. */
import { EXPORTS } from '../../traceability/exports/export.ts';
import { DEFAULT_POLICY } from '../../traceability/policy.ts';
import { stampOf } from '../../traceability/reviews.ts';
import type { TestResult } from '../../traceability/test-results.ts';
import type { TraceInput } from '../../traceability/trace-input.ts';
import { reviewable, trace } from '../../traceability/trace.ts';
import { nowNs } from '../clients/wait.ts';
import type { BenchResult, Progress } from './bench-result.ts';
import { spreadOf, type Spread } from './spread.ts';

interface TraceTimes {
  readonly items: number;
  readonly tags: number;
  readonly links: number;
  readonly defects: number;
  /** Scanning, linking and judging. */
  readonly traceMs: Spread;
  /** The same, and writing all reports as text. */
  readonly withReportsMs: Spread;
}

interface Counts {
  readonly items: number;
  readonly runs: number;
}

const COUNTS: Counts = { items: 5000, runs: 5 };
const GOALS = 50;
const PER_FILE = 50;

function item(id: string, covers: string, needs: string): string {
  return [
    ...[`### Item ${id}`, `\`${id}\``, '', 'Status: approved', ''],
    ...['The gateway shall do what this sentence of usual length says it does.', ''],
    ...['Rationale:', '', 'There is a reason for everything.', ''],
    ...(covers ? ['Covers:', '', `* \`${covers}\``, ''] : []),
    ...['Tags: ASIL_B', '', `Needs: ${needs}`, ''],
  ].join('\n');
}

/** Tags are written apart, so that this source is not taken for tagged. */
function tagText(type: string, n: number): string {
  return `[${type}-` + `>req~bench.item-${n}~1]`;
}

function sourceText(from: number): string {
  const one = (n: number) =>
    `// ${tagText('impl', n)}\nexport function item${n}(x: number): number {\n  return x + ${n};\n}\n`;
  return Array.from({ length: PER_FILE }, (_, n) => one(from + n)).join('\n');
}

function testText(from: number): string {
  const one = (n: number) => `it('${tagText('utest', n)} item ${n} holds', () => {});\n`;
  return Array.from({ length: PER_FILE }, (_, n) => one(from + n)).join('');
}

function resultOf(n: number): TestResult {
  return {
    ...{ suite: 'unit', id: `item ${n}`, title: `${tagText('utest', n)} item ${n} holds` },
    ...{ file: `test/item-${n - (n % PER_FILE)}.test.ts`, line: (n % PER_FILE) + 1 },
    ...{ result: 'passed', durationMs: 1, seeds: [], type: 'requirements-based' },
    technique: 'requirements-analysis',
  };
}

/** A sound project of so many items. */
export function projectOf(items: number): TraceInput {
  const count = items - GOALS;
  const goals = Array.from({ length: GOALS }, (_, n) => item(`goal~bench.g${n}~1`, '', 'req'));
  const requirements = Array.from({ length: count }, (_, n) =>
    item(`req~bench.item-${n}~1`, `goal~bench.g${n % GOALS}~1`, 'impl, utest'),
  );
  const firsts = Array.from({ length: Math.ceil(count / PER_FILE) }, (_, n) => n * PER_FILE);
  const sources = {
    documents: [{ file: 'safety/bench.md', text: [...goals, ...requirements].join('\n') }],
    code: firsts.map((n) => ({ file: `src/item-${n}.ts`, text: sourceText(n) })),
    tests: firsts.map((n) => ({ file: `test/item-${n}.test.ts`, text: testText(n) })),
  };
  const stamps = reviewable(sources).map((one) => [one.item.id, stampOf(one, 'bench')] as const);
  return {
    ...sources,
    origin: { tool: 'bench', commit: '', dirty: false, asOf: '', linkBase: '' },
    results: Array.from({ length: count }, (_, n) => resultOf(n)),
    resultsStale: false,
    coverage: new Map(),
    reviews: Object.fromEntries(stamps),
    clauses: [],
    mutation: null,
    policy: DEFAULT_POLICY,
  };
}

const nowMs = () => nowNs() / 1e6;

function traceTimes({ items, runs }: Counts, progress: Progress): TraceTimes {
  const input = projectOf(items);
  const traced: number[] = [];
  const reported: number[] = [];
  let { counts } = trace(input);
  for (let n = 0; n < runs; n++) {
    progress(`${n + 1} of ${runs}`);
    const start = nowMs();
    const result = trace(input);
    traced.push(nowMs() - start);
    for (const write of Object.values(EXPORTS)) write(result);
    reported.push(nowMs() - start);
    counts = result.counts;
  }
  return {
    ...{ items: counts.items, tags: counts.tags, links: counts.links, defects: counts.defects },
    ...{ traceMs: spreadOf(traced), withReportsMs: spreadOf(reported) },
  };
}

export function traceBench(progress: Progress, counts = COUNTS): BenchResult {
  const times = traceTimes(counts, progress);
  const cell = ({ median, min, max }: Spread) =>
    `${median.toFixed(0)} ms (${min.toFixed(0)}-${max.toFixed(0)})`;
  const text =
    `${times.items} items, ${times.tags} tags, ${times.links} links: traced in ` +
    `${cell(times.traceMs)}, with all reports ${cell(times.withReportsMs)}`;
  return { document: { runs: counts.runs, ...times }, text };
}
