/** Days in stretches: of days, ISO weeks or months, as the API cuts them. Amounts add up exactly. */
import { addDays, firstDay, isoWeekOf, localDay, monthOf } from "#kernel/calendar.ts";

import { amountOf, fenOf } from "#console/components/money.tsx";

export type BucketSize = "day" | "week" | "month";

export interface DayRange {
  readonly from: string;
  readonly through: string;
}

/** The first day of the stretch that a day lies in, no earlier than the range's first. */
export function bucketOf(day: string, size: BucketSize, from: string): string {
  const of = localDay(day);
  const start = { day: of, week: isoWeekOf(of).from, month: firstDay(monthOf(of)) }[size];
  return start < from ? from : start;
}

/** What people call it: a day, 2026-W19, 2026-05. */
export function bucketName(start: string, size: BucketSize): string {
  const of = localDay(start);
  return { day: start, week: isoWeekOf(of).name, month: monthOf(of) }[size];
}

export function bucketsIn({ from, through }: DayRange, size: BucketSize): readonly string[] {
  const starts: string[] = [];
  for (let day = from; day <= through; day = addDays(localDay(day), 1)) {
    const start = bucketOf(day, size, from);
    if (starts.at(-1) !== start) starts.push(start);
  }
  return starts;
}

interface Line {
  readonly date: string;
  readonly sku: string;
  readonly amount: string;
}

/** By stretch and SKU; stretches without lines are there too. */
export function amountsBy(
  lines: readonly Line[],
  range: DayRange,
  size: BucketSize,
): {
  readonly buckets: readonly string[];
  readonly skus: readonly string[];
  readonly amount: (bucket: string, sku: string) => string;
} {
  const sums = new Map<string, bigint>();
  const skus = new Set<string>();
  for (const line of lines) {
    if (line.date < range.from || line.date > range.through) continue;
    const key = `${bucketOf(line.date, size, range.from)} ${line.sku}`;
    skus.add(line.sku);
    sums.set(key, (sums.get(key) ?? 0n) + fenOf(line.amount));
  }
  return {
    buckets: bucketsIn(range, size),
    skus: [...skus].toSorted(),
    amount: (bucket, sku) => amountOf(sums.get(`${bucket} ${sku}`) ?? 0n),
  };
}
