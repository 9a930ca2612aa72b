/**
 * Intervals to events: whatever of an interval has become certain is cut at the tenant's midnights
 * and written as events, in the transaction that makes it certain.
 *
 * What must stay true: the rows of the intervals are locked by the caller; an interval's events that
 * stand join to the part of it that is cut, second by second, each once.
 */
import type { Tx } from "#db/pool.ts";
import { assert, present } from "#kernel/assert.ts";
import { addDays, dayOf, dayStart } from "#kernel/calendar.ts";
import { truncateToSecond } from "#kernel/interval.ts";
import type { TimeZone } from "#kernel/zone.ts";

import { lockUsageAccounts } from "./accounts.ts";
import {
  reasonText,
  segmentsOf,
  settleSegments,
  type SaidSegment,
  type SegmentEvent,
  type Settlement,
} from "./cut.ts";
import { saveCuts, type CutState, type CuttableInterval } from "./cut-store.ts";
import { standingEvents, type StoredEvent } from "./event-rows.ts";
import { insertEvents } from "./event-store.ts";
import { meterSource, unitOf, type RecordedEvent } from "./event.ts";
import { countedOrLate, type Uncounted } from "./late.ts";

/**
 * A day is cut that long after its end, so that an end shortly before midnight which is seen after
 * it makes no event that has to be taken back.
 */
export const cutAfterMs = 600_000;
/** Of one interval in one transaction; the rest of one that was forgotten for longer follows. */
const daysPerCutMax = 400;

/** An interval whose unit nobody knows is looked at again: a later version may know it. */
const unknownAgainMs = 3_600_000;

/** When the day that an instant lies in may be cut. */
export function nextCutAt(zone: TimeZone, instantMs: number): number {
  return dayStart(zone, addDays(dayOf(zone, instantMs), 1)) + cutAfterMs;
}

/**
 * Writes what is certain of these intervals, which the caller has locked, as events; whether more of
 * one of them is certain. What is of a SKU whose unit nobody knows is left as it is.
 */
export async function cutIntervals(
  tx: Tx,
  intervals: readonly CuttableInterval[],
  now: number,
): Promise<boolean> {
  const [known, unknown] = partition(intervals);
  // Their tenant's rating stands still at them (completeUntil), and nobody else's.
  if (unknown.length > 0) await saveCuts(tx, unknown.map(putOff(now)));
  if (known.length === 0) return false;
  const tenants = [...new Set(known.map(({ tenantId }) => tenantId))];
  const accounts = await lockUsageAccounts(tx, tenants);
  const cuts: Cut[] = [];
  for (const interval of known) {
    const { timeZone: zone } = present(accounts.get(interval.tenantId), "a tenant's usage account");
    // oxlint-disable-next-line no-await-in-loop -- one connection; most intervals read nothing
    cuts.push(await cutOne(tx, interval, { zone, now }));
  }
  const uncounted = cuts.flatMap(({ drafts }) => drafts);
  const drafts = await countedOrLate(tx, uncounted, { accounts, now });
  const written = await insertEvents(tx, drafts, now);
  assert(written === drafts.length, "a segment is an event once");
  await saveCuts(tx, cuts);
  return cuts.some(({ nextAt }) => nextAt !== undefined && nextAt <= now);
}

/** Those whose unit is known, and those that no event can tell of. */
function partition(
  intervals: readonly CuttableInterval[],
): [CuttableInterval[], CuttableInterval[]] {
  const known = intervals.filter(({ sku }) => unitOf(sku) !== undefined);
  return [known, intervals.filter(({ sku }) => unitOf(sku) === undefined)];
}

function putOff(now: number): (interval: CuttableInterval) => CutState & {
  readonly interval: CuttableInterval;
} {
  return (interval) => ({
    interval,
    cutUntil: interval.cutUntil,
    segments: interval.segments,
    nextAt: now + unknownAgainMs,
  });
}

interface Cut extends CutState {
  readonly interval: CuttableInterval;
  readonly drafts: readonly Uncounted[];
}

async function cutOne(
  tx: Tx,
  interval: CuttableInterval,
  { zone, now }: { readonly zone: TimeZone; readonly now: number },
): Promise<Cut> {
  const { startedAt, endedAt, cutUntil = startedAt } = interval;
  const end = endedAt ?? dayStart(zone, dayOf(zone, now - cutAfterMs));
  const until = Math.min(end, dayStart(zone, addDays(dayOf(zone, cutUntil), daysPerCutMax)));
  const goesOn = endedAt === undefined || until < endedAt;
  const wanted = saidSegments(zone, interval, { from: cutUntil, until });
  const isTurned = interval.segments > 0 && (end < cutUntil || !interval.billable);
  const { retract, record } =
    isTurned && !goesOn ? await turned(tx, zone, interval) : { retract: [], record: wanted };
  const drafts: Uncounted[] = [
    ...retract.map(({ stored: { event, use }, day }) => ({
      event: {
        kind: "retracted" as const,
        source: meterSource,
        id: `${event.id}/retracted`,
        at: truncateToSecond(endedAt ?? now),
        tenantId: interval.tenantId,
        retracts: event.id,
        reason: reasonText(interval.endReason ?? "corrected"),
      },
      use,
      day,
    })),
    ...record.map((segment, index) => {
      const event = recorded(interval, segment, interval.segments + index + 1);
      return { event, use: event, day: segment.day };
    }),
  ];
  const reached = Math.max(until, cutUntil);
  return {
    interval,
    drafts,
    cutUntil: goesOn ? (reached > startedAt ? reached : undefined) : endedAt,
    segments: interval.segments + record.length,
    nextAt: goesOn ? (endedAt === undefined ? nextCutAt(zone, reached) : now) : undefined,
  };
}

/** What the events of an interval that ended otherwise than they say should be. */
async function turned(
  tx: Tx,
  zone: TimeZone,
  interval: CuttableInterval,
): Promise<Settlement<SegmentEvent & { readonly stored: StoredEvent }>> {
  const { startedAt, endedAt = startedAt } = interval;
  const standing = (await standingEvents(tx, interval)).map((stored) => ({
    stored,
    id: stored.event.id,
    day: stored.day,
    from: stored.use.from,
    until: stored.use.until,
    billable: stored.use.billable,
    reason: stored.use.reason,
  }));
  return settleSegments(
    standing,
    saidSegments(zone, interval, { from: startedAt, until: endedAt }),
  );
}

/** The reason stands on the segment that the interval ends with. */
function saidSegments(
  zone: TimeZone,
  { billable, endedAt, endReason }: CuttableInterval,
  span: { readonly from: number; readonly until: number },
): SaidSegment[] {
  if (span.until <= span.from) return [];
  const segments = segmentsOf(zone, span);
  return segments.map((segment, index) => ({
    ...segment,
    billable,
    reason:
      index === segments.length - 1 && span.until === endedAt && endReason !== null
        ? reasonText(endReason)
        : null,
  }));
}

function recorded(of: CuttableInterval, segment: SaidSegment, number: number): RecordedEvent {
  const { from, until, billable, reason } = segment;
  return {
    kind: "recorded",
    source: meterSource,
    id: `${of.id}/${number}`,
    at: until,
    tenantId: of.tenantId,
    projectId: of.projectId,
    requestId: of.requestId,
    instanceId: of.instanceId,
    intervalId: of.id,
    work: of.work,
    plan: of.plan,
    sku: of.sku,
    units: of.units,
    slice: of.slice,
    from,
    until,
    billable,
    reason,
  };
}
