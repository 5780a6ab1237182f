/** The declaration that a tag stands above, found by the layout of the formatter. */

/** Lines count from 1; `endLine` is included. */
export interface CodeSymbol {
  readonly name: string;
  readonly line: number;
  readonly endLine: number;
}

const COMMENT = /^\s*(?:\/\/|\/\*|\*|#(?!!?\[))/;
const MODIFIERS = [
  ...['export', 'declare', 'abstract', 'async', 'private', 'protected', 'public', 'override'],
  ...['static', 'readonly', 'get', 'set', 'class', 'const', 'let', 'interface', 'type'],
];
const DECLARATION = new RegExp(`^\\s*(?:(?:${MODIFIERS.join('|')}|function\\*?) )*([\\w$#]+)`);
/** Such a line goes on until a closer of its indentation that opens nothing. */
const OPENS = /[{([]$|=>$|=$|,$|[^;]\|$|&&$|\?$|:$/;

function indentation(line: string): number {
  return line.length - line.trimStart().length;
}

function endOf(lines: readonly string[], start: number): number {
  const first = lines[start]!;
  if (/;$|\}$/.test(first) && !OPENS.test(first)) return start;
  const depth = indentation(first);
  for (let n = start + 1; n < lines.length; n++) {
    const line = lines[n]!;
    if (line.trim() === '' || indentation(line) > depth) continue;
    if (!/^\s*[)}\]]/.test(line)) return n - 1;
    if (!OPENS.test(line)) return n;
  }
  return lines.length - 1;
}

/** The next declaration below line `line` (from 1), or undefined at the end of a file. */
export function symbolBelow(lines: readonly string[], line: number): CodeSymbol | undefined {
  for (let n = line; n < lines.length; n++) {
    const text = lines[n]!;
    if (text.trim() === '' || COMMENT.test(text) || text.startsWith('import ')) continue;
    const name = DECLARATION.exec(text)?.[1] ?? text.trim();
    return { name, line: n + 1, endLine: endOf(lines, n) + 1 };
  }
  return undefined;
}

/** A line of code, by its number from 1, without indentation. */
export interface CodeLine {
  readonly line: number;
  readonly text: string;
}

/** The symbol's code without comments, blank lines and indentation: what a review is about. */
export function codeOf(lines: readonly string[], symbol: CodeSymbol): CodeLine[] {
  return lines
    .slice(symbol.line - 1, symbol.endLine)
    .map((text, n) => ({ line: symbol.line + n, text: text.trim() }))
    .filter(({ text }) => text !== '' && !COMMENT.test(text));
}
