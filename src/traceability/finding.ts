/** What the tracer finds: each finding has a state, a weight and a place. */
import type { Asil } from './asil.ts';
import { byPlace, byText, placeText, type Place } from './item.ts';

/**
 * Weight of a state. `defect`: the chain of evidence is broken. `test`: a test failed, or there is
 * no result. `warning`: to be looked at. `consequence`: red only because something below it is red.
 */
export const STATES = {
  grammar: 'warning',
  wording: 'defect',
  uncovered: 'defect',
  partial: 'defect',
  orphaned: 'defect',
  outdated: 'defect',
  predated: 'defect',
  ambiguous: 'defect',
  unwanted: 'defect',
  duplicate: 'defect',
  cycle: 'defect',
  'asil-inconsistent': 'defect',
  'draft-in-release': 'warning',
  suspect: 'defect',
  'suspect-code': 'defect',
  unreviewed: 'warning',
  unspecified: 'warning',
  justified: 'warning',
  'justification-expired': 'defect',
  'clause-unmapped': 'defect',
  'clause-wrong': 'defect',
  'test-failed': 'test',
  'test-not-run': 'test',
  'test-skipped': 'test',
  'results-stale': 'test',
  'test-absent': 'warning',
  threshold: 'threshold',
  tainted: 'consequence',
} as const;

export type State = keyof typeof STATES;
export type Weight = (typeof STATES)[State];

export interface Finding extends Place {
  readonly state: State;
  /** The item it is about; empty for files. */
  readonly item: string;
  readonly asil: Asil | null;
  readonly message: string;
}

export function weightOf(finding: Finding): Weight {
  return STATES[finding.state];
}

/** One line as compilers print it. */
export function findingText(finding: Finding): string {
  const kind = weightOf(finding) === 'warning' ? 'warning' : 'error';
  return `${placeText(finding)}: ${kind}: ${finding.state}: ${finding.message}`;
}

export function byFinding(a: Finding, b: Finding): number {
  return byPlace(a, b) || byText(a.state, b.state) || byText(a.message, b.message);
}
