/** The sums of events by line of the bill, and which line each event came for. */
import type { LocalDay } from "#kernel/calendar.ts";
import { add, rational, zero, type Rational } from "#kernel/rational.ts";

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

export interface LineName {
  readonly day: LocalDay;
  readonly sku: string;
  readonly revision: number;
}

/** Which revision has an event: -1 of events that no line has. */
const noRevision = -1;

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

export interface Sums {
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

export function sumOf(sums: BySlice, slice: number): Sum {
  let sum = sums.get(slice);
  if (sum === undefined) sums.set(slice, (sum = new Sum()));
  return sum;
}

export function countLeaf(sums: Sums, leaf: number): void {
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
export class DaySums {
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
