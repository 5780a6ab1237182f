/** Statement and branch coverage of a range of lines, from the coverage map of the instrumenter. */

interface Position {
  readonly line: number;
}

interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** One file of `coverage-final.json`. */
export interface FileCoverage {
  readonly statementMap: Readonly<Record<string, Range>>;
  readonly branchMap: Readonly<Record<string, { readonly loc: Range }>>;
  readonly s: Readonly<Record<string, number>>;
  readonly b: Readonly<Record<string, readonly number[]>>;
}

export interface Covered {
  readonly covered: number;
  readonly total: number;
}

export interface SymbolCoverage {
  readonly statements: Covered;
  readonly branches: Covered;
}

function sum(counts: readonly number[]): Covered {
  return { covered: counts.filter((count) => count > 0).length, total: counts.length };
}

export function coverageOf(file: FileCoverage, line: number, endLine: number): SymbolCoverage {
  const inside = ({ start, end }: Range) => start.line >= line && end.line <= endLine;
  const statements = Object.entries(file.statementMap)
    .filter(([, range]) => inside(range))
    .map(([key]) => file.s[key] ?? 0);
  const branches = Object.entries(file.branchMap)
    .filter(([, { loc }]) => inside(loc))
    .flatMap(([key]) => file.b[key] ?? []);
  return { statements: sum(statements), branches: sum(branches) };
}

export function addCoverage(all: readonly SymbolCoverage[]): SymbolCoverage {
  const add = (pick: (one: SymbolCoverage) => Covered): Covered => ({
    covered: all.reduce((n, one) => n + pick(one).covered, 0),
    total: all.reduce((n, one) => n + pick(one).total, 0),
  });
  return { statements: add((one) => one.statements), branches: add((one) => one.branches) };
}
