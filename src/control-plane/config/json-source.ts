/** A JSON text with the places of its values: strict, bounded, every mistake at once. */
import {
  createScanner,
  findNodeAtLocation,
  parseTree,
  printParseErrorCode,
  SyntaxKind,
  type Node,
  type ParseError,
} from 'jsonc-parser';

export type JsonPath = readonly (string | number)[];

/** One thing that is wrong, where, and what would be right. */
export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

const NESTING_MAX = 64;
const PROBLEMS_MAX = 200;

/** A sentence for every mistake that the parser knows. */
const SYNTAX: Record<string, string> = {
  InvalidSymbol: 'this is not JSON',
  InvalidNumberFormat: 'this is not a JSON number',
  PropertyNameExpected: 'a property name in double quotes is expected',
  ValueExpected: 'a value is expected',
  ColonExpected: 'a colon is expected',
  CommaExpected: 'a comma is expected',
  CloseBraceExpected: 'the object is not closed: } is expected',
  CloseBracketExpected: 'the array is not closed: ] is expected',
  EndOfFileExpected: 'nothing may follow the document',
  InvalidCommentToken: 'comments are not JSON',
  UnexpectedEndOfComment: 'comments are not JSON',
  UnexpectedEndOfString: 'the string is not closed',
  UnexpectedEndOfNumber: 'the number ends too early',
  InvalidUnicode: 'this is not a Unicode escape',
  InvalidEscapeCharacter: 'this escape does not exist in JSON',
  InvalidCharacter: 'this character is not allowed in JSON',
};

// [impl->req~cfg.strict-json~1]
export class JsonSource {
  readonly problems: Problem[] = [];
  readonly value: unknown;
  private readonly lineStarts: number[] = [0];
  private tree: Node | undefined;

  constructor(text: string) {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1))
      this.lineStarts.push(at + 1);
    const tooDeep = firstTooDeep(text);
    if (tooDeep >= 0) {
      this.add(tooDeep, '', `nested deeper than ${NESTING_MAX} levels`);
      return;
    }
    const errors: ParseError[] = [];
    this.tree = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
    if (text.trim() === '')
      this.add(text.length, '', 'the file is empty: a JSON object is expected');
    else this.addSyntax(errors);
    if (this.problems.length === 0 && this.tree) this.value = this.convert(this.tree, []);
  }

  /** All mistakes but those that only follow from the one right before them. */
  private addSyntax(errors: readonly ParseError[]): void {
    let end = -1;
    for (const { error, offset, length } of errors.slice(0, PROBLEMS_MAX)) {
      const code = printParseErrorCode(error);
      if (end < 0 || offset > end + 1) this.add(offset, '', SYNTAX[code]!);
      end = offset + length;
    }
  }

  private add(offset: number, path: string, message: string): void {
    const { line, column } = this.position(offset);
    this.problems.push({ path, line, column, message });
  }

  private position(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.lineStarts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.lineStarts[low]! + 1 };
  }

  /**
   * Plain data without surprises: `__proto__` is a property like any other, numbers are finite. The
   * text has no mistakes of syntax, so that every node is whole.
   */
  private convert(node: Node, path: JsonPath): unknown {
    if (node.type === 'array')
      return node.children!.map((child, n) => this.convert(child, [...path, n]));
    if (node.type !== 'object') {
      if (typeof node.value === 'number' && !Number.isFinite(node.value)) {
        this.add(node.offset, pointer(path), 'the number is too large to be represented');
      }
      return node.value;
    }
    const object: Record<string, unknown> = {};
    for (const property of node.children!) {
      const [key, value] = property.children as [Node, Node];
      const name = String(key.value);
      if (Object.hasOwn(object, name)) {
        this.add(
          key.offset,
          pointer([...path, name]),
          `duplicate key "${name}": each key may stand once`,
        );
      }
      Object.defineProperty(object, name, {
        value: this.convert(value, [...path, name]),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return object;
  }

  // [impl->req~cfg.all-errors~1]
  /** A problem at the value of this path, or at the nearest one around it that exists. */
  problemAt(path: JsonPath, message: string, atKey = false): Problem {
    for (let length = path.length; length >= 0; length--) {
      const node =
        this.tree && findNodeAtLocation(this.tree, path.slice(0, length) as (string | number)[]);
      if (!node) continue;
      const keyed = atKey && length === path.length && node.parent?.type === 'property';
      const offset = keyed ? node.parent!.children![0]!.offset : node.offset;
      return { path: pointer(path), ...this.position(offset), message };
    }
    return { path: pointer(path), line: 1, column: 1, message };
  }
}

export function pointer(path: JsonPath): string {
  return path
    .map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}

/**
 * Offset of the first bracket that opens too deep a level, or -1; iterative, whatever the text is.
 */
function firstTooDeep(text: string): number {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (let token = scanner.scan(); token !== SyntaxKind.EOF; token = scanner.scan()) {
    if (token === SyntaxKind.OpenBraceToken || token === SyntaxKind.OpenBracketToken) {
      if (++depth > NESTING_MAX) return scanner.getTokenOffset();
    } else if (token === SyntaxKind.CloseBraceToken || token === SyntaxKind.CloseBracketToken)
      depth = Math.max(0, depth - 1);
  }
  return -1;
}
