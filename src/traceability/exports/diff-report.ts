/** Changes between two revisions, in Markdown and as a page. */
import { CHANGES, type Change } from '../diff.ts';
import { escapeCell, escapeMarkup } from './escape.ts';
import { STYLE } from './html-page.ts';

const TITLES: Readonly<Record<Change['kind'], string>> = {
  added: 'Added',
  removed: 'Removed',
  reworded: 'Reworded',
  revised: 'New revision',
  'asil-changed': 'Integrity level changed',
  'parents-changed': 'Covers something else',
  'coverage-lost': 'Coverage lost',
  'coverage-gained': 'Coverage gained',
  'code-changed': 'Tagged code changed',
  'tests-changed': 'Tests changed',
};

export interface DiffTitle {
  readonly before: string;
  readonly after: string;
}

function groups(changes: readonly Change[]): (readonly [string, readonly Change[]])[] {
  return CHANGES.map((kind) => [TITLES[kind], changes.filter((one) => one.kind === kind)] as const);
}

export function diffMarkdown({ before, after }: DiffTitle, changes: readonly Change[]): string {
  const sections = groups(changes).flatMap(([title, own]) => {
    if (own.length === 0) return [];
    const rows = own.map((one) =>
      [`\`${one.item}\``, one.asil ?? '', escapeCell(one.before), escapeCell(one.after)].join(
        ' | ',
      ),
    );
    const head = ['| item | ASIL | before | after |', '|---|---|---|---|'];
    return ['', `## ${title} (${own.length})`, '', ...head, ...rows.map((row) => `| ${row} |`)];
  });
  const none = changes.length === 0 ? ['', 'No requirement changed.'] : [];
  return [`# Requirements from ${before} to ${after}`, ...none, ...sections, ''].join('\n');
}

export function diffHtml({ before, after }: DiffTitle, changes: readonly Change[]): string {
  const title = escapeMarkup(`Requirements from ${before} to ${after}`);
  const sections = groups(changes).flatMap(([name, own]) => {
    if (own.length === 0) return [];
    const rows = own.map(
      (one) =>
        `<tr><td class="id">${escapeMarkup(one.item)}</td><td>${one.asil ?? ''}</td>` +
        `<td><del>${escapeMarkup(one.before)}</del></td><td><ins>${escapeMarkup(one.after)}</ins></td></tr>`,
    );
    const head = '<tr><th>item</th><th>ASIL</th><th>before</th><th>after</th></tr>';
    return [`<h2>${name} (${own.length})</h2><table>${head}${rows.join('')}</table>`];
  });
  return [
    `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>${title}</title>`,
    `<style>${STYLE}</style></head><body><h1>${title}</h1>`,
    ...(sections.length > 0 ? sections : ['<p>No requirement changed.</p>']),
    '</body></html>\n',
  ].join('\n');
}
