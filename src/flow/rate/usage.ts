/**
 * Usage as rating sees it, and its sum per SKU and local day. What must stay true: the sum does
 * not depend on the order, the batches or the repetition of the records (R-EVT-1), and the days of
 * a record add up to it to the second, since both its ends are truncated first (R-PAYG-3).
 */
import { dimensionOf } from "#catalog/sku.ts";
import { segmentsOf } from "#flow/meter/cut.ts";
import type { OpenUse, UsageDay } from "#flow/meter/usage-days.ts";
import { splitAtMidnights, type LocalDay } from "#kernel/calendar.ts";
import { wholeSeconds, type Interval } from "#kernel/interval.ts";
import { add, rational, zero, type Rational } from "#kernel/rational.ts";
import type { TimeZone } from "#kernel/zone.ts";

export interface Usage {
  /** Who recorded it; with `id` its identity, unique for ever. */
  readonly source: string;
  readonly id: string;
  readonly projectId: string;
  readonly sku: string;
  /** GPUs, cores, GiB of memory; bytes of storage. */
  readonly units: bigint;
  /** `units / slice` is what was held: a quarter of a GPU is 1 and 4 (R-PAYG-8). */
  readonly slice: bigint;
  /** Up to now, where the record is still open. */
  readonly span: Interval;
  /** False for an attempt that a platform fault ended: recorded, never charged (R-PAYG-7). */
  readonly billable: boolean;
  /** Of a managed job, not of a lease: packages may pay it (R-PKG-5). */
  readonly isJob: boolean;
}

/** Quantities in base units (unit-seconds, byte-seconds) by SKU, then by local day. */
export type QuantitiesByDay = ReadonlyMap<string, ReadonlyMap<LocalDay, Rational>>;

/** Records of one identity count once. Records that are not billable do not count. */
export function quantitiesByDay(zone: TimeZone, usages: Iterable<Usage>): QuantitiesByDay {
  const totals = new Map<string, Map<LocalDay, Rational>>();
  for (const usage of distinct(usages)) {
    if (!usage.billable) continue;
    const days = totals.get(usage.sku) ?? new Map<LocalDay, Rational>();
    totals.set(usage.sku, days);
    for (const { day, part } of splitAtMidnights(zone, usage.span)) {
      const quantity = rational(usage.units * wholeSeconds(part), usage.slice);
      if (quantity.numerator !== 0n) days.set(day, add(days.get(day) ?? zero, quantity));
    }
    if (days.size === 0) totals.delete(usage.sku);
  }
  return totals;
}

export interface Quantities {
  readonly usage: QuantitiesByDay;
  /** The part of it that managed jobs used. */
  readonly jobUsage: QuantitiesByDay;
}

/**
 * The roll-up of the events, and what goes on since the last one, up to `until`. Compute of a
 * subscription is paid ahead, so it is no part of either; its storage is.
 */
export function quantitiesOf(
  zone: TimeZone,
  of: {
    readonly days: readonly UsageDay[];
    readonly open: readonly OpenUse[];
    /** Where a clock that was set back has yet to come to an end, the end is not counted. */
    readonly until: number;
  },
): Quantities {
  const usage = new Map<string, Map<LocalDay, Rational>>();
  const jobUsage = new Map<string, Map<LocalDay, Rational>>();
  const count = (use: Counted, day: LocalDay, quantity: Rational): void => {
    if (isPaidAhead(use) || quantity.numerator === 0n) return;
    for (const totals of use.work === "job" ? [usage, jobUsage] : [usage]) {
      const ofSku = totals.get(use.sku) ?? new Map<LocalDay, Rational>();
      totals.set(use.sku, ofSku.set(day, add(ofSku.get(day) ?? zero, quantity)));
    }
  };
  for (const use of of.days) count(use, use.day, rational(use.unitSeconds, use.slice));
  for (const use of of.open) {
    const until = Math.min(use.until ?? of.until, of.until);
    if (until <= use.from) continue;
    for (const { day, ...part } of segmentsOf(zone, { from: use.from, until })) {
      count(use, day, rational(use.units * wholeSeconds(part), use.slice));
    }
  }
  return { usage, jobUsage };
}

type Counted = Pick<UsageDay, "sku" | "plan" | "work">;

function isPaidAhead({ plan, sku }: Counted): boolean {
  return plan === "subscription" && dimensionOf(sku) !== "storage";
}

/** The first record of each identity; that a second one is equal is the meter's to guarantee. */
export function* distinct<T extends { readonly source: string; readonly id: string }>(
  records: Iterable<T>,
): Generator<T> {
  const seen = new Set<string>();
  for (const record of records) {
    const identity = JSON.stringify([record.source, record.id]);
    if (seen.has(identity)) continue;
    seen.add(identity);
    yield record;
  }
}
