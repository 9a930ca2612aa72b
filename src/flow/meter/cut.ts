/**
 * Cuts usage into segments, each within one local day of the tenant. Pure.
 *
 * What must stay true: instants are truncated to whole seconds here and nowhere else, at both ends
 * of the whole before it is cut; midnights are whole seconds. So the segments of an interval join to
 * it, and those of intervals that follow each other neither lose a second nor count one twice.
 */
import { splitAtMidnights, type LocalDay } from "#kernel/calendar.ts";
import { truncateToSecond, type Interval } from "#kernel/interval.ts";
import type { TimeZone } from "#kernel/zone.ts";

export interface Segment {
  readonly day: LocalDay;
  /** Epoch milliseconds, whole seconds; never empty. */
  readonly from: number;
  readonly until: number;
}

export function segmentsOf(zone: TimeZone, span: Interval): Segment[] {
  const whole = { from: truncateToSecond(span.from), until: truncateToSecond(span.until) };
  return splitAtMidnights(zone, whole).map(({ day, part }) => ({ day, ...part }));
}

/** A segment with what its event says of it besides. */
export interface SaidSegment extends Segment {
  readonly billable: boolean;
  /** Why the interval ended, on the last one. */
  readonly reason: string | null;
}

/** An event of the interval that nobody has taken back. */
export interface SegmentEvent extends SaidSegment {
  readonly id: string;
}

export interface Settlement<E extends SegmentEvent> {
  readonly retract: readonly E[];
  readonly record: readonly SaidSegment[];
}

/**
 * What makes the events of an interval those that it should have: an event is taken back where it
 * turned out otherwise (an end that was seen after midnight, an attempt that a fault ended).
 */
export function settleSegments<E extends SegmentEvent>(
  events: readonly E[],
  wanted: readonly SaidSegment[],
): Settlement<E> {
  const wantedNames = new Set(wanted.map(nameOf));
  const kept = new Set(events.map(nameOf));
  return {
    retract: events.filter((each) => !wantedNames.has(nameOf(each))),
    record: wanted.filter((each) => !kept.has(nameOf(each))),
  };
}

function nameOf({ from, until, billable, reason }: SaidSegment): string {
  return `${from} ${until} ${billable} ${reason}`;
}

/** What an event may say of an end: other characters would have to be escaped. */
export function reasonText(reason: string): string {
  const text = reason.replaceAll(/[^A-Za-z0-9 ._:/-]/g, "_").slice(0, reasonCharactersMax);
  return text === "" ? "none" : text;
}

const reasonCharactersMax = 100;
