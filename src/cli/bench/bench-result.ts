/** What every bench gives: a document for programs, and the same in words. */

export interface BenchResult {
  readonly document: object;
  readonly text: string;
}

/** Says what is being measured, to whoever waits for it. */
export type Progress = (what: string) => void;
