/**
 * Terms of a subscription and where they begin and end (R-VM-2). Each boundary is so many months
 * after the original start, never after another boundary: 31 January, 28 February, 31 March. It has
 * the start's time of day.
 */
import { addDays, addMonthsClamped, dayOf, dayStart, type LocalDay } from "#kernel/calendar.ts";
import type { TimeZone } from "#kernel/zone.ts";

export const terms = ["monthly", "quarterly", "annual"] as const;
export type Term = (typeof terms)[number];

export const monthsOf = { monthly: 1, quarterly: 3, annual: 12 } as const satisfies Record<
  Term,
  number
>;

/** The original start, as an instant of a zone. */
export interface Anchor {
  readonly zone: TimeZone;
  readonly at: number;
}

/** The local day that lies `months` after that of the start, clamped to the end of its month. */
export function monthMark(start: LocalDay, months: number): LocalDay {
  return addMonthsClamped(start, months);
}

/**
 * That day at the start's time of day. Where a clock change makes the day shorter than that, its
 * last millisecond.
 */
export function monthMarkAt({ zone, at }: Anchor, months: number): number {
  const start = dayOf(zone, at);
  const mark = monthMark(start, months);
  const timeOfDay = at - dayStart(zone, start);
  return Math.min(dayStart(zone, mark) + timeOfDay, dayStart(zone, addDays(mark, 1)) - 1);
}

export interface Period<Bound> {
  readonly from: Bound;
  readonly until: Bound;
}

/** `count` terms after each other, by local day. */
export function periods(start: LocalDay, term: Term, count: number): Period<LocalDay>[] {
  const months = monthsOf[term];
  return Array.from({ length: count }, (_, index) => ({
    from: monthMark(start, index * months),
    until: monthMark(start, (index + 1) * months),
  }));
}

/** Months of a term that have begun on a day: 1 on its first. The marks are those of the anchor. */
export function monthsStarted(
  { anchor, fromMonth }: { readonly anchor: LocalDay; readonly fromMonth: number },
  on: LocalDay,
): number {
  let count = 1;
  while (monthMark(anchor, fromMonth + count) <= on) count += 1;
  return count;
}
