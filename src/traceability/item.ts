/** Items of OpenFastTrace: what a requirement, or a tag in code, is to the tracer. */

/** Where something is; lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A file as text, by its path from the top level. */
export interface TextFile {
  readonly file: string;
  readonly text: string;
}

export interface Reference extends Place {
  readonly id: string;
}

export const ITEM_STATUSES = ['approved', 'proposed', 'draft', 'rejected'] as const;
export type ItemStatus = (typeof ITEM_STATUSES)[number];

export interface Item extends Place {
  /** `type~name~revision`; for a tag its type, the name it covers and its place. */
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly revision: number;
  readonly title: string;
  readonly description: string;
  readonly rationale: string;
  readonly comment: string;
  readonly status: ItemStatus;
  readonly covers: readonly Reference[];
  readonly depends: readonly Reference[];
  /** Artifact types that must cover this item. */
  readonly needs: readonly string[];
  readonly tags: readonly string[];
  /** `markdown` for a specified item, `tag` for one that a tag stands for. */
  readonly origin: 'markdown' | 'tag';
}

const NAME = '[\\p{L}][\\p{L}\\p{N}_-]*(?:\\.[\\p{L}\\p{N}_-]+)*';

/** Source of a pattern with three groups: type, name, revision. */
export const ID_SOURCE = `([a-zA-Z]+)~(${NAME})~(\\d+)`;

const ID = new RegExp(`^${ID_SOURCE}$`, 'u');

export interface ItemId {
  readonly type: string;
  readonly name: string;
  readonly revision: number;
}

export function parseId(text: string): ItemId | undefined {
  const match = ID.exec(text);
  return match ? { type: match[1]!, name: match[2]!, revision: Number(match[3]) } : undefined;
}

/** `file:line:column`, as editors and build servers understand it. */
export function placeText({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

/** Order of files, then of lines and columns. */
export function byPlace(a: Place, b: Place): number {
  return byText(a.file, b.file) || a.line - b.line || a.column - b.column;
}

/** The same order on every machine, whatever its locale. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Lines of a text, however they end. */
export function linesOf(text: string): string[] {
  return text.includes('\r') ? text.split(/\r\n|\n|\r/) : text.split('\n');
}
