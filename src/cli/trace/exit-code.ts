/** The exit code of `trace`: what is broken outranks what failed, and that what is too little. */
import { atLeast, type Asil } from '../../traceability/asil.ts';
import { weightOf, type Finding, type Weight } from '../../traceability/finding.ts';

/** From which level on a finding counts. */
export type FailOn = 'any' | Asil;

export const TraceExit = { OK: 0, DEFECTS: 1, UNREADABLE: 3, TESTS: 4, THRESHOLD: 5 } as const;

const CODES: readonly (readonly [Weight, number])[] = [
  ['defect', TraceExit.DEFECTS],
  ['test', TraceExit.TESTS],
  ['threshold', TraceExit.THRESHOLD],
];

/** A finding without a level cannot be called minor: it always counts. */
export function counts({ asil }: Finding, failOn: FailOn): boolean {
  return failOn === 'any' || asil === null || atLeast(asil, failOn);
}

export function traceExit(findings: readonly Finding[], failOn: FailOn): number {
  const weights = findings.filter((finding) => counts(finding, failOn)).map(weightOf);
  return CODES.find(([weight]) => weights.includes(weight))?.[1] ?? TraceExit.OK;
}
