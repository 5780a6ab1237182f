/** Scanner for OpenFastTrace items in Markdown, by the transition table of the original. */
import type { Finding } from './finding.ts';
import { linesOf, type Item, type ItemStatus, type Reference, type TextFile } from './item.ts';
import { HINTS, LINES, nextMode, TRIED, type Mode, type Token } from './requirement-grammar.ts';

/** A keyword that the grammar did not take as one: the original reads such a line as text. */
const KEYWORD = /^(Status|Description|Rationale|Comment|Covers|Depends|Needs|Tags):/;
const OFF = /(?:^|\W)oft:off(?:\W|$)/u;
const ON = /(?:^|\W)oft:on(?:\W|$)/u;

type Draft = { -readonly [Key in keyof Item]: Item[Key] } & {
  covers: Reference[];
  depends: Reference[];
  needs: string[];
  tags: string[];
};

export interface ScannedDocuments {
  readonly items: readonly Item[];
  readonly findings: readonly Finding[];
}

class DocumentScanner {
  readonly items: Item[] = [];
  readonly findings: Finding[] = [];
  private readonly file: string;
  private mode: Mode = 'start';
  private title = '';
  private draft: Draft | undefined;
  private line = 0;

  constructor(file: string) {
    this.file = file;
  }

  scan(text: string): void {
    const lines = linesOf(text);
    let enabled = true;
    lines.forEach((line, n) => {
      this.line = n + 1;
      if (!enabled) enabled = ON.test(line);
      else if (OFF.test(line)) enabled = false;
      else this.step(line, lines[n + 1]);
    });
    this.end();
  }

  private step(line: string, next: string | undefined): void {
    for (const token of TRIED[this.mode]) {
      const underlined = token === 'title' && next !== undefined && LINES.underline.test(next);
      const match = LINES[token].exec(line);
      if (!match && !underlined) continue;
      this.judge(line, token);
      const mode = this.mode;
      this.mode = nextMode(mode, token);
      this.take(token, mode, match ? (match[1] ?? '') : line, line);
      return;
    }
    this.judge(line, 'anything');
  }

  /** A keyword in the middle of an item that was read as text, or not at all. */
  private judge(line: string, token: Token): void {
    const taken = token !== 'anything' && token !== 'text';
    const keyword = KEYWORD.exec(line)?.[1];
    if (!keyword || taken || !this.draft) return;
    if (keyword === 'Tags') this.draft.tags.push(...wordsOf(line.slice(5)));
    this.findings.push({
      ...{ file: this.file, line: this.line, column: 1 },
      ...{ state: 'grammar', item: this.draft.id, asil: null },
      message: `"${keyword}:" in this form is plain text to OpenFastTrace; ${HINTS[keyword]!}`,
    });
  }

  private take(token: Token, mode: Mode, value: string, line: string): void {
    switch (token) {
      case 'id':
        this.end();
        this.begin(value, line);
        break;
      case 'title':
        this.end();
        this.title = value;
        break;
      case 'forward':
        this.end();
        this.forward(value, line);
        break;
      case 'anything':
      case 'text':
        this.append(mode, value);
        break;
      default:
        if (this.draft) this.fill(this.draft, token, value, line);
    }
  }

  private append(mode: Mode, value: string): void {
    if (mode === 'title') this.title = '';
    if (!this.draft) return;
    const part = mode === 'rationale' || mode === 'comment' ? mode : 'description';
    this.draft[part] += `${value}\n`;
  }

  private fill(draft: Draft, token: Token, value: string, line: string): void {
    switch (token) {
      case 'status':
        draft.status = value as ItemStatus;
        break;
      case 'coversEntry':
        draft.covers.push(this.reference(value, line));
        break;
      case 'dependsEntry':
        draft.depends.push(this.reference(value, line));
        break;
      case 'needsLine':
      case 'needsEntry':
        draft.needs.push(...wordsOf(value));
        break;
      case 'tagsLine':
      case 'tagEntry':
        draft.tags.push(...wordsOf(value));
        break;
    }
  }

  private reference(id: string, line: string): Reference {
    return { id, file: this.file, line: this.line, column: line.lastIndexOf(id) + 1 };
  }

  private begin(id: string, line: string): void {
    const [type, name, revision] = id.split('~') as [string, string, string];
    this.draft = {
      id,
      type,
      name,
      revision: Number(revision),
      title: this.title,
      status: 'approved',
      description: '',
      rationale: '',
      comment: '',
      origin: 'markdown',
      covers: [],
      depends: [],
      needs: [],
      tags: [],
      file: this.file,
      line: this.line,
      column: line.indexOf(id) + 1,
    };
    this.title = '';
  }

  /** `arch --> dsn : req~x~1` makes an item arch~x~1 that needs dsn. */
  private forward(notation: string, line: string): void {
    const [skipped, rest] = notation.split('-->') as [string, string];
    const [needs, original] = rest.split(':') as [string, string];
    const id = original.trim();
    const [, name, revision] = id.split('~');
    this.begin(`${skipped.trim()}~${name}~${revision}`, line);
    this.draft!.covers.push(this.reference(id, line));
    this.draft!.needs.push(...wordsOf(needs));
    this.end();
    this.title = '';
  }

  private end(): void {
    if (!this.draft) return;
    this.draft.description = this.draft.description.trim();
    this.draft.rationale = this.draft.rationale.trim();
    this.draft.comment = this.draft.comment.trim();
    this.items.push(this.draft);
    this.draft = undefined;
  }
}

function wordsOf(list: string): string[] {
  return list
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

// [impl->req~trace.scan~1]
export function scanDocuments(documents: readonly TextFile[]): ScannedDocuments {
  const items: Item[] = [];
  const findings: Finding[] = [];
  for (const { file, text } of documents) {
    const scanner = new DocumentScanner(file);
    scanner.scan(text);
    items.push(...scanner.items);
    findings.push(...scanner.findings);
  }
  return { items, findings };
}
