/**
 * In which order? Pure: priority class, then age, then id, so that two that came in the same
 * millisecond still have one order everywhere.
 */
export interface Waiting {
  readonly requestId: string;
  /** 0 is first. */
  readonly priority: number;
  readonly enqueuedAt: number;
}

export function before(a: Waiting, b: Waiting): number {
  if (a.priority !== b.priority) return a.priority - b.priority;
  if (a.enqueuedAt !== b.enqueuedAt) return a.enqueuedAt - b.enqueuedAt;
  return a.requestId < b.requestId ? -1 : 1;
}

export function inOrder<T extends Waiting>(entries: readonly T[]): T[] {
  return entries.toSorted(before);
}
