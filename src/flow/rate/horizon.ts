/** What a pass of the rater has to look at; known before the usage is read. Pure. */
import { addDays, dayOf, dayStart, type LocalDay } from "#kernel/calendar.ts";
import type { TimeZone } from "#kernel/zone.ts";

/** A day is posted that long after its end (R-DAY-3). */
export const postAfterMs = 48 * 3_600_000;

export interface Horizon {
  readonly postedThrough: LocalDay;
  /** The last day that may be posted now; `postedThrough` if none more may. */
  readonly postThrough: LocalDay;
  /** When the day after `postThrough` may be posted. */
  readonly postNextAt: number;
  readonly today: LocalDay;
  /** Posted days from here on are compared with their usage. After `today` and them: none are. */
  readonly adjustableFrom: LocalDay;
  /** Usage is needed from this local day on. */
  readonly usageFrom: LocalDay;
}

export interface HorizonAsk {
  readonly zone: TimeZone;
  readonly now: number;
  readonly postedThrough: LocalDay;
  /** Usage of a posted day counts if it comes within so many days (R-LATE-1). */
  readonly lateDaysMax: number;
  /** Up to where all usage is events; `undefined` where nothing is open. */
  readonly completeUntil: number | undefined;
}

/**
 * A pass that posts a day also looks for late usage of the days before; the others, once a minute,
 * read only the usage of days that are not posted. How late usage may come is decided when it comes
 * (flow/meter): a pass looks as far back as that was for anything since the one before it, which
 * posted the last day that is posted, at least two days after that.
 */
export function horizonOf(ask: HorizonAsk): Horizon {
  const { zone, now, postedThrough, lateDaysMax, completeUntil } = ask;
  const today = dayOf(zone, now);
  // The day that contained this instant ended at most 48 h ago, so the one before it is due.
  const due = addDays(dayOf(zone, now - postAfterMs), -1);
  const complete = completeUntil === undefined ? due : addDays(dayOf(zone, completeUntil), -1);
  const postable = complete < due ? complete : due;
  const postThrough = postable > postedThrough ? postable : postedThrough;
  const unposted = addDays(postedThrough, 1);
  const last = addDays(postedThrough, 2);
  const adjustableFrom =
    postThrough > postedThrough
      ? addDays(last < today ? last : today, -lateDaysMax)
      : addDays(postedThrough < today ? today : postedThrough, 1);
  return {
    postedThrough,
    postThrough,
    postNextAt: postableAt(zone, addDays(postThrough, 1)),
    today,
    adjustableFrom,
    usageFrom: adjustableFrom < unposted ? adjustableFrom : unposted,
  };
}

export interface PostedDays {
  readonly zone: TimeZone;
  /** The first day that is rated: before it nothing is posted. */
  readonly ratedFrom: LocalDay;
  readonly postedThrough: LocalDay;
}

/** A clock may be set back so far, or differ so much from another process's, and rating goes on. */
const clockBackMaxMs = 3_600_000;

/**
 * Whether the clock shows a time at which the last posted day could not have been posted: it was set
 * back, or had been set forward. Then nothing is rated until it has caught up: what is posted would
 * look like usage that was taken back.
 */
export function isClockBehind(
  { zone, ratedFrom, postedThrough }: PostedDays,
  now: number,
): boolean {
  if (postedThrough < ratedFrom) return false;
  return now + clockBackMaxMs < postableAt(zone, postedThrough);
}

/** When a local day may be posted. */
export function postableAt(zone: TimeZone, day: LocalDay): number {
  return dayStart(zone, addDays(day, 1)) + postAfterMs;
}
