/**
 * Events to sums: what each line of the bill rests on, worked out from the leaves alone. On the way
 * each event is compared with its leaf, its tenant, its day and its neighbors.
 *
 * What must stay true: an event counts once, and what takes it back takes back exactly it.
 */
import { dimensionOf } from "#catalog/sku.ts";
import { meterSource } from "#flow/meter/event.ts";
import type { LocalDay } from "#kernel/calendar.ts";
import type { TimeZone } from "#kernel/zone.ts";
import { hashLength, type TreeHasher } from "#tlog/hash.ts";

import { Chains } from "./chains.ts";
import { Days } from "./days.ts";
import { EventScanner } from "./event-bytes.ts";
import { hasItsUnit, readEvent, type ReadRecorded, type ReadRetracted } from "./event-line.ts";
import type { Findings } from "./findings.ts";
import type { Bundle } from "./read.ts";
import { countLeaf, DaySums, sumOf, type LineName, type Tally } from "./sums.ts";

export interface Usage {
  /** `undefined` where a line has no events. */
  readonly of: (line: LineName) => Tally | undefined;
  /** Days and SKUs that there are events of. */
  readonly used: readonly { readonly day: LocalDay; readonly sku: string }[];
}

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
