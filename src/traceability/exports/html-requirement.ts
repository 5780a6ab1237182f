/** One requirement in the report: its chain from goal to code, its tests and their results. */
import type { Place } from '../item.ts';
import type { RequirementView } from '../requirement-view.ts';
import { outcomeOf, type TracedTest } from '../test-results.ts';
import { percent } from '../totals.ts';
import { escapeMarkup as escape } from './escape.ts';

export interface PageContext {
  readonly byId: ReadonlyMap<string, RequirementView>;
  /** A prefix for paths, or a template with `{file}` and `{line}`. */
  readonly linkBase: string;
}

export function sourceLink({ file, line }: Pick<Place, 'file' | 'line'>, base: string): string {
  const href = base.includes('{file}')
    ? base.replace('{file}', file).replace('{line}', String(line))
    : `${base}${file}#L${line}`;
  return `<a href="${escape(href)}">${escape(file)}:${line}</a>`;
}

export function idLink(id: string): string {
  return `<a class="id" href="#${escape(id)}">${escape(id)}</a>`;
}

/** A cause, a consequence and a sound item have different signs. */
export function sign(states: readonly string[]): string {
  if (states.includes('ok')) return '<span class="ok" title="ok">✔</span>';
  const warnings = ['unreviewed', 'justified', 'draft-in-release', 'grammar', 'test-absent'];
  if (states.every((state) => warnings.includes(state))) return '<span class="warn">●</span>';
  if (states.every((state) => state === 'tainted')) return '<span class="bad">◌</span>';
  return '<span class="bad">✘</span>';
}

/** An item and what it covers, up to the goals. */
function upwards(id: string, { byId }: PageContext, seen: readonly string[]): string {
  const view = byId.get(id);
  if (!view || seen.includes(id))
    return `<li>${idLink(id)} <span class="bad">is missing</span></li>`;
  const up = view.parents.map((parent) =>
    upwards(parent.id, { byId, linkBase: '' }, [...seen, id]),
  );
  const list = up.length > 0 ? `<ul class="chain">${up.join('')}</ul>` : '';
  return `<li>${sign(view.states)} ${idLink(id)} ${escape(view.title)}${list}</li>`;
}

function downwards(id: string, { byId }: PageContext, seen: readonly string[]): string {
  const view = byId.get(id);
  if (!view || seen.includes(id)) return '';
  const { children, implementations, tests } = view;
  const below = children.map((child) => downwards(child.id, { byId, linkBase: '' }, [...seen, id]));
  const list = below.length > 0 ? `<ul class="chain">${below.join('')}</ul>` : '';
  const ends =
    children.length > 0 ? '' : ` — ${implementations.length} in code, ${tests.length} tests`;
  return `<li>${sign(view.states)} ${idLink(id)} ${escape(view.title)}${ends}${list}</li>`;
}

function implementationTable(view: RequirementView, { linkBase }: PageContext): string {
  if (view.implementations.length === 0) return '';
  const rows = view.implementations.map((one) => {
    const { coverage } = one;
    const figures = coverage
      ? [coverage.statements, coverage.branches].map((part) =>
          part.total === 0 ? 'none' : `${percent(part).toFixed(1)} % of ${part.total}`,
        )
      : ['not measured', 'not measured'];
    const cells = figures.map((figure) => `<td class="n">${figure}</td>`).join('');
    const symbol = `<td><code>${escape(one.symbol)}</code></td>`;
    return `<tr><td>${sourceLink(one, linkBase)}</td>${symbol}${cells}</tr>`;
  });
  const head = '<tr><th>code</th><th>symbol</th><th>statements</th><th>branches</th></tr>';
  return `<h3>Implementation</h3><table>${head}${rows.join('')}</table>`;
}

function testRow(test: TracedTest, linkBase: string): string {
  const outcome = outcomeOf(test.results);
  const runs = test.results
    .map(({ suite, result, durationMs, seeds }) => {
      const seed = seeds.length > 0 ? `, seed ${seeds.join(' ')}` : '';
      return `${escape(suite)}: ${result}, ${durationMs} ms${seed}`;
    })
    .slice(0, RUNS_SHOWN);
  const more = test.results.length - runs.length;
  const style = { passed: 'ok', failed: 'bad', skipped: 'warn', 'not run': 'bad' }[outcome];
  const cells = [
    sourceLink(test, linkBase),
    escape(test.title),
    `<span class="${style}">${outcome}</span>`,
    [...runs, ...(more > 0 ? [`and ${more} more`] : [])].join('<br>'),
    escape(test.type),
    escape(test.technique),
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

/** A test in a loop has as many results as the loop has turns. */
const RUNS_SHOWN = 4;

function testTable({ tests }: RequirementView, { linkBase }: PageContext): string {
  if (tests.length === 0) return '';
  const names = ['test', 'title', 'result', 'runs', 'type', 'technique'];
  const head = `<tr>${names.map((name) => `<th>${name}</th>`).join('')}</tr>`;
  const rows = tests.map((test) => testRow(test, linkBase));
  return `<h3>Tests</h3><table>${head}${rows.join('')}</table>`;
}

export function requirementSection(view: RequirementView, context: PageContext): string {
  const { id, title, asil, states, text, rationale, comment, parents, children } = view;
  const search = escape(`${id} ${title} ${text} ${view.tags.join(' ')}`.toLowerCase());
  const up = parents.map((parent) => upwards(parent.id, context, [id])).join('');
  const down = children.map((child) => downwards(child.id, context, [id])).join('');
  const tainted = view.taintedBy.map(idLink).join(' → ');
  return [
    `<details class="entry" id="${escape(id)}" data-search="${search}" data-asil="${asil ?? ''}" data-states="${states.join(' ')}">`,
    `<summary>${sign(states)} <span class="id">${escape(id)}</span> ${escape(title)} <span class="asil">${asil ?? 'none'}</span>`,
    `${states.includes('ok') ? '' : `<span class="bad">${states.join(', ')}</span>`}</summary>`,
    `<p>${escape(text)}</p>`,
    rationale ? `<p class="why">Rationale: ${escape(rationale)}</p>` : '',
    comment ? `<p class="why">${escape(comment)}</p>` : '',
    `<p class="why">${sourceLink(view, context.linkBase)}; status ${escape(view.status)}; verified by ${view.method};`,
    `coverage ${view.coverage}, deep: ${view.deep}; ${view.reviewedBy ? `reviewed by ${escape(view.reviewedBy)}` : 'no review stamp'}</p>`,
    tainted ? `<p class="bad">red because of ${tainted}</p>` : '',
    up ? `<h3>Covers</h3><ul class="chain">${up}</ul>` : '',
    down ? `<h3>Covered by</h3><ul class="chain">${down}</ul>` : '',
    implementationTable(view, context),
    testTable(view, context),
    '</details>',
  ]
    .filter((line) => line !== '')
    .join('\n');
}
