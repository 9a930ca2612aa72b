/** From `month` or `from`/`through` in a query to a range of local days. */
import {
  addDays,
  addMonths,
  dayOf,
  dayStart,
  firstDay,
  localDay,
  localMonth,
  monthOf,
} from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import type { TimeZone } from "#kernel/zone.ts";
import type { LineRange } from "#flow/rate/charge-lines.ts";

export interface PeriodQuery {
  readonly month?: string | undefined;
  readonly from?: string | undefined;
  readonly through?: string | undefined;
}

/** This month when nothing is named. Throws `invalid_request` for a contradiction. */
export function rangeOf(query: PeriodQuery, zone: TimeZone, now: number): LineRange {
  const { month, from, through } = query;
  if (month !== undefined && (from !== undefined || through !== undefined)) {
    throw new Failure("invalid_request", "Give either a month, or the first and last day.");
  }
  const today = dayOf(zone, now);
  if (from === undefined && through === undefined) {
    return { kind: "billed", month: month === undefined ? monthOf(today) : localMonth(month) };
  }
  const first = from === undefined ? firstDay(monthOf(localDay(through ?? today))) : localDay(from);
  const last = through === undefined ? today : localDay(through);
  if (last < first) {
    throw new Failure("invalid_request", `The last day ${last} is before the first, ${first}.`);
  }
  return { kind: "days", from: first, through: last };
}

/** The same as instants, [from, until). */
export function instantsOf(
  range: LineRange,
  zone: TimeZone,
): { readonly from: number; readonly until: number } {
  if (range.kind === "days") {
    return {
      from: dayStart(zone, range.from),
      until: dayStart(zone, addDays(range.through, 1)),
    };
  }
  return {
    from: dayStart(zone, firstDay(range.month)),
    until: dayStart(zone, firstDay(addMonths(range.month, 1))),
  };
}
