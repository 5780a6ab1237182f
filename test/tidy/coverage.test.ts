/** The coverage gate: it cannot pass empty, and its exceptions are listed with a reason. */
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT, SOURCES } from './sources.ts';

interface Figure {
  readonly total: number;
  readonly covered: number;
  readonly pct: number;
}
type Summary = Record<string, { readonly branches: Figure; readonly statements: Figure }>;

interface Policy {
  readonly coverage: {
    readonly branchesOverall: number;
    readonly fullBranches: readonly string[];
    readonly exceptions: Readonly<
      Record<string, { readonly branches: number; readonly reason: string }>
    >;
  };
}

/**
 * A source of types only compiles to nothing that could run. What touches the document runs in a
 * browser only: the test of the dashboard in Chromium counts its functions.
 */
function runs(file: string): boolean {
  if (file.endsWith('.d.ts')) return false;
  const built = path.join(ROOT, 'build', file.replace(/\.ts$/, '.js'));
  if (file.startsWith('src/dashboard/page/') && !existsSync(built)) return false;
  const compiled = readFileSync(built, 'utf8');
  const rest = compiled.replace(
    /"use strict";|Object\.defineProperty\(exports, "__esModule".*|\/\/.*|\/\*[^]*?\*\//g,
    '',
  );
  return rest.trim() !== '';
}

const { coverage: policy } = JSON.parse(
  readFileSync(path.join(ROOT, 'traceability/policy.json'), 'utf8'),
) as Policy;

function summary(): Summary {
  const all = JSON.parse(
    readFileSync(path.join(ROOT, 'build/coverage/coverage-summary.json'), 'utf8'),
  ) as Summary;
  return Object.fromEntries(
    Object.entries(all).map(([file, figures]) => [path.relative(ROOT, file), figures]),
  );
}

describe('coverage', () => {
  it('[utest->req~dev.covered~1] every source is in the coverage report', () => {
    const reported = new Set(Object.keys(summary()));
    const missing = SOURCES.map(({ file }) => file).filter(
      (file) => runs(file) && !reported.has(file),
    );
    assert.deepEqual(missing, []);
  });

  it('[utest->req~dev.covered~1] branches are covered, wholly where the policy says so', () => {
    const figures = summary();
    const sources = SOURCES.map(({ file }) => file).filter(runs);
    const sum = (key: 'covered' | 'total') =>
      sources.reduce((n, file) => n + figures[file]!.branches[key], 0);
    const overall = (100 * sum('covered')) / sum('total');
    assert.ok(
      overall >= policy.branchesOverall,
      `${overall.toFixed(2)} % of branches, below ${policy.branchesOverall}`,
    );
    const short = sources
      .filter((file) => policy.fullBranches.some((prefix) => file.startsWith(prefix)))
      .filter((file) => {
        const { total, covered } = figures[file]!.branches;
        return total - covered > (policy.exceptions[file]?.branches ?? 0);
      })
      .map((file) => `${file}: ${figures[file]!.branches.pct} %`);
    assert.deepEqual(short, []);
  });
});
