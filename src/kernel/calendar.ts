/**
 * Local days, ISO weeks and months of an IANA zone (R-DAY-1, R-DAY-2). A local day is
 * [dayStart(d), dayStart(d + 1)): days never overlap and leave no gap, also where a zone changes
 * its clock at midnight (the day then starts at the first instant that bears its date), where a
 * day has 23 or 25 hours, and where a zone skipped a whole date (that day is empty).
 *
 * The rules of zones come from Intl. Asia/Shanghai has had a fixed offset since 1991 and is the
 * billing zone, so it takes an arithmetic path: some 0.05 µs for the day of an instant, against 5 µs
 * through Intl (two busy cores, warm).
 */
import { assert } from "./assert.ts";
import type { Brand } from "./brand.ts";
import { Failure } from "./failure.ts";
import type { Interval } from "./interval.ts";
import { billingZone, offsetMs, type TimeZone } from "./zone.ts";

/** "2026-05-04" */
export type LocalDay = Brand<string, "LocalDay">;
/** "2026-05" */
export type LocalMonth = Brand<string, "LocalMonth">;

export interface DayPart {
  readonly day: LocalDay;
  readonly part: Interval;
}

const dayMs = 86_400_000;
const shanghaiOffsetMs = 8 * 3_600_000;
/** Shanghai's last change of the clock was in September 1991. */
const shanghaiFixedFromMs = Date.UTC(1992, 0, 1);
/** Longest interval that is cut into days, about 30 years: a longer one is a wrong date. */
const daysPerCutMax = 11_000;
const daysCachedMax = 20_000;

const dayStarts = new Map<string, number>();
const dayNames = new Map<number, LocalDay>();

const dayPattern = /^([1-9][0-9]{3})-([0-9]{2})-([0-9]{2})$/;
const monthPattern = /^([1-9][0-9]{3})-(0[1-9]|1[0-2])$/;

/** Days that were looked at before: the check costs 2 us, and a month's bills name 30 days. */
const knownDays = new Set<string>();
const knownDaysMax = 10_000;

export function isLocalDay(text: string): text is LocalDay {
  if (knownDays.has(text)) return true;
  if (!dayPattern.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(text)) return false;
  if (knownDays.size < knownDaysMax) knownDays.add(text);
  return true;
}

export function isLocalMonth(text: string): text is LocalMonth {
  return monthPattern.test(text);
}

export function localDay(text: string): LocalDay {
  if (isLocalDay(text)) return text;
  throw new Failure(
    "invalid_request",
    `${JSON.stringify(text.slice(0, 40))} is no date: write 2026-05-04.`,
  );
}

export function localMonth(text: string): LocalMonth {
  if (isLocalMonth(text)) return text;
  throw new Failure(
    "invalid_request",
    `${JSON.stringify(text.slice(0, 40))} is no month: write 2026-05.`,
  );
}

/** The local day that an instant lies in. */
export function dayOf(zone: TimeZone, instantMs: number): LocalDay {
  if (fixedShanghai(zone, instantMs)) return dayFromUtcMs(instantMs + shanghaiOffsetMs);
  const shown = dayFromUtcMs(instantMs + offsetMs(zone, instantMs));
  // A clock set back over midnight shows the old date again; the day has begun all the same.
  const next = addDays(shown, 1);
  return dayStart(zone, next) <= instantMs ? next : shown;
}

/** The first instant of a local day, in epoch milliseconds. */
export function dayStart(zone: TimeZone, day: LocalDay): number {
  const utcMidnight = utcMs(day);
  if (fixedShanghai(zone, utcMidnight - dayMs)) return utcMidnight - shanghaiOffsetMs;
  const key = `${zone} ${day}`;
  const known = dayStarts.get(key);
  if (known !== undefined) return known;
  if (dayStarts.size >= daysCachedMax) dayStarts.clear();
  const start = findDayStart(zone, utcMidnight);
  dayStarts.set(key, start);
  return start;
}

export function dayInterval(zone: TimeZone, day: LocalDay): Interval {
  return { from: dayStart(zone, day), until: dayStart(zone, addDays(day, 1)) };
}

export function monthInterval(zone: TimeZone, month: LocalMonth): Interval {
  return {
    from: dayStart(zone, firstDay(month)),
    until: dayStart(zone, firstDay(addMonths(month, 1))),
  };
}

