/** The line grammar of OpenFastTrace's Markdown: patterns of whole lines, and what follows what. */
import { ID_SOURCE } from './item.ts';

const TYPE = '[a-zA-Z]+';
const FORWARD = `.*?(${TYPE}\\s*-->\\s*${TYPE}(?:,\\s*${TYPE})*\\s*:\\s*${ID_SOURCE}).*?`;
const REFERENCE = `\\s{0,3}[+*-](?:.*\\W)?(${ID_SOURCE})(?:\\W.*)?`;

/** Patterns of whole lines. */
export const LINES = {
  id: new RegExp(`^\`?(${ID_SOURCE})\`?.*$`, 'u'),
  status: /^Status:\s*(approved|proposed|draft|rejected)\s*$/,
  title: /^#+\s*(.*)$/,
  underline: /^[=-]{3,}\s*$/,
  description: /^Description:\s*$/,
  rationale: /^Rationale:\s*$/,
  comment: /^Comment:\s*$/,
  covers: /^Covers:\s*$/,
  depends: /^Depends:\s*$/,
  needsLine: /^Needs:(\s*\w+\s*(?:,\s*\w+\s*)*)$/,
  needs: /^Needs:\s*$/,
  needsEntry: /^\s{0,3}[+*-](?:.*\W)?([a-zA-Z]+)(?:\W.*)?$/,
  tagsLine: /^Tags:(\s*\w+\s*(?:,\s*\w+\s*)*)$/,
  tags: /^Tags:\s*$/,
  tagEntry: /^\s{0,3}[+*-]\s*(.*)$/,
  coversEntry: new RegExp(`^${REFERENCE}$`, 'u'),
  dependsEntry: new RegExp(`^${REFERENCE}$`, 'u'),
  forward: new RegExp(`^${FORWARD}$`, 'u'),
  codeBegin: /^ *[`~]{3,30}\w*\s*$/,
  codeEnd: /^ *[`~]{3,30}\s*$/,
  empty: /^(\s*)$/,
  text: /^(.+)$/,
  anything: /^(.*)$/,
} as const;

export type Token = keyof typeof LINES;
export type Mode =
  | 'start'
  | 'title'
  | 'item'
  | 'description'
  | 'rationale'
  | 'comment'
  | 'covers'
  | 'depends'
  | 'needs'
  | 'tags'
  | 'code';

const LISTS = ['needsLine', 'needs', 'tagsLine', 'tags'] as const;

/** In each mode the tokens that are tried, in this order. */
export const TRIED: Readonly<Record<Mode, readonly Token[]>> = {
  start: ['id', 'title', 'forward', 'codeBegin'],
  title: ['id', 'title', 'underline', 'empty', 'forward', 'anything'],
  item: [
    ...(['id', 'status', 'title', 'rationale', 'comment', 'covers', 'depends'] as const),
    ...LISTS,
    ...(['description', 'forward', 'text'] as const),
  ],
  description: [
    ...(['id', 'title', 'rationale', 'comment', 'covers', 'depends'] as const),
    ...LISTS,
    ...(['forward', 'anything'] as const),
  ],
  rationale: ['id', 'title', 'comment', 'covers', 'depends', ...LISTS, 'anything'],
  comment: ['id', 'title', 'covers', 'depends', 'rationale', ...LISTS, 'anything'],
  covers: [
    ...(['id', 'title', 'coversEntry', 'rationale', 'comment', 'depends'] as const),
    ...(['needsLine', 'needs', 'empty', 'tagsLine', 'tags', 'forward'] as const),
  ],
  depends: [
    ...(['id', 'title', 'dependsEntry', 'rationale', 'comment', 'depends'] as const),
    ...(['needsLine', 'needs', 'empty', 'covers', 'tagsLine', 'tags', 'forward'] as const),
  ],
  needs: [
    ...(['id', 'title', 'rationale', 'comment', 'depends', 'needsEntry'] as const),
    ...(['empty', 'covers', 'tagsLine', 'tags', 'forward'] as const),
  ],
  tags: [
    ...(['tagEntry', 'id', 'title', 'rationale', 'comment', 'depends'] as const),
    ...(['needsLine', 'needs', 'empty', 'covers', 'tags', 'tagsLine', 'forward'] as const),
  ],
  code: ['codeEnd'],
};

/** The mode that a token leads to, where it is the same from everywhere. */
const LEADS: Partial<Record<Token, Mode>> = {
  id: 'item',
  title: 'title',
  rationale: 'rationale',
  comment: 'comment',
  covers: 'covers',
  depends: 'depends',
  needsLine: 'item',
  needs: 'needs',
  tagsLine: 'tags',
  tags: 'tags',
  description: 'description',
  text: 'description',
  forward: 'start',
  codeBegin: 'code',
  codeEnd: 'start',
};

export function nextMode(mode: Mode, token: Token): Mode {
  if (mode === 'title' && token === 'anything') return 'start';
  if (mode === 'needs' && token === 'empty') return 'description';
  if (mode === 'tags' && token === 'empty') return 'item';
  return LEADS[token] ?? mode;
}

/** What would be right where a keyword was read as text. */
export const HINTS: Readonly<Record<string, string>> = {
  Status: 'it stands before the description and is approved, proposed, draft or rejected',
  Description: 'the keyword stands alone in its line',
  Rationale: 'the keyword stands alone in its line',
  Comment: 'the keyword stands alone in its line',
  Covers: 'the keyword stands alone in its line, ids follow as a list',
  Depends: 'the keyword stands alone in its line, ids follow as a list',
  Needs: 'artifact types are words, with commas between',
  Tags: 'tags are words of letters, digits and underscores, with commas between',
};
