/** Totals for each integrity level, and the thresholds that the policy sets for them. */
import { ASILS, type Asil } from './asil.ts';
import type { Finding } from './finding.ts';
import type { Threshold, TracePolicy } from './policy.ts';
import type { ImplementationView, RequirementView } from './requirement-view.ts';
import { addCoverage, type Covered } from './symbol-coverage.ts';
import { outcomeOf } from './test-results.ts';

export interface Totals {
  readonly asil: Asil;
  readonly requirements: number;
  readonly ok: number;
  /** Covered all the way down. */
  readonly deep: number;
  /** Needed artifact types. */
  readonly links: Covered;
  /** Requirements verified by test: those with a passed test and no failed one. */
  readonly tested: Covered;
  readonly statements: Covered;
  readonly branches: Covered;
}

export function percent({ covered, total }: Covered): number {
  return total === 0 ? 100 : (100 * covered) / total;
}

/** Each tagged symbol once, however many requirements it implements. */
function symbolsOf(views: readonly RequirementView[]): ImplementationView[] {
  const symbols = new Map<string, ImplementationView>();
  for (const one of views.flatMap(({ implementations }) => implementations)) {
    symbols.set(`${one.file}#${one.symbol}#${one.endLine}`, one);
  }
  return [...symbols.values()];
}

function isTested({ tests }: RequirementView): boolean {
  const outcomes = tests.map(({ results }) => outcomeOf(results));
  return outcomes.includes('passed') && !outcomes.includes('failed');
}

export function totalsOf(requirements: readonly RequirementView[]): Totals[] {
  return ASILS.flatMap((asil) => {
    const views = requirements.filter((view) => view.asil === asil);
    if (views.length === 0) return [];
    const byTest = views.filter(({ method }) => method === 'test');
    const needed = views.reduce((n, { needs }) => n + needs.length, 0);
    const missing = views.reduce((n, view) => n + view.missing.length, 0);
    const measured = symbolsOf(views).flatMap(({ coverage }) => coverage ?? []);
    return [
      {
        ...{ asil, requirements: views.length },
        ok: views.filter(({ states }) => states[0] === 'ok').length,
        deep: views.filter(({ deep }) => deep === 'covered').length,
        links: { covered: needed - missing, total: needed },
        tested: { covered: byTest.filter(isTested).length, total: byTest.length },
        ...addCoverage(measured),
      },
    ];
  });
}

const KEYS = ['links', 'tested', 'statements', 'branches'] as const;

/** @param mutation percent of mutants killed, where it was measured */
export function thresholdFindings(
  totals: readonly Totals[],
  { thresholds }: TracePolicy,
  mutation: number | null,
): Finding[] {
  const at = { file: 'traceability/policy.json', line: 1, column: 1, item: '' };
  return totals.flatMap((total) => {
    const limits: Threshold = thresholds[total.asil] ?? {};
    const figures = KEYS.map((key) => [key, limits[key], percent(total[key])] as const);
    const all = [...figures, ['mutation', limits.mutation, mutation ?? 100] as const];
    return all.flatMap(([key, limit, value]): Finding[] => {
      if (limit === undefined || value >= limit) return [];
      const message = `${key} at ${total.asil}: ${value.toFixed(2)} %, below ${limit} %`;
      return [{ ...at, state: 'threshold', asil: total.asil, message }];
    });
  });
}
