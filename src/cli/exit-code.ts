/** Exit codes of the contract. */
export const ExitCode = { OK: 0, FAILED: 1, USAGE: 2, NOT_SCHEDULABLE: 3 } as const;
