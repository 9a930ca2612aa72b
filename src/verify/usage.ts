/**
 * Events to sums: what each line of the bill rests on, worked out from the leaves alone. On the way
 * each event is compared with its leaf, its tenant, its day and its neighbors.
 *
 * What must stay true: an event counts once, and what takes it back takes back exactly it.
 */
import { dimensionOf } from "#catalog/sku.ts";
import { addDays, dayOf, dayStart, localDay, type LocalDay } from "#kernel/calendar.ts";
import { add, rational, zero, type Rational } from "#kernel/rational.ts";
import type { TimeZone } from "#kernel/zone.ts";
import { hashLength, type TreeHasher } from "#tlog/hash.ts";

import { Chains, type Standing } from "./chains.ts";
import { hasItsUnit, readEvent, type ReadRecorded } from "./event-line.ts";
import type { Findings } from "./findings.ts";
import type { Bundle } from "./read.ts";

/** What the events of a line come to. */
export interface Tally {
  /** All of them, rated or not. */
  readonly count: number;
  readonly first: number;
  readonly last: number;
  /** In base units; of jobs and of leases together, then of jobs alone. */
  readonly quantity: Rational;
  readonly jobQuantity: Rational;
}

export interface Usage {
  /** `undefined` where a line has no events. */
  readonly of: (line: LineName) => Tally | undefined;
  /** Days and SKUs that there are events of. */
  readonly used: readonly { readonly day: LocalDay; readonly sku: string }[];
}

export interface LineName {
  readonly day: LocalDay;
  readonly sku: string;
  readonly revision: number;
}

/** Which revision has an event: -1 of events that no line has. */
const noRevision = -1;

interface Sums {
  count: number;
  first: number;
  last: number;
  /** Unit-seconds by slice. */
  readonly all: Map<number, bigint>;
  readonly jobs: Map<number, bigint>;
}

interface Counted {
  readonly event: ReadRecorded;
  readonly day: LocalDay;
  /** As it was added, to be taken back. */
  readonly unitSeconds: bigint;
}

export function sumEvents(
  bundle: Bundle,
  { zone, hasher }: { readonly zone: TimeZone; readonly hasher: TreeHasher },
  findings: Findings,
): Usage {
  const { events, leafIndexes: indexes, leafHashes, header, eventsLine } = bundle;
  const tenant = header.tenant.id;
  const revisions = new Revisions(bundle);
  const chains = new Chains();
  const days = new Days(zone);
  const sums = new Map<string, Sums>();
  const retractions: { source: string; retracts: string; at: number }[] = [];
  const leafHash = new Uint8Array(hashLength);
  const placeOf = (at: number, id?: string): string =>
    `event ${id ?? "?"} (leaf ${indexes[at] ?? "?"}, line ${eventsLine + at} of the file)`;

  let before = -1;
  for (let at = 0; at < indexes.length && at + 1 < events.starts.length; at += 1) {
    const leaf = indexes[at] ?? 0;
    const [from = 0, next = 0] = [events.starts[at], events.starts[at + 1]];
    if (leaf <= before) findings.fail("leaves_disordered", placeOf(at));
    before = leaf;
    const event = readEvent(events.text.slice(from, next - 1));
    hasher.leafInto(events.bytes.subarray(from, next - 1), leafHash, 0);
    if (!isAt(leafHash, leafHashes, at)) findings.fail("event_changed", placeOf(at, event?.id));
    if (event === undefined) {
      findings.fail("event_malformed", placeOf(at));
      continue;
    }
    if (event.tenant !== tenant) {
      const values = { tenant: event.tenant };
      findings.fail("event_of_other_tenant", placeOf(at, event.id), values);
    }
    const place = (): string => placeOf(at, event.id);
    if (event.kind === "retracted") {
      const twin = chains.identity(event.source, event.id, at);
      if (twin !== undefined) findings.fail("event_twice", place(), { other: indexes[twin] ?? 0 });
      retractions.push({ source: event.source, retracts: event.retracts, at });
      continue;
    }
    const day = days.of(event);
    if (day === undefined) {
      findings.fail("event_span", place(), { zone });
      continue;
    }
    if (!hasItsUnit(event)) {
      findings.fail("event_unit", place(), { sku: event.sku, unit: event.unit });
    }
    const twin = chains.add(event, at);
    if (twin !== undefined) findings.fail("event_twice", place(), { other: indexes[twin] ?? 0 });
    count(sums, { event, day, unitSeconds: unitSeconds(event) }, { leaf, sign: 1n, revisions });
  }
  for (const { source, retracts, at } of retractions) {
    const original = chains.take(source, retracts, at);
    const place = placeOf(at, `${source} ${retracts}`);
    if (original.kind === "unknown") findings.fail("retracted_unknown", place, { retracts });
    if (original.kind === "taken") {
      findings.fail("retracted_twice", place, { retracts, other: indexes[original.by] ?? 0 });
    }
    if (original.kind !== "found") continue;
    const { event } = original;
    const day = days.of(event);
    if (day === undefined) continue;
    const leaf = indexes[at] ?? 0;
    count(sums, { event, day, unitSeconds: unitSeconds(event) }, { leaf, sign: -1n, revisions });
  }
  chains.check({ placeOf: (each: Standing) => placeOf(each.at, each.id), indexes, days }, findings);
  revisions.note(findings);
  return { of: (line) => tallyOf(sums.get(keyOf(line))), used: usedOf(sums) };
}

