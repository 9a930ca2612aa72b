/**
 * Usage as rating sees it, and its sum per SKU and local day. What must stay true: the sum does
 * not depend on the order, the batches or the repetition of the records (R-EVT-1), and the days of
 * a record add up to it to the second, since both its ends are truncated first (R-PAYG-3).
 */
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
