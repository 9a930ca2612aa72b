/**
 * Events to sums: what each line of the bill rests on, worked out from the leaves alone. On the way
 * each event is compared with its leaf, its tenant, its day and its neighbors.
 *
 * What must stay true: an event counts once, and what takes it back takes back exactly it.
 */
import { dimensionOf } from "#catalog/sku.ts";
import { meterSource } from "#flow/meter/event.ts";
import { addDays, dayOf, dayStart, type LocalDay } from "#kernel/calendar.ts";
import { add, rational, zero, type Rational } from "#kernel/rational.ts";
import type { TimeZone } from "#kernel/zone.ts";
import { hashLength, type TreeHasher } from "#tlog/hash.ts";

import { Chains } from "./chains.ts";
import { EventScanner } from "./event-bytes.ts";
import { hasItsUnit, readEvent, type ReadRecorded, type ReadRetracted } from "./event-line.ts";
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

/** What counts of an event, whoever wrote it. */
interface Counted {
  readonly sku: string;
  readonly slice: number;
  readonly units: bigint;
  readonly seconds: number;
  readonly isRated: boolean;
  readonly isJob: boolean;
}

/** Of a source that is not the meter: by identity. */
interface Other {
  readonly at: number;
  readonly event: ReadRecorded;
  retractedBy: number | undefined;
}

export function sumEvents(
  bundle: Bundle,
  of: { readonly zone: TimeZone; readonly hasher: TreeHasher },
  findings: Findings,
): Usage {
  return new Summing(bundle, of, findings).run();
}

class Summing {
  readonly #bundle: Bundle;
  readonly #zone: TimeZone;
  readonly #hasher: TreeHasher;
  readonly #findings: Findings;
  readonly #scanner: EventScanner;
  readonly #chains: Chains;
  readonly #days: Days;
  readonly #sums: DaySums;
  readonly #others = new Map<string, Other>();
  readonly #retractions: { readonly event: ReadRetracted; readonly at: number }[] = [];

  constructor(
    bundle: Bundle,
    { zone, hasher }: { readonly zone: TimeZone; readonly hasher: TreeHasher },
    findings: Findings,
  ) {
    const { bytes, starts } = bundle.events;
    this.#bundle = bundle;
    this.#zone = zone;
    this.#hasher = hasher;
    this.#findings = findings;
    this.#scanner = new EventScanner(bytes, bundle.header.tenant.id);
    this.#chains = new Chains(bytes, this.#scanner, starts.length);
    this.#days = new Days(zone);
    this.#sums = new DaySums(bundle);
  }

