/** What the policy says about tracing: where things are, how much is enough, what is excused. */
import type { Asil } from './asil.ts';
import type { State } from './finding.ts';

/** Least percentages; what is absent is not demanded. */
export interface Threshold {
  /** Needed artifact types that are covered. */
  readonly links?: number;
  /** Requirements verified by test that have a passed test and no failed one. */
  readonly tested?: number;
  /** Statements and branches of the tagged symbols. */
  readonly statements?: number;
  readonly branches?: number;
  /** Mutants killed in the modules that mutation testing is run for. */
  readonly mutation?: number;
}

/** A finding that is known and accepted until a date, in ISO form. */
export interface Justification {
  readonly item: string;
  readonly state: State;
  readonly reason: string;
  readonly owner: string;
  readonly until: string;
}

export interface TracePolicy {
  /** Folders. */
  readonly documents: readonly string[];
  readonly code: readonly string[];
  readonly tests: readonly string[];
  readonly thresholds: Readonly<Partial<Record<Asil, Threshold>>>;
  readonly justifications: readonly Justification[];
  /** Sources that need no requirement of their own, by path or folder, with the reason. */
  readonly unspecified: Readonly<Record<string, string>>;
}

export const DEFAULT_POLICY: TracePolicy = {
  documents: ['safety'],
  code: ['src'],
  tests: ['test'],
  thresholds: {},
  justifications: [],
  unspecified: {},
};
