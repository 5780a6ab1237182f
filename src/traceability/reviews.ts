/** Review stamps: hashes of what was reviewed, so that a later change makes the item suspect. */
import { sha256 } from '../host/digest.ts';
import type { Finding } from './finding.ts';
import { byText, type Item } from './item.ts';
import { taggedCode, type TagItem } from './scan-tags.ts';
import type { Asil } from './asil.ts';

export interface ReviewStamp {
  readonly by: string;
  /** Hash of title, text and tags of the item. */
  readonly text: string;
  /** By `file#symbol` the hash of the code, a colon, and four digits for each of its lines. */
  readonly code: Readonly<Record<string, string>>;
  /** By file, eight digits for each tag of a test. */
  readonly tests: Readonly<Record<string, string>>;
}

/** The file of stamps, by the id of the item. */
export type Reviews = Readonly<Record<string, ReviewStamp>>;

export interface Reviewed {
  readonly item: Item;
  readonly asil: Asil | null;
  readonly implementations: readonly TagItem[];
  readonly tests: readonly TagItem[];
}

const DIGITS = 16;
const LINE_DIGITS = 4;
const TEST_DIGITS = 8;

function textHash({ title, description, tags, needs, covers }: Item): string {
  const parents = covers.map(({ id }) => id);
  return sha256(JSON.stringify([title, description, tags, needs, parents])).slice(0, DIGITS);
}

function codeKey({ file, symbol }: TagItem): string {
  return `${file}#${symbol?.name ?? ''}`;
}

/** Of all of the code; what the stamp says about its lines follows behind a colon. */
function codeHash(tag: TagItem): string {
  const code = taggedCode(tag).map(({ text }) => text);
  return sha256(code.join('\n')).slice(0, DIGITS);
}

function lineHashes(tag: TagItem): string[] {
  return taggedCode(tag).map(({ text }) => sha256(text).slice(0, LINE_DIGITS));
}

function testHash({ literal }: TagItem): string {
  return sha256(literal).slice(0, TEST_DIGITS);
}

function sorted(entries: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries([...entries].sort(([a], [b]) => byText(a, b)));
}

export function stampOf({ item, implementations, tests }: Reviewed, by: string): ReviewStamp {
  const files = [...new Set(tests.map(({ file }) => file))];
  const hashes = (file: string) =>
    tests.filter((test) => test.file === file).map((test) => testHash(test));
  return {
    by,
    text: textHash(item),
    code: sorted(
      implementations.map((tag) => [codeKey(tag), `${codeHash(tag)}:${lineHashes(tag).join('')}`]),
    ),
    tests: sorted(files.map((file) => [file, hashes(file).sort(byText).join(' ')])),
  };
}

/** The first line whose digits differ from the stamp's, or the symbol's first line. */
function changedLine(tag: TagItem, stamp: string): number {
  const before = stamp.split(':')[1] ?? '';
  const changed = lineHashes(tag).findIndex(
    (hash, n) => before.slice(n * LINE_DIGITS, (n + 1) * LINE_DIGITS) !== hash,
  );
  return taggedCode(tag)[changed]?.line ?? tag.symbol?.line ?? tag.line;
}

function codeFindings({ item, asil, implementations }: Reviewed, stamp: ReviewStamp): Finding[] {
  const findings: Finding[] = [];
  const about = { state: 'suspect-code', item: item.id, asil } as const;
  for (const tag of implementations) {
    const before = stamp.code[codeKey(tag)];
    const name = tag.symbol?.name ?? tag.file;
    if (before === undefined) {
      const { file, line, column } = tag;
      const message = `${item.id} was reviewed without ${name}`;
      findings.push({ ...about, file, line, column, message });
    } else if (!before.startsWith(`${codeHash(tag)}:`)) {
      const line = changedLine(tag, before);
      const message = `${name} has changed since ${item.id} was reviewed`;
      findings.push({ ...about, file: tag.file, line, column: 1, message });
    }
  }
  const keys = new Set(implementations.map(codeKey));
  for (const key of Object.keys(stamp.code)) {
    if (keys.has(key)) continue;
    const message = `${item.id} was reviewed with ${key}, which is no longer tagged`;
    const { file, line, column } = item;
    findings.push({ ...about, file, line, column, message });
  }
  return findings;
}

function testFindings({ item, asil, tests }: Reviewed, stamp: ReviewStamp): Finding[] {
  return Object.entries(stamp.tests).flatMap(([file, hashes]) => {
    const now = tests.filter((test) => test.file === file).map(testHash);
    const gone = hashes.split(' ').filter((hash) => {
      const at = now.indexOf(hash);
      if (at >= 0) now.splice(at, 1);
      return at < 0;
    });
    if (gone.length === 0) return [];
    const which = `of the tests that ${item.id} was reviewed with`;
    const message = `${gone.length} ${which} is gone or renamed`;
    return [{ state: 'suspect' as const, item: item.id, asil, file, line: 1, column: 1, message }];
  });
}

// [impl->req~trace.reviews~1]
export function reviewFindings(reviewed: Reviewed, stamp: ReviewStamp | undefined): Finding[] {
  const { item, asil } = reviewed;
  const { file, line, column } = item;
  const at = { item: item.id, asil, file, line, column };
  if (!stamp) {
    return [{ ...at, state: 'unreviewed', message: `${item.id} has no review stamp` }];
  }
  const message = `the text of ${item.id} has changed since it was reviewed, its revision has not`;
  return [
    ...(stamp.text === textHash(item) ? [] : [{ ...at, state: 'suspect' as const, message }]),
    ...codeFindings(reviewed, stamp),
    ...testFindings(reviewed, stamp),
  ];
}
