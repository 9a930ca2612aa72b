/**
 * Whether an event that somebody hands in may be taken in. Pure: what it goes by is handed to it.
 * The checks stand in order: what the sender can mend first, then what somebody must look at.
 */
import { dayOf, dayStart, addDays, type LocalDay } from "#kernel/calendar.ts";
import type { TimeZone } from "#kernel/zone.ts";

import type { UsageAccount } from "./accounts.ts";
import { unitOf, type RecordedEvent, type Use } from "./event.ts";
import { refused, type EventOutcome, type ReviewReason } from "./outcome.ts";

export type Judged =
  | { readonly kind: "take"; readonly use: Use; readonly day: LocalDay }
  | { readonly kind: "answer"; readonly outcome: EventOutcome }
  | { readonly kind: "review"; readonly reason: ReviewReason };

export interface JudgeContext {
  readonly now: number;
  readonly accounts: ReadonlyMap<string, UsageAccount>;
  /** Whether a price list has it. */
  readonly isListed: (sku: string) => boolean;
  readonly dayIn: DayFinder;
  /** What somebody has looked at and wants taken in all the same. */
  readonly waived: ReadonlySet<ReviewReason>;
}

export function judgeRecorded(
  event: RecordedEvent,
  about: {
    readonly unit: string | undefined;
    readonly overlaps: boolean;
    readonly isMeteredHere: boolean;
  },
  context: JudgeContext,
): Judged {
  const { from, until, sku } = event;
  if (until < from) return answer(refused("negative"));
  if (until === from) return answer(refused("empty"));
  if (until > context.now || event.at > context.now) return answer(refused("future"));
  const account = context.accounts.get(event.tenantId);
  if (account === undefined) return { kind: "review", reason: "unknown_tenant" };
  const unit = unitOf(sku);
  if (!context.isListed(sku)) return { kind: "review", reason: "unknown_sku" };
  if (unit === undefined || unit !== about.unit) return { kind: "review", reason: "unknown_unit" };
  const day = context.dayIn(account.timeZone, { from, until });
  if (day === undefined) return answer(refused("crosses_midnight"));
  if (about.isMeteredHere && !context.waived.has("metered_here")) {
    return { kind: "review", reason: "metered_here" };
  }
  if (about.overlaps && !context.waived.has("overlap"))
    return { kind: "review", reason: "overlap" };
  return { kind: "take", use: event, day };
}

function answer(outcome: EventOutcome): Judged {
  return { kind: "answer", outcome };
}

/** The local day that all of a span lies in; `undefined` where it lies in several. */
export type DayFinder = (
  zone: TimeZone,
  span: { readonly from: number; readonly until: number },
) => LocalDay | undefined;

/** Remembers the last day of each zone: usage comes day by day, and a zone's rules cost 5 µs. */
export function dayFinder(): DayFinder {
  const last = new Map<TimeZone, { day: LocalDay; from: number; until: number }>();
  return (zone, { from, until }) => {
    let found = last.get(zone);
    if (found === undefined || from < found.from || from >= found.until) {
      const day = dayOf(zone, from);
      found = { day, from: dayStart(zone, day), until: dayStart(zone, addDays(day, 1)) };
      last.set(zone, found);
    }
    return until <= found.until ? found.day : undefined;
  };
}