/** Only what is rated is summed; an event is of its line all the same. */
function count(
  sums: Map<string, Sums>,
  { event, day, unitSeconds: amount }: Counted,
  of: { readonly leaf: number; readonly sign: 1n | -1n; readonly revisions: Revisions },
): void {
  const { leaf, sign, revisions } = of;
  const name = `${day} ${event.sku}`;
  const revision = revisions.of(name, leaf);
  if (revision === noRevision) return;
  const key = `${name} ${revision}`;
  let found = sums.get(key);
  if (found === undefined) {
    found = { count: 0, first: leaf, last: leaf, all: new Map(), jobs: new Map() };
    sums.set(key, found);
  }
  found.count += 1;
  if (leaf < found.first) found.first = leaf;
  if (leaf > found.last) found.last = leaf;
  if (!event.billable || revisions.isUncounted(leaf) || isPaidAhead(event)) return;
  const slice = Number(event.slice);
  found.all.set(slice, (found.all.get(slice) ?? 0n) + sign * amount);
  if (event.work === "job") found.jobs.set(slice, (found.jobs.get(slice) ?? 0n) + sign * amount);
}

/** Compute of a subscription was paid for as an order; its storage is rated as usual. */
function isPaidAhead({ plan, sku }: ReadRecorded): boolean {
  return plan === "subscription" && dimensionOf(sku) !== "storage";
}

function unitSeconds({ units, from, until }: ReadRecorded): bigint {
  return BigInt(units) * BigInt((until - from) / 1000);
}

function isAt(hash: Uint8Array, packed: Uint8Array, at: number): boolean {
  const from = at * hashLength;
  for (let byte = 0; byte < hashLength; byte += 1) {
    if (hash[byte] !== packed[from + byte]) return false;
  }
  return true;
}

function tallyOf(sums: Sums | undefined): Tally | undefined {
  if (sums === undefined) return undefined;
  const { count: number, first, last, all, jobs } = sums;
  return { count: number, first, last, quantity: inAll(all), jobQuantity: inAll(jobs) };
}

function inAll(bySlice: ReadonlyMap<number, bigint>): Rational {
  let sum = zero;
  for (const [slice, amount] of bySlice) sum = add(sum, rational(amount, BigInt(slice)));
  return sum;
}

function keyOf({ day, sku, revision }: LineName): string {
  return `${day} ${sku} ${revision}`;
}

function usedOf(sums: ReadonlyMap<string, Sums>): { day: LocalDay; sku: string }[] {
  const days = new Map<string, { day: LocalDay; sku: string }>();
  for (const key of sums.keys()) {
    const [text = "", sku = ""] = key.split(" ");
    days.set(`${text} ${sku}`, { day: localDay(text), sku });
  }
  return [...days.values()];
}

/** Which line has an event: the first one of its day and SKU, unless a record says another one. */
class Revisions {
  readonly #first = new Map<string, number>();
  readonly #named = new Map<number, number>();
  readonly #uncounted: ReadonlySet<number>;
  readonly #after: readonly number[];

  constructor(bundle: Bundle) {
    for (const { day, sku, revision, leaves } of bundle.all("line")) {
      const name = `${day} ${sku}`;
      this.#first.set(name, Math.min(revision, this.#first.get(name) ?? revision));
      for (const leaf of leaves ?? []) this.#named.set(leaf, revision);
    }
    this.#uncounted = new Set(bundle.all("uncounted").flatMap(({ leaves }) => leaves));
    this.#after = bundle.all("after").flatMap(({ leaves }) => leaves);
    for (const leaf of this.#after) this.#named.set(leaf, noRevision);
  }

  of(name: string, leaf: number): number {
    return (
      (this.#named.size === 0 ? undefined : this.#named.get(leaf)) ?? this.#first.get(name) ?? 0
    );
  }

  isUncounted(leaf: number): boolean {
    return this.#uncounted.has(leaf);
  }

  note(findings: Findings): void {
    const [after] = this.#after;
    if (after !== undefined) {
      findings.note("events_after", { count: this.#after.length, leaf: after });
    }
    const [uncounted] = this.#uncounted;
    if (uncounted !== undefined) {
      findings.note("events_uncounted", { count: this.#uncounted.size, leaf: uncounted });
    }
  }
}

/** The local day that an event lies in, looked up once for each. */
export class Days {
  readonly #zone: TimeZone;
  #last: { readonly day: LocalDay; readonly from: number; readonly until: number } | undefined;
  readonly #known = new Map<LocalDay, { day: LocalDay; from: number; until: number }>();

  constructor(zone: TimeZone) {
    this.#zone = zone;
  }

  /** `undefined` where it is empty, or goes on into another day. */
  of({ from, until }: { readonly from: number; readonly until: number }): LocalDay | undefined {
    const last = this.#last;
    const found =
      last !== undefined && from >= last.from && from < last.until ? last : this.#find(from);
    this.#last = found;
    return from < until && until <= found.until ? found.day : undefined;
  }

  isStart(instant: number): boolean {
    return this.#find(instant).from === instant;
  }

  #find(instant: number): { day: LocalDay; from: number; until: number } {
    const day = dayOf(this.#zone, instant);
    const known = this.#known.get(day);
    if (known !== undefined) return known;
    const from = dayStart(this.#zone, day);
    const found = { day, from, until: dayStart(this.#zone, addDays(day, 1)) };
    this.#known.set(day, found);
    return found;
  }
}
