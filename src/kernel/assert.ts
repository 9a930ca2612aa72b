/**
 * Bugs, as opposed to expected failures (see failure.ts): a broken assertion means that this
 * program is wrong, so the work in hand stops rather than going on with a wrong answer.
 */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

export function assert(condition: unknown, message: string): asserts condition {
  if (condition !== true) throw new AssertionError(message);
}

/** The value, which the caller knows to be there; `what` names it in the error if it is not. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new AssertionError(`missing ${what}`);
  return value;
}

export function unreachable(value: never): never {
  throw new AssertionError(`unreachable value ${JSON.stringify(value)}`);
}
