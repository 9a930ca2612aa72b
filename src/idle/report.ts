/**
 * What releasing forgotten leases came to in a month: hours, and money at the leases' own price, from
 * the release until the month's end, the moment of asking, or the restoration, whichever is first. An
 * upper bound: nobody knows how long the lease would have gone on. Pure.
 */
import { dayStart, addMonths, firstDay, type LocalMonth } from "#kernel/calendar.ts";
import { parseFen } from "#kernel/money.ts";
import { multiply, rational, sum, zero, type Rational } from "#kernel/rational.ts";
import type { TimeZone } from "#kernel/zone.ts";

import type { EventKind, IdleEvent } from "./events.ts";

const hourMs = 3_600_000;

export interface Release {
  readonly event: IdleEvent;
  readonly savedUntil: number;
  readonly hours: Rational;
  /** `null` where the lease had no price. */
  readonly saved: Rational | null;
  readonly restoredAt: number | null;
}

export interface IdleReport {
  readonly from: number;
  readonly until: number;
  readonly counts: Readonly<Record<EventKind, number>>;
  readonly hours: Rational;
  readonly gpuHours: Rational;
  /** In fen, not yet rounded. */
  readonly saved: Rational;
  readonly releases: readonly Release[];
  /** Each time that it was taken back: kept, used again, exempted, restored. */
  readonly reversals: readonly IdleEvent[];
}

export function monthSpan(
  month: LocalMonth,
  zone: TimeZone,
): { readonly from: number; readonly until: number } {
  const next = firstDay(addMonths(month, 1));
  return { from: dayStart(zone, firstDay(month)), until: dayStart(zone, next) };
}

export function idleReport(
  events: readonly IdleEvent[],
  span: { readonly from: number; readonly until: number },
  now: number,
): IdleReport {
  // Of several restorations of one snapshot the first counts.
  const restored = new Map(
    events
      .filter(({ kind }) => kind === "restored")
      .toReversed()
      .map(({ requestId, at }) => [requestId, at]),
  );
  const releases = events
    .filter(({ kind }) => kind === "released")
    .map((event) => releaseOf(event, restored.get(event.requestId), Math.min(span.until, now)));
  return {
    ...span,
    counts: countsOf(events),
    hours: sum(releases.map(({ hours }) => hours)),
    gpuHours: sum(releases.map(({ hours, event }) => multiply(hours, gpusOf(event.details.gpus)))),
    saved: sum(releases.map(({ saved }) => saved ?? zero)),
    releases,
    reversals: events.filter(({ kind }) => reversalKinds.has(kind)),
  };
}

const reversalKinds: ReadonlySet<EventKind> = new Set(["kept", "active", "exempted", "restored"]);

function releaseOf(event: IdleEvent, restoredAt: number | undefined, endAt: number): Release {
  const savedUntil = Math.max(event.at, Math.min(endAt, restoredAt ?? endAt));
  const hours = rational(BigInt(savedUntil - event.at), BigInt(hourMs));
  const { hourly } = event.details;
  const saved = hourly === null ? null : multiply(hours, rational(parseFen(hourly)));
  return { event, savedUntil, hours, saved, restoredAt: restoredAt ?? null };
}

function countsOf(events: readonly IdleEvent[]): IdleReport["counts"] {
  const of = (kind: EventKind): number => events.filter((each) => each.kind === kind).length;
  return {
    warned: of("warned"),
    kept: of("kept"),
    exempted: of("exempted"),
    active: of("active"),
    released: of("released"),
    snapshot_failed: of("snapshot_failed"),
    restored: of("restored"),
  };
}

/** A slice is a fraction of a GPU, kept to a thousandth. */
function gpusOf(gpus: number): Rational {
  return rational(BigInt(Math.round(gpus * 1000)), 1000n);
}
