/** Lines of built files in their sources, by the source maps of the compiler. */
import { existsSync, readFileSync } from 'node:fs';

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const MORE = 32;

/** A built column and its line in the source, both from 0. */
type Segment = readonly [number, number];

const maps = new Map<string, readonly (readonly Segment[])[]>();

/** The numbers of one segment: base 64, five bits a digit, the lowest bit is the sign. */
function numbersOf(segment: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const character of segment) {
    const digit = DIGITS.indexOf(character);
    value += (digit & (MORE - 1)) << shift;
    shift += 5;
    if (digit & MORE) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}

function decode(mappings: string): Segment[][] {
  let sourceLine = 0;
  return mappings.split(';').map((line) => {
    let column = 0;
    return line.split(',').flatMap((segment): Segment[] => {
      const [columns = 0, , lines] = numbersOf(segment);
      column += columns;
      if (lines === undefined) return [];
      sourceLine += lines;
      return [[column, sourceLine]];
    });
  });
}

function mapOf(built: string): readonly (readonly Segment[])[] {
  const known = maps.get(built);
  if (known) return known;
  const file = `${built}.map`;
  const text = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  const map = text ? decode((JSON.parse(text) as { mappings: string }).mappings) : [];
  maps.set(built, map);
  return map;
}

/** The line in the source of a place in a built file, all from 1; 0 when there is no map. */
export function originalLine(built: string, line: number, column: number): number {
  const segments = mapOf(built)[line - 1] ?? [];
  const before = segments.filter(([start]) => start <= column - 1).at(-1) ?? segments[0];
  return before ? before[1] + 1 : 0;
}
