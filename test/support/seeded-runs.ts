/** Seed and number of runs of a property test, from the environment or from the test. */

export interface SeededRuns {
  readonly seed: number;
  readonly numRuns: number;
}

export function seededRuns(seed: number, numRuns: number): SeededRuns {
  return {
    seed: Number(process.env['TEST_SEED'] ?? seed),
    numRuns: Number(process.env['TEST_RUNS'] ?? numRuns),
  };
}