/** The parts of an interval by local day, in order; they join to the whole. */
export function splitAtMidnights(zone: TimeZone, span: Interval): DayPart[] {
  const parts: DayPart[] = [];
  assert(
    span.until - span.from <= daysPerCutMax * dayMs,
    "an interval to cut is of bounded length",
  );
  let from = span.from;
  let day = dayOf(zone, from);
  while (from < span.until) {
    const next = addDays(day, 1);
    const until = Math.min(dayStart(zone, next), span.until);
    if (until > from) parts.push({ day, part: { from, until } });
    from = until;
    day = next;
  }
  return parts;
}

export function monthOf(day: LocalDay): LocalMonth {
  return localMonth(day.slice(0, 7));
}

export function firstDay(month: LocalMonth): LocalDay {
  return localDay(`${month}-01`);
}

export function addDays(day: LocalDay, days: number): LocalDay {
  return dayFromUtcMs(utcMs(day) + days * dayMs);
}

export function addMonths(month: LocalMonth, months: number): LocalMonth {
  const [year, index] = [Number(month.slice(0, 4)), Number(month.slice(5)) - 1];
  return localMonth(new Date(Date.UTC(year, index + months, 1)).toISOString().slice(0, 7));
}

/** The same day of the month `months` later, clamped to its end: 31 January + 1 is 28 February. */
export function addMonthsClamped(day: LocalDay, months: number): LocalDay {
  const first = firstDay(addMonths(monthOf(day), months));
  const last = addDays(firstDay(addMonths(monthOf(first), 1)), -1);
  const wanted = addDays(first, Number(day.slice(8)) - 1);
  return wanted > last ? last : wanted;
}

/** Calendar days from `from` to `until`; negative if `until` is earlier. */
export function daysBetween(from: LocalDay, until: LocalDay): number {
  return (utcMs(until) - utcMs(from)) / dayMs;
}

/** Every day of [from, until). */
export function daysOf(from: LocalDay, until: LocalDay): LocalDay[] {
  const count = daysBetween(from, until);
  assert(count <= daysPerCutMax, "a range of days is of bounded length");
  return Array.from({ length: Math.max(0, count) }, (_, index) => addDays(from, index));
}

export interface IsoWeek {
  /** "2026-W27"; near the turn of a year, that of the week's Thursday. */
  readonly name: string;
  /** Monday. */
  readonly from: LocalDay;
  /** The next Monday, exclusive. */
  readonly until: LocalDay;
}

export function isoWeekOf(day: LocalDay): IsoWeek {
  const mondayBased = (new Date(utcMs(day)).getUTCDay() + 6) % 7;
  const from = addDays(day, -mondayBased);
  const thursday = addDays(from, 3);
  const year = thursday.slice(0, 4);
  const week = Math.floor(daysBetween(localDay(`${year}-01-01`), thursday) / 7) + 1;
  return { name: `${year}-W${String(week).padStart(2, "0")}`, from, until: addDays(from, 7) };
}

function fixedShanghai(zone: TimeZone, instantMs: number): boolean {
  return zone === billingZone && instantMs >= shanghaiFixedFromMs;
}

function utcMs(day: LocalDay): number {
  return Date.UTC(Number(day.slice(0, 4)), Number(day.slice(5, 7)) - 1, Number(day.slice(8, 10)));
}

/** The date that a UTC clock shows; kept, since writing one as text is what takes the time. */
function dayFromUtcMs(ms: number): LocalDay {
  const epochDay = Math.floor(ms / dayMs);
  const known = dayNames.get(epochDay);
  if (known !== undefined) return known;
  if (dayNames.size >= daysCachedMax) dayNames.clear();
  const day = localDay(new Date(epochDay * dayMs).toISOString().slice(0, 10));
  dayNames.set(epochDay, day);
  return day;
}

/**
 * Local midnight as the zone's clock had it before, else after, the one change of the clock that
 * may lie within a day of it; where the change skipped midnight, the change itself.
 */
function findDayStart(zone: TimeZone, utcMidnight: number): number {
  const before = offsetMs(zone, utcMidnight - dayMs);
  const after = offsetMs(zone, utcMidnight + dayMs);
  if (before === after) return utcMidnight - before;
  let [low, high] = [utcMidnight - dayMs, utcMidnight + dayMs];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(zone, middle) === before) low = middle;
    else high = middle;
  }
  const change = high;
  const atOldOffset = utcMidnight - before;
  return atOldOffset < change ? atOldOffset : Math.max(change, utcMidnight - after);
}
