/** The report as one HTML file. */
import { ASILS } from '../asil.ts';
import { STATES, weightOf } from '../finding.ts';
import { outcomeOf } from '../test-results.ts';
import { percent, type Totals } from '../totals.ts';
import type { ClauseView, Trace } from '../trace.ts';
import { escapeMarkup as escape } from './escape.ts';
import { SCRIPT, STYLE } from './html-page.ts';
import {
  idLink,
  requirementSection,
  sign,
  sourceLink,
  type PageContext,
} from './html-requirement.ts';

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<table>${line(head, 'th')}${rows.map((row) => line(row, 'td')).join('\n')}</table>`;
}

function origin({ origin: from, counts }: Trace): string {
  const commit = from.commit ? `${from.commit}${from.dirty ? ', with changes' : ''}` : 'none';
  return [
    `<p>virtio-gateway ${escape(from.tool)}, commit <code>${escape(commit)}</code>.`,
    `Scanned ${counts.documents} documents, ${counts.code} sources and ${counts.tests} test files: `,
    `${counts.items} items, ${counts.tags} tags, ${counts.links} links, ${counts.results} test results,`,
    `${counts.clauses} statements of standards.`,
    `<b>${counts.defects} defects, ${counts.warnings} warnings.</b></p>`,
    '<p class="why">Developed in the style of a safety element out of context; nothing is certified.',
    '✔ sound, ✘ a cause, ◌ red only because of an item below, ● to be looked at.</p>',
  ].join('\n');
}

function totals(all: readonly Totals[], { mutation }: Trace): string {
  const share = (part: { covered: number; total: number }) =>
    `${part.covered} of ${part.total} (${percent(part).toFixed(1)} %)`;
  const rows = all.map((one) => [
    one.asil === 'QM' ? 'QM' : `ASIL ${one.asil}`,
    String(one.requirements),
    String(one.ok),
    share({ covered: one.deep, total: one.requirements }),
    ...[one.links, one.tested, one.statements, one.branches].map(share),
  ]);
  const head = [
    ...['level', 'items', 'ok', 'covered all the way down', 'needed links', 'tested'],
    ...['statements of tagged code', 'branches of tagged code'],
  ];
  const score = mutation
    ? `<p>Mutation testing killed ${mutation.killed} of ${mutation.total} mutants ` +
      `(${((100 * mutation.killed) / mutation.total).toFixed(1)} %) of the code with hash ` +
      `<code>${escape(mutation.tested)}</code>.</p>`
    : '';
  return `<h2>Totals by integrity level</h2>${table(head, rows)}${score}`;
}

function methods({ requirements }: Trace): string {
  const counts = new Map<string, number>();
  const seen = new Set<string>();
  for (const result of requirements.flatMap(({ tests }) => tests.flatMap((test) => test.results))) {
    const key = `${result.type}\u0000${result.technique}`;
    if (seen.has(`${result.suite} ${result.id}`)) continue;
    seen.add(`${result.suite} ${result.id}`);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const rows = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, count]) => [...key.split('\u0000').map(escape), String(count)]);
  return `<h2>Tests by type and technique</h2>${table(['type', 'technique', 'results'], rows)}`;
}

function findings({ findings: all }: Trace, { linkBase }: PageContext): string {
  if (all.length === 0) return '<h2>Findings</h2><p>None.</p>';
  const rows = all.map((finding) => [
    `<span class="${weightOf(finding) === 'warning' ? 'warn' : 'bad'}">${finding.state}</span>`,
    `${sourceLink(finding, linkBase)}:${finding.column}`,
    escape(finding.message),
  ]);
  return `<h2>Findings</h2>${table(['state', 'place', 'finding'], rows)}`;
}

function filterBar(): string {
  const options = (values: readonly string[], all: string) =>
    [
      `<option value="">${all}</option>`,
      ...values.map((value) => `<option>${value}</option>`),
    ].join('');
  return [
    '<div class="filter"><input id="text" type="search" placeholder="id, title, text" aria-label="text">',
    `<select id="level" aria-label="level">${options(ASILS, 'every level')}</select>`,
    `<select id="state" aria-label="state">${options(['ok', 'not ok', ...Object.keys(STATES)], 'every state')}</select>`,
    '<span id="shown"></span></div>',
  ].join('\n');
}

function clauseRow(clause: ClauseView, { byId, linkBase }: PageContext): string[] {
  const { id, statement, status, states, requirements = [], tests = [], feature, reason } = clause;
  const views = requirements.flatMap((one) => byId.get(one) ?? []);
  const all = views.flatMap((view) => view.tests.flatMap(({ results }) => results));
  const outcome = status === 'implemented' ? `, tests ${outcomeOf(all)}` : '';
  return [
    escape(id),
    escape(statement),
    `${status === 'implemented' ? sign(states) : ''} ${status}${outcome}`,
    [
      ...requirements.map(idLink),
      ...tests.map((file) => sourceLink({ file, line: 1 }, linkBase)),
      ...(feature ? [`<code>${escape(feature)}</code>`] : []),
      ...(reason ? [escape(reason)] : []),
    ].join('<br>'),
  ];
}

function clauses({ clauses: all }: Trace, context: PageContext): string {
  const standards = [...new Set(all.map(({ standard }) => standard))];
  return standards
    .map((standard) => {
      const own = all.filter((clause) => clause.standard === standard);
      const counts = [...new Set(own.map(({ status }) => status))]
        .map((status) => `${own.filter((one) => one.status === status).length} ${status}`)
        .join(', ');
      const rows = own.map((clause) => clauseRow(clause, context));
      const head = ['statement', 'in our words', 'status', 'where, or why not'];
      return `<h2>${escape(standard)}</h2><p>${counts}</p>${table(head, rows)}`;
    })
    .join('\n');
}

const TYPES: Readonly<Record<string, string>> = {
  goal: 'Safety goals',
  fsr: 'Functional safety requirements',
  tsr: 'Technical safety requirements',
  req: 'Software safety requirements',
  aou: 'Assumptions of use',
};

// [impl->req~trace.exports~1]
export function htmlReport(trace: Trace): string {
  const { requirements, origin: from } = trace;
  const context = {
    byId: new Map(requirements.map((view) => [view.id, view])),
    linkBase: from.linkBase,
  };
  const known = Object.keys(TYPES);
  const types = [...new Set([...known, ...requirements.map(({ type }) => type)])];
  const sections = types.flatMap((type) => {
    const own = requirements.filter((view) => view.type === type);
    if (own.length === 0) return [];
    const title = `<h2>${escape(TYPES[type] ?? type)} (${own.length})</h2>`;
    return [title, ...own.map((view) => requirementSection(view, context))];
  });
  return [
    '<!DOCTYPE html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<title>virtio-gateway: traceability</title><style>${STYLE}</style></head><body>`,
    '<h1>virtio-gateway: traceability</h1>',
    origin(trace),
    totals(trace.totals, trace),
    methods(trace),
    findings(trace, context),
    filterBar(),
    ...sections,
    clauses(trace, context),
    `<script>${SCRIPT}</script></body></html>`,
    '',
  ].join('\n');
}
