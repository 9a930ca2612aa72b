/**
 * Events beside each other: each identity once; the segments of an interval numbered without a gap and
 * joined to the second; nothing of an instance counted twice for the same time.
 *
 * What one month's bundle cannot show is said: an interval that began before it, or was corrected, has
 * segments in other bundles too.
 */
import { meterSource, timeText } from "#flow/meter/event.ts";

import type { ReadRecorded } from "./event-line.ts";
import type { Findings } from "./findings.ts";

/** An event, by its position in the bundle. */
export interface Standing {
  readonly at: number;
  readonly id: string;
}

interface Segment extends Standing {
  readonly event: ReadRecorded;
  readonly number: number;
  /** Position of the event that took it back. */
  retractedBy: number | undefined;
}

export type Taken =
  | { readonly kind: "found"; readonly event: ReadRecorded }
  | { readonly kind: "taken"; readonly by: number }
  | { readonly kind: "unknown" };

export interface Neighborhood {
  readonly placeOf: (segment: Standing) => string;
  readonly indexes: readonly number[];
  readonly days: { isStart(instant: number): boolean };
}

export class Chains {
  /** The meter's own, by interval, as they come. */
  readonly #intervals = new Map<string, Segment[]>();
  /** Of other sources, and retractions, by identity. */
  readonly #others = new Map<string, Segment>();
  readonly #retractions = new Map<string, number>();

  /** The position of the same event, where it was there before. */
  add(event: ReadRecorded, at: number): number | undefined {
    const segment = { at, id: event.id, event, number: numberOf(event), retractedBy: undefined };
    if (segment.number === 0) {
      const key = identityOf(event.source, event.id);
      const twin = this.#others.get(key);
      if (twin !== undefined) return twin.at;
      this.#others.set(key, segment);
      return undefined;
    }
    const known = this.#intervals.get(event.interval);
    if (known === undefined) {
      this.#intervals.set(event.interval, [segment]);
      return undefined;
    }
    // They come in order, as a rule.
    const isNext = (known.at(-1)?.number ?? 0) < segment.number;
    const twin = isNext ? undefined : known.find(({ number }) => number === segment.number);
    if (twin !== undefined) return twin.at;
    known.push(segment);
    return undefined;
  }

  /** Of a retraction. */
  identity(source: string, id: string, at: number): number | undefined {
    const key = identityOf(source, id);
    const twin = this.#retractions.get(key);
    if (twin === undefined) this.#retractions.set(key, at);
    return twin;
  }

  /** The event that is taken back, once. */
  take(source: string, id: string, by: number): Taken {
    const segment = this.#find(source, id);
    if (segment === undefined) return { kind: "unknown" };
    if (segment.retractedBy !== undefined) return { kind: "taken", by: segment.retractedBy };
    segment.retractedBy = by;
    return { kind: "found", event: segment.event };
  }

  check(around: Neighborhood, findings: Findings): void {
    let outside = 0;
    for (const segments of this.#intervals.values()) {
      if (checkInterval(segments, around, findings)) outside += 1;
    }
    if (outside > 0) findings.note("segments_outside", { count: outside });
    this.#checkOverlaps(around, findings);
  }

  #find(source: string, id: string): Segment | undefined {
    const slash = id.lastIndexOf("/");
    const segments = this.#intervals.get(id.slice(0, slash === -1 ? 0 : slash));
    const own = source === meterSource ? segments?.find((each) => each.id === id) : undefined;
    return own ?? this.#others.get(identityOf(source, id));
  }

  /** One instance has each SKU once at a time. */
  #checkOverlaps({ placeOf, indexes }: Neighborhood, findings: Findings): void {
    const held = new Map<string, Segment[]>();
    for (const segments of this.#intervals.values()) {
      for (const segment of segments) {
        if (segment.retractedBy !== undefined) continue;
        const { instance, sku } = segment.event;
        const key = `${instance} ${sku}`;
        const known = held.get(key);
        if (known === undefined) held.set(key, [segment]);
        else known.push(segment);
      }
    }
    for (const segments of held.values()) {
      if (segments.length === 1) continue;
      let last: Segment | undefined;
      for (const segment of segments.toSorted((a, b) => a.event.from - b.event.from)) {
        if (last !== undefined && segment.event.from < last.event.until) {
          const { instance, sku, from } = segment.event;
          const other = indexes[last.at] ?? 0;
          const values = { sku, instance, from: timeText(from), other };
          findings.fail("used_twice", placeOf(segment), values);
        }
        if (last === undefined || segment.event.until > last.event.until) last = segment;
      }
    }
  }
}

/** Whether some of its segments are not in this bundle, by their numbers. */
function checkInterval(
  segments: Segment[],
  { placeOf, days }: Neighborhood,
  findings: Findings,
): boolean {
  const [only] = segments;
  if (only === undefined) return false;
  if (segments.length === 1) {
    if (only.number === 1) return false;
    return isLoose(only, { placeOf, days }, findings);
  }
  segments.sort((a, b) => a.number - b.number);
  const isCorrected = segments.some(({ retractedBy }) => retractedBy !== undefined);
  let isOutside = only.number > 1 && isLoose(only, { placeOf, days }, findings, isCorrected);
  let before: Segment | undefined;
  for (const segment of segments) {
    if (before !== undefined && segment.number !== before.number + 1) {
      isOutside = true;
      if (!isCorrected) {
        const values = { number: before.number + 1, before: before.number, after: segment.number };
        findings.fail("segment_missing", intervalPlace(segment, placeOf), values);
      }
    }
    before = segment;
  }
  if (!isCorrected) checkJoins(segments, placeOf, findings);
  return isOutside;
}

/** The first one of the month follows another of the month before only at a midnight. */
function isLoose(
  segment: Segment,
  { placeOf, days }: Pick<Neighborhood, "placeOf" | "days">,
  findings: Findings,
  isCorrected = segment.retractedBy !== undefined,
): boolean {
  if (!isCorrected && !days.isStart(segment.event.from)) {
    const values = { number: segment.number - 1, before: 0, after: segment.number };
    findings.fail("segment_missing", intervalPlace(segment, placeOf), values);
  }
  return true;
}

function checkJoins(
  segments: readonly Segment[],
  placeOf: Neighborhood["placeOf"],
  findings: Findings,
): void {
  let before: Segment | undefined;
  for (const segment of segments) {
    const follows = before !== undefined && segment.number === before.number + 1;
    if (before !== undefined && follows && before.event.until !== segment.event.from) {
      findings.fail("segment_gap", intervalPlace(segment, placeOf), {
        before: before.number,
        from: timeText(before.event.until),
        after: segment.number,
        until: timeText(segment.event.from),
      });
    }
    before = segment;
  }
}

function intervalPlace(segment: Segment, placeOf: Neighborhood["placeOf"]): string {
  return `interval ${segment.event.interval}, at ${placeOf(segment)}`;
}

/** Of the meter's own events; 0 for others, whose ids say nothing. */
function numberOf({ source, id, interval }: ReadRecorded): number {
  if (source !== meterSource || !id.startsWith(`${interval}/`)) return 0;
  const number = Number(id.slice(interval.length + 1));
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}

function identityOf(source: string, id: string): string {
  return `${source} ${id}`;
}
