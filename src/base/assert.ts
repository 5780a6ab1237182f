/**
 * Our own mistakes: an assertion that fails is a defect of the gateway and ends in the safe state.
 */

/** Thrown by {@link assert}; nothing below the entries catches it. */
export class InternalError extends Error {
  override readonly name = 'InternalError';
}

/** @throws InternalError when the condition does not hold */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InternalError(message);
}

/** The value, which by construction is there. @throws InternalError when it is not */
export function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new InternalError(`missing: ${what}`);
  return value;
}