  run(): Usage {
    const { events, leafIndexes: indexes, leafHashes } = this.#bundle;
    const { bytes, starts } = events;
    const leafHash = new Uint8Array(hashLength);
    let before = -1;
    for (let at = 0; at < indexes.length && at + 1 < starts.length; at += 1) {
      const leaf = indexes[at] ?? 0;
      const from = starts[at] ?? 0;
      const until = (starts[at + 1] ?? 0) - 1;
      if (leaf <= before) this.#findings.fail("leaves_disordered", this.#placeOf(at));
      before = leaf;
      this.#hasher.leafInto(bytes.subarray(from, until), leafHash, 0);
      if (!isAt(leafHash, leafHashes, at)) {
        this.#findings.fail("event_changed", this.#placeOf(at));
      }
      if (this.#scanner.read(from) === until) this.#meterEvent(at, leaf);
      else this.#otherEvent(at, leaf);
    }
    for (const { event, at } of this.#retractions) this.#takeBack(event, at);
    const placeOf = (at: number): string => this.#placeOf(at);
    this.#chains.check({ placeOf, indexes, days: this.#days }, this.#findings);
    this.#sums.note(this.#findings);
    return { of: (line) => this.#sums.tally(line), used: this.#sums.used() };
  }

  #meterEvent(at: number, leaf: number): void {
    const scanner = this.#scanner;
    const day = this.#days.of(scanner);
    if (day === undefined) {
      this.#findings.fail("event_span", this.#placeOf(at), { zone: this.#zone });
      return;
    }
    const name = scanner.skus[scanner.sku]?.name ?? "";
    const twin = this.#chains.add(at);
    if (twin !== undefined) this.#twice(at, twin);
    const sums = this.#sums.of(day, name, leaf);
    if (sums === undefined) return;
    countLeaf(sums, leaf);
    if (!scanner.billable || this.#sums.isUncounted(leaf)) return;
    if (scanner.isSubscription && !isStorage(name)) return;
    const seconds = (scanner.until - scanner.from) / 1000;
    const amount = scanner.units * seconds;
    const exact = Number.isSafeInteger(amount) ? amount : BigInt(scanner.units) * BigInt(seconds);
    sumOf(sums.all, scanner.slice).add(exact);
    if (scanner.isJob) sumOf(sums.jobs, scanner.slice).add(exact);
  }

  /** Of another source, or what takes an event back, or no event at all. */
  #otherEvent(at: number, leaf: number): void {
    const event = readEvent(this.#textOf(at));
    if (event === undefined) {
      this.#findings.fail("event_malformed", this.#placeOf(at));
      return;
    }
    if (event.tenant !== this.#bundle.header.tenant.id) {
      const values = { tenant: event.tenant };
      this.#findings.fail("event_of_other_tenant", this.#placeOf(at), values);
    }
    const identity = `${event.source} ${event.id}`;
    if (event.kind === "retracted") {
      const twin = this.#retractions.find((each) => identityOf(each.event) === identity);
      if (twin !== undefined) this.#twice(at, twin.at);
      this.#retractions.push({ event, at });
      return;
    }
    const twin = this.#others.get(identity)?.at ?? this.#metered(event);
    if (twin !== undefined) this.#twice(at, twin);
    this.#others.set(identity, { at, event, retractedBy: undefined });
    this.#countRead(event, { at, leaf, sign: 1n });
  }

  #metered({ source, id }: ReadRecorded): number | undefined {
    return source === meterSource ? this.#chains.find(id) : undefined;
  }

  #countRead(
    event: ReadRecorded,
    { at, leaf, sign }: { readonly at: number; readonly leaf: number; readonly sign: 1n | -1n },
  ): void {
    const day = this.#days.of(event);
    if (day === undefined) {
      this.#findings.fail("event_span", this.#placeOf(at), { zone: this.#zone });
      return;
    }
    if (!hasItsUnit(event)) {
      const values = { sku: event.sku, unit: event.unit };
      this.#findings.fail("event_unit", this.#placeOf(at), values);
    }
    const sums = this.#sums.of(day, event.sku, leaf);
    if (sums === undefined) return;
    countLeaf(sums, leaf);
    const counted = countedOf(event);
    if (!counted.isRated || this.#sums.isUncounted(leaf)) return;
    const amount = sign * counted.units * BigInt(counted.seconds);
    sumOf(sums.all, counted.slice).add(amount);
    if (counted.isJob) sumOf(sums.jobs, counted.slice).add(amount);
  }

  #takeBack(retraction: ReadRetracted, at: number): void {
    const { source, retracts } = retraction;
    const other = this.#others.get(`${source} ${retracts}`);
    const metered = source === meterSource ? this.#chains.find(retracts) : undefined;
    const original = other?.at ?? metered;
    if (original === undefined) {
      this.#findings.fail("retracted_unknown", this.#placeOf(at), { retracts });
      return;
    }
    const before = other === undefined ? this.#chains.retract(original, at) : other.retractedBy;
    if (other !== undefined) other.retractedBy ??= at;
    if (before !== undefined) {
      const values = { retracts, other: this.#bundle.leafIndexes[before] ?? 0 };
      this.#findings.fail("retracted_twice", this.#placeOf(at), values);
      return;
    }
    const event = readEvent(this.#textOf(original));
    if (event?.kind !== "recorded") return;
    this.#countRead(event, { at, leaf: this.#bundle.leafIndexes[at] ?? 0, sign: -1n });
  }

  #twice(at: number, twin: number): void {
    const values = { other: this.#bundle.leafIndexes[twin] ?? 0 };
    this.#findings.fail("event_twice", this.#placeOf(at), values);
  }

  #textOf(at: number): string {
    const { bytes, starts } = this.#bundle.events;
    const own = bytes.subarray(starts[at], (starts[at + 1] ?? 0) - 1);
    return new TextDecoder("latin1").decode(own);
  }

  #placeOf(at: number): string {
    const { leafIndexes, eventsLine } = this.#bundle;
    const id = readEvent(this.#textOf(at))?.id ?? "?";
    return `event ${id} (leaf ${leafIndexes[at] ?? "?"}, line ${eventsLine + at} of the file)`;
  }
}

function identityOf({ source, id }: ReadRetracted): string {
  return `${source} ${id}`;
}

function countedOf({
  sku,
  slice,
  units,
  from,
  until,
  billable,
  plan,
  work,
}: ReadRecorded): Counted {
  return {
    sku,
    slice: Number(slice),
    units: BigInt(units),
    seconds: (until - from) / 1000,
    // Compute of a subscription was paid for as an order; its storage is rated as usual.
    isRated: billable && (plan !== "subscription" || isStorage(sku)),
    isJob: work === "job",
  };
}

function isStorage(sku: string): boolean {
  return dimensionOf(sku) === "storage";
}

function isAt(hash: Uint8Array, packed: Uint8Array, at: number): boolean {
  const from = at * hashLength;
  for (let byte = 0; byte < hashLength; byte += 1) {
    if (hash[byte] !== packed[from + byte]) return false;
  }
  return true;
}

/** A sum of whole numbers, most of them small. */
class Sum {
  #whole = 0n;
  #small = 0;

  add(amount: number | bigint): void {
    if (typeof amount === "bigint") this.#whole += amount;
    else if (Number.isSafeInteger(this.#small + amount)) this.#small += amount;
    else {
      this.#whole += BigInt(this.#small);
      this.#small = amount;
    }
  }

  get total(): bigint {
    return this.#whole + BigInt(this.#small);
  }
}

type BySlice = Map<number, Sum>;

interface Sums {
  readonly day: LocalDay;
  readonly sku: string;
  readonly revision: number;
  count: number;
  first: number;
  last: number;
  /** Unit-seconds. */
  readonly all: BySlice;
  readonly jobs: BySlice;
}

function sumOf(sums: BySlice, slice: number): Sum {
  let sum = sums.get(slice);
  if (sum === undefined) sums.set(slice, (sum = new Sum()));
  return sum;
}

function countLeaf(sums: Sums, leaf: number): void {
  sums.count += 1;
  if (leaf < sums.first) sums.first = leaf;
  if (leaf > sums.last) sums.last = leaf;
}

function inAll(bySlice: BySlice): Rational {
  let sum = zero;
  for (const [slice, { total }] of bySlice) sum = add(sum, rational(total, BigInt(slice)));
  return sum;
}

/** The sums of each line; which line has an event is the first of its day and SKU, unless it is said. */
class DaySums {
  readonly #first = new Map<string, number>();
  readonly #named = new Map<number, number>();
  readonly #uncounted: ReadonlySet<number>;
  readonly #after: readonly number[];
  /** By day, then by SKU, the first revision's; by name, all. */
  readonly #ofDay = new Map<LocalDay, Map<string, Sums>>();
  readonly #byName = new Map<string, Sums>();

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

  /** `undefined` for an event that no line has yet. */
  of(day: LocalDay, sku: string, leaf: number): Sums | undefined {
    const named = this.#named.size === 0 ? undefined : this.#named.get(leaf);
    if (named === noRevision) return undefined;
    if (named !== undefined) return this.#open(day, sku, named);
    let ofDay = this.#ofDay.get(day);
    if (ofDay === undefined) this.#ofDay.set(day, (ofDay = new Map()));
    let sums = ofDay.get(sku);
    if (sums === undefined) {
      sums = this.#open(day, sku, this.#first.get(`${day} ${sku}`) ?? 0);
      ofDay.set(sku, sums);
    }
    return sums;
  }

  isUncounted(leaf: number): boolean {
    return this.#uncounted.size > 0 && this.#uncounted.has(leaf);
  }

  tally({ day, sku, revision }: LineName): Tally | undefined {
    const sums = this.#byName.get(`${day} ${sku} ${revision}`);
    if (sums === undefined) return undefined;
    const { count, first, last, all, jobs } = sums;
    return { count, first, last, quantity: inAll(all), jobQuantity: inAll(jobs) };
  }

  used(): { day: LocalDay; sku: string }[] {
    const names = new Map<string, { day: LocalDay; sku: string }>();
    for (const { day, sku } of this.#byName.values()) names.set(`${day} ${sku}`, { day, sku });
    return [...names.values()];
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

  #open(day: LocalDay, sku: string, revision: number): Sums {
    const name = `${day} ${sku} ${revision}`;
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const [all, jobs] = [new Map<number, Sum>(), new Map<number, Sum>()];
    const sums = { day, sku, revision, count: 0, first: Infinity, last: -1, all, jobs };
    this.#byName.set(name, sums);
    return sums;
  }
}

/** The local day that an event lies in, looked up once for each. */
class Days {
  readonly #zone: TimeZone;
  #last: LocalDaySpan | undefined;
  readonly #byHour = new Map<number, LocalDaySpan>();

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

  #find(instant: number): LocalDaySpan {
    const hour = Math.floor(instant / hourMs);
    const known = this.#byHour.get(hour);
    // A day may begin within the hour.
    if (known !== undefined && instant >= known.from && instant < known.until) return known;
    const day = dayOf(this.#zone, instant);
    const from = dayStart(this.#zone, day);
    const found = { day, from, until: dayStart(this.#zone, addDays(day, 1)) };
    this.#byHour.set(hour, found);
    return found;
  }
}

interface LocalDaySpan {
  readonly day: LocalDay;
  readonly from: number;
  readonly until: number;
}

const hourMs = 3_600_000;
