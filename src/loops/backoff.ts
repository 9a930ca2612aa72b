/** How a loop that fails behaves: how long it rests, and when it is worth a line in the log. Pure. */

const firstRestMs = 500;
/** A site or a database that comes back is noticed within this time, nudged or not. */
const restMaxMs = 30_000;
/** The shortest rest that a nudge leaves. */
export const nudgedRestMs = 500;

/** After so many failures in a row: 0.5 s, 1 s, 2 s, … 30 s. */
export function restAfterMs(failuresInRow: number): number {
  return Math.min(restMaxMs, firstRestMs * 2 ** Math.min(failuresInRow - 1, 16));
}

export interface Saying {
  readonly message: string;
  /** On a monotonic clock. */
  readonly atMs: number;
}

export interface Said extends Saying {
  /** It has worked since. */
  readonly isOver: boolean;
}

const sameAgainMs = 600_000;
/** Also for a message that never is the same, and for a loop that fails now and then. */
const anotherAgainMs = 60_000;

/**
 * When it begins to fail; while it does, each ten minutes. Another message, or another beginning,
 * is said when a minute has passed since the last line.
 */
export function worthSaying(said: Said | undefined, next: Saying): boolean {
  if (said === undefined) return true;
  const isSame = said.message === next.message && !said.isOver;
  return next.atMs - said.atMs >= (isSame ? sameAgainMs : anotherAgainMs);
}
