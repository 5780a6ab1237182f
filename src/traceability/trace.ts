/** Traces a project: scans, links, judges, and puts together what every report is made from. */
import type { Clause } from './clauses.ts';
import { byFinding, weightOf, type Finding } from './finding.ts';
import { byText } from './item.ts';
import { justify } from './justify.ts';
import { linkItems, type LinkedItem } from './link.ts';
import { isTag, requirementView, type RequirementView } from './requirement-view.ts';
import type { Reviewed } from './reviews.ts';
import { scanDocuments } from './scan-requirements.ts';
import { scanTags } from './scan-tags.ts';
import { ResultIndex } from './test-results.ts';
import { findingsOf, reviewedItems } from './trace-findings.ts';
import type { MutationScore, TraceInput, TraceOrigin } from './trace-input.ts';
import { thresholdFindings, totalsOf, type Totals } from './totals.ts';

export interface ClauseView extends Clause {
  readonly standard: string;
  /** `ok`, or the states of the requirements that are not. */
  readonly states: readonly string[];
}

export interface Trace {
  readonly origin: TraceOrigin;
  readonly counts: {
    readonly documents: number;
    readonly code: number;
    readonly tests: number;
    readonly items: number;
    readonly tags: number;
    readonly links: number;
    readonly results: number;
    readonly clauses: number;
    readonly defects: number;
    readonly warnings: number;
  };
  readonly requirements: readonly RequirementView[];
  readonly clauses: readonly ClauseView[];
  readonly totals: readonly Totals[];
  readonly mutation: MutationScore | null;
  readonly findings: readonly Finding[];
}

/** From each cause up through its parents: an item that is red only because one below it is. */
function taintedBy(
  linked: readonly LinkedItem[],
  causes: ReadonlySet<string>,
): Map<string, readonly string[]> {
  const tainted = new Map<string, readonly string[]>();
  const rise = (from: LinkedItem, path: readonly string[]): void => {
    for (const { target } of from.outgoing) {
      if (!target || tainted.has(target.item.id) || path.includes(target.item.id)) continue;
      const longer = [target.item.id, ...path];
      tainted.set(target.item.id, longer);
      rise(target, longer);
    }
  };
  for (const one of linked) if (!isTag(one) && causes.has(one.item.id)) rise(one, [one.item.id]);
  return tainted;
}

function clauseViews({ clauses }: TraceInput, views: readonly RequirementView[]): ClauseView[] {
  const states = new Map(views.map((view) => [view.id, view.states]));
  return clauses.flatMap(({ map }) =>
    map.clauses.map((clause) => {
      const found = (clause.requirements ?? []).flatMap((id): readonly string[] => {
        return states.get(id) ?? ['orphaned'];
      });
      const wrong = [...new Set(found)].filter((state) => state !== 'ok');
      return { ...clause, standard: map.standard, states: wrong.length > 0 ? wrong : ['ok'] };
    }),
  );
}

function groupByItem(findings: readonly Finding[]): Map<string, Finding[]> {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const group = groups.get(finding.item);
    if (group) group.push(finding);
    else groups.set(finding.item, [finding]);
  }
  return groups;
}

// [impl->req~trace.report~1]
export function trace(input: TraceInput): Trace {
  const { items: written, findings: grammar } = scanDocuments(input.documents);
  const tags = scanTags([...input.code, ...input.tests]);
  const linked = linkItems([...written, ...tags]);
  const specified = linked.filter((one) => !isTag(one));
  const results = new ResultIndex(input.results ?? []);
  const raw = [...grammar, ...findingsOf(input, linked, specified, tags, results)];
  const judged = justify(raw, input.policy.justifications, input.origin.asOf);
  const groups = groupByItem(judged);
  const red = judged.filter((one) => ['defect', 'test'].includes(weightOf(one)));
  const context = {
    results,
    coverage: input.coverage,
    findings: groups,
    tainted: taintedBy(linked, new Set(red.map(({ item }) => item))),
    reviewedBy: (id: string) => input.reviews?.[id]?.by ?? null,
  };
  const requirements = specified.map((one) => requirementView(one, context));
  const totals = totalsOf(requirements);
  const { mutation } = input;
  const score = mutation && (100 * mutation.killed) / mutation.total;
  const findings = [...judged, ...thresholdFindings(totals, input.policy, score)].sort(byFinding);
  const defects = findings.filter((one) => !['warning', 'consequence'].includes(weightOf(one)));
  return {
    ...{ origin: input.origin, requirements, totals, mutation, findings },
    clauses: clauseViews(input, requirements),
    counts: {
      ...{ documents: input.documents.length, code: input.code.length },
      ...{ tests: input.tests.length, items: written.length, tags: tags.length },
      links: linked.reduce((n, one) => n + one.outgoing.length, 0),
      results: input.results?.length ?? 0,
      clauses: input.clauses.reduce((n, { map }) => n + map.clauses.length, 0),
      ...{ defects: defects.length, warnings: findings.length - defects.length },
    },
  };
}

/** Stamps for all items, or for those named. */
export function reviewable(input: Pick<TraceInput, 'documents' | 'code' | 'tests'>): Reviewed[] {
  const { items } = scanDocuments(input.documents);
  const linked = linkItems([...items, ...scanTags([...input.code, ...input.tests])]);
  return reviewedItems(linked.filter((one) => !isTag(one))).sort((a, b) =>
    byText(a.item.id, b.item.id),
  );
}
