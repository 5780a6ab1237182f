/** Scanner for coverage tags of OpenFastTrace in code and tests, with the code they stand above. */
import { ID_SOURCE, linesOf, type Item, type TextFile } from './item.ts';
import { codeOf, symbolBelow, type CodeLine, type CodeSymbol } from './symbol.ts';

/** A tag is an item that covers one other item. */
export interface TagItem extends Item {
  readonly origin: 'tag';
  /** The declaration below the tag; undefined for the tag of a test. */
  readonly symbol: CodeSymbol | undefined;
  /** All lines of the file; {@link taggedCode} picks the declaration's. */
  readonly lines: readonly string[];
  /** What stands between the tag and the end of its string literal. */
  readonly literal: string;
}

const NONE: readonly never[] = [];
const NEEDS = '>>\\s*([a-zA-Z]+(?:\\s*,\\s*[a-zA-Z]+)*)';
const OWN = '([\\p{L}][\\p{L}\\p{N}_-]*(?:\\.[\\p{L}\\p{N}_-]+)*)';
const TAG = new RegExp(
  `\\[\\s*([a-zA-Z]+)(?:~${OWN}?~(\\d+))?\\s*->\\s*(${ID_SOURCE})\\s*(?:${NEEDS}\\s*)?\\]`,
  'gu',
);

/** Extensions that the original reads by itself, as far as they occur in such a project. */
const EXTENSIONS = new Set(
  'js mjs cjs ts json html xml yaml yml sh bash cfg conf ini toml c cc cpp h py rs go'.split(' '),
);

export function isTagged(file: string): boolean {
  return EXTENSIONS.has(file.slice(file.lastIndexOf('.') + 1));
}

/** Text from `from` to the quote or the placeholder that ends the literal. */
function literalOf(line: string, from: number): string {
  const end = /['"`\\]|\$\{/.exec(line.slice(from));
  return line.slice(from, end ? from + end.index : line.length);
}

function tagItem(
  { file }: TextFile,
  lines: readonly string[],
  n: number,
  match: RegExpMatchArray,
): TagItem {
  const [, , own, revision, , , , , needs] = match;
  const [type, id, name] = [match[1]!, match[4]!, match[6]!];
  const text = lines[n]!;
  const line = n + 1;
  const column = match.index! + 1;
  const ownName = own ?? (needs === undefined ? `${name}@${file}:${line}:${column}` : name);
  const inComment = /^\s*(?:\/\/|\/\*|\*|#)/.test(text);
  return {
    file,
    line,
    column,
    id: `${type}~${ownName}~${revision ?? 0}`,
    type,
    name: ownName,
    revision: Number(revision ?? 0),
    title: '',
    description: '',
    rationale: '',
    comment: '',
    status: 'approved',
    origin: 'tag',
    depends: NONE,
    tags: NONE,
    covers: [{ id, file, line, column: column + match[0].indexOf(id) }],
    needs: needs ? needs.split(',').map((word) => word.trim()) : NONE,
    symbol: inComment ? symbolBelow(lines, line) : undefined,
    lines,
    literal: literalOf(text, match.index!),
  };
}

/** The code of the declaration below a tag, comments left out. */
export function taggedCode({ lines, symbol }: TagItem): readonly CodeLine[] {
  return symbol ? codeOf(lines, symbol) : NONE;
}

// [impl->req~trace.scan~1]
export function scanTags(files: readonly TextFile[]): TagItem[] {
  const found: TagItem[] = [];
  for (const source of files) {
    if (!source.text.includes('->') || !isTagged(source.file)) continue;
    const lines = linesOf(source.text);
    lines.forEach((line, n) => {
      if (!line.includes('->')) return;
      for (const match of line.matchAll(TAG)) found.push(tagItem(source, lines, n, match));
    });
  }
  return found;
}
