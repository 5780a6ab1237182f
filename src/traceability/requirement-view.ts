/** A requirement with everything that hangs on it: what the report shows on one page. */
import { asilOf, type Asil } from './asil.ts';
import type { Finding, State } from './finding.ts';
import { byPlace, byText, type Place } from './item.ts';
import type { IncomingStatus, LinkedItem, OutgoingStatus } from './link.ts';
import type { TagItem } from './scan-tags.ts';
import { coverageOf, type FileCoverage, type SymbolCoverage } from './symbol-coverage.ts';
import { tracedTest, type ResultIndex, type TracedTest } from './test-results.ts';
import { methodOf, type Method } from './wording.ts';

export interface ParentView extends Place {
  readonly id: string;
  readonly status: OutgoingStatus;
}

export interface ChildView extends Place {
  readonly id: string;
  readonly title: string;
  readonly status: IncomingStatus;
}

export interface ImplementationView extends Place {
  readonly symbol: string;
  readonly endLine: number;
  readonly status: IncomingStatus;
  readonly coverage: SymbolCoverage | null;
}

export interface RequirementView extends Place {
  readonly id: string;
  readonly type: string;
  readonly title: string;
  readonly text: string;
  readonly rationale: string;
  readonly comment: string;
  readonly status: string;
  readonly asil: Asil | null;
  readonly method: Method;
  readonly tags: readonly string[];
  readonly needs: readonly string[];
  readonly missing: readonly string[];
  readonly shallow: boolean;
  readonly deep: string;
  /** All of what is needed, some of it, none of it. */
  readonly coverage: 'full' | 'partial' | 'none';
  readonly parents: readonly ParentView[];
  readonly children: readonly ChildView[];
  readonly implementations: readonly ImplementationView[];
  readonly tests: readonly TracedTest[];
  readonly reviewedBy: string | null;
  /** `ok` alone, or what is wrong with it. */
  readonly states: readonly (State | 'ok')[];
  /** For a consequence: the ids from this item down to the cause. */
  readonly taintedBy: readonly string[];
}

export interface ViewContext {
  readonly results: ResultIndex;
  readonly coverage: ReadonlyMap<string, FileCoverage>;
  readonly findings: ReadonlyMap<string, readonly Finding[]>;
  readonly tainted: ReadonlyMap<string, readonly string[]>;
  readonly reviewedBy: (id: string) => string | null;
}

const TEST_TYPE = /test$/;

export function isTag(linked: LinkedItem): boolean {
  return linked.item.origin === 'tag';
}

/** Tags that cover an item in whatever revision, tests or code. */
export function tagsOf(linked: LinkedItem, tests: boolean): TagItem[] {
  const tags: TagItem[] = [];
  for (const { source } of linked.incoming) {
    if (isTag(source) && TEST_TYPE.test(source.item.type) === tests) {
      tags.push(source.item as TagItem);
    }
  }
  return tags.sort(byPlace);
}

function implementationsOf(linked: LinkedItem, context: ViewContext): ImplementationView[] {
  const found: ImplementationView[] = [];
  for (const { source, status } of linked.incoming) {
    if (!isTag(source) || TEST_TYPE.test(source.item.type)) continue;
    const { file, line, column, symbol } = source.item as TagItem;
    const measured = context.coverage.get(file);
    const endLine = symbol?.endLine ?? line;
    const coverage = measured ? coverageOf(measured, symbol?.line ?? line, endLine) : null;
    found.push({ file, line, column, symbol: symbol?.name ?? '', endLine, status, coverage });
  }
  return found.sort(byPlace);
}

function coverageGrade(linked: LinkedItem): 'full' | 'partial' | 'none' {
  if (linked.shallow) return 'full';
  return linked.coveredTypes.size > 0 ? 'partial' : 'none';
}

const OK: readonly (State | 'ok')[] = ['ok'];

function statesOf(id: string, { findings, tainted }: ViewContext): readonly (State | 'ok')[] {
  const found = findings.get(id);
  if (!found && !tainted.has(id)) return OK;
  const states = new Set((found ?? []).map(({ state }) => state));
  if (tainted.has(id)) states.add('tainted');
  return [...states].sort(byText);
}

function childrenOf(linked: LinkedItem): ChildView[] {
  const children: ChildView[] = [];
  for (const { source, status } of linked.incoming) {
    if (isTag(source)) continue;
    const { id, title, file, line, column } = source.item;
    children.push({ id, title, status, file, line, column });
  }
  return children;
}

function parentsOf(linked: LinkedItem): ParentView[] {
  return linked.outgoing.map(({ status, reference: { id, file, line, column } }) => {
    return { id, status, file, line, column };
  });
}

export function requirementView(linked: LinkedItem, context: ViewContext): RequirementView {
  const { item } = linked;
  const { id } = item;
  return {
    id,
    type: item.type,
    title: item.title,
    file: item.file,
    line: item.line,
    column: item.column,
    text: item.description,
    rationale: item.rationale,
    comment: item.comment,
    status: item.status,
    asil: asilOf(item.tags),
    method: methodOf(item),
    tags: item.tags,
    needs: item.needs,
    missing: linked.missing,
    shallow: linked.shallow,
    deep: linked.deep,
    coverage: coverageGrade(linked),
    parents: parentsOf(linked),
    children: childrenOf(linked),
    implementations: implementationsOf(linked, context),
    tests: tagsOf(linked, true).map((tag) => tracedTest(tag, context.results)),
    reviewedBy: context.reviewedBy(id),
    states: statesOf(id, context),
    taintedBy: context.tainted.get(id) ?? [],
  };
}
