/**
 * Half-open intervals [from, until) in epoch milliseconds. Billing counts whole seconds: both ends
 * are truncated to the second (R-PAYG-3), not the difference, so the parts of a cut interval add
 * up to the whole.
 */
import { assert } from "./assert.ts";

export interface Interval {
  readonly from: number;
  readonly until: number;
}

/** Refuses non-integers and an end before its start; an empty interval is allowed. */
export function interval(from: number, until: number): Interval {
  assert(Number.isSafeInteger(from) && Number.isSafeInteger(until), "instants are whole ms");
  assert(from <= until, "an interval ends no earlier than it starts");
  return { from, until };
}

/** The whole second that an instant lies in, in epoch seconds. */
export function epochSecond(instantMs: number): number {
  return Math.floor(instantMs / 1000);
}

export function truncateToSecond(instantMs: number): number {
  return epochSecond(instantMs) * 1000;
}

/** Billable length: the difference of the truncated ends. */
export function wholeSeconds(span: Interval): bigint {
  return BigInt(epochSecond(span.until) - epochSecond(span.from));
}

/** What both have in common; `undefined` if that is nothing. */
export function intersect(a: Interval, b: Interval): Interval | undefined {
  const from = Math.max(a.from, b.from);
  const until = Math.min(a.until, b.until);
  return from < until ? { from, until } : undefined;
}

export function overlaps(a: Interval, b: Interval): boolean {
  return intersect(a, b) !== undefined;
}

export function contains(span: Interval, instantMs: number): boolean {
  return span.from <= instantMs && instantMs < span.until;
}

/** Cuts at every instant that lies inside; cuts must ascend. The parts join to the whole. */
export function cutAt(span: Interval, cuts: readonly number[]): Interval[] {
  const parts: Interval[] = [];
  let from = span.from;
  for (const cut of cuts) {
    if (cut <= from || cut >= span.until) continue;
    parts.push({ from, until: cut });
    from = cut;
  }
  if (from < span.until) parts.push({ from, until: span.until });
  return parts;
}
