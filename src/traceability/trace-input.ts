/** What a trace is made from, as the command line reads it from files. */
import type { ClauseMap } from './clauses.ts';
import type { TextFile } from './item.ts';
import type { TracePolicy } from './policy.ts';
import type { Reviews } from './reviews.ts';
import type { FileCoverage } from './symbol-coverage.ts';
import type { TestResult } from './test-results.ts';

/** Where a trace comes from; nothing here depends on the time of day. */
export interface TraceOrigin {
  readonly tool: string;
  /** Hash of the commit, or empty outside a repository. */
  readonly commit: string;
  readonly dirty: boolean;
  /** Date of the commit in ISO form, or empty: justifications are judged by it. */
  readonly asOf: string;
  /** Prefix of links to sources, or a template with `{file}` and `{line}`. */
  readonly linkBase: string;
}

export interface MutationScore {
  readonly killed: number;
  readonly total: number;
  /** Hash of the code that was mutated. */
  readonly tested: string;
}

export interface TraceInput {
  readonly origin: TraceOrigin;
  readonly documents: readonly TextFile[];
  readonly code: readonly TextFile[];
  readonly tests: readonly TextFile[];
  /** Undefined where results are not asked for, as in a gate that runs before the tests. */
  readonly results: readonly TestResult[] | undefined;
  /** The sources are not those that the results are about. */
  readonly resultsStale: boolean;
  readonly coverage: ReadonlyMap<string, FileCoverage>;
  readonly reviews: Reviews | undefined;
  readonly clauses: readonly (TextFile & { readonly map: ClauseMap })[];
  readonly mutation: MutationScore | null;
  readonly policy: TracePolicy;
}
