/** Usage summed: by day, week or month, and by SKU, project, resource or user. */
import type { Handler } from "#api/handler.ts";
import { loadPriceBook, pricesOn } from "#catalog/price-profiles.ts";
import { inPriceUnits, skuPrice } from "#catalog/sku.ts";
import type { Operations } from "#contract/operations.ts";
import { usageSums, type UsageSum } from "#flow/meter/usage-sums.ts";
import {
  addDays,
  addMonths,
  dayOf,
  dayStart,
  firstDay,
  isoWeekOf,
  monthOf,
  type LocalDay,
} from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { add, formatRational, type Rational } from "#kernel/rational.ts";
import { formatRounded } from "#kernel/rounding.ts";
import { billingZone } from "#kernel/zone.ts";

import { accountOf } from "./account.ts";
import { rangeOf } from "./period.ts";

type Bucket = "day" | "week" | "month";

const bucketsMax = 400;
const rowsMax = 5000;
const quantityDigits = 6;

export const getUsageSums: Handler<Operations["getUsageSums"]> = async ({ query }, context) => {
  const { tx, tenantId, now } = context;
  const { zone } = await accountOf(tx, tenantId);
  const range = rangeOf(query, zone, now());
  const from = range.kind === "days" ? range.from : firstDay(range.month);
  const after =
    range.kind === "days" ? addDays(range.through, 1) : firstDay(addMonths(range.month, 1));
  const buckets = bucketsOf(query.bucket, from, after);
  const [rows, book] = await Promise.all([
    usageSums(tx, {
      tenantId,
      edges: [...buckets, after].map((day) => dayStart(zone, day)),
      by: query.by,
      sku: query.sku,
      now: now(),
      rowsMax: rowsMax + 1,
    }),
    loadPriceBook(tx),
  ]);
  const profile = pricesOn(book, dayOf(billingZone, now()))?.profile;
  const inUnits = (sku: string, quantity: Rational): { quantity: string; unit: string } => {
    const price = profile === undefined ? undefined : skuPrice(profile, sku);
    return price?.kind === "priced"
      ? {
          quantity: formatRounded(inPriceUnits(price, quantity), quantityDigits),
          unit: price.unit,
        }
      : { quantity: formatRational(quantity), unit: "unit-second" };
  };
  return {
    from,
    through: addDays(after, -1),
    timeZone: zone,
    buckets,
    items: merged(rows.slice(0, rowsMax)).map(({ bucket, group, name, sku, quantity }) => ({
      bucket: buckets[bucket] ?? from,
      group,
      name,
      sku,
      unitSeconds: formatRational(quantity),
      ...inUnits(sku, quantity),
    })),
    isCut: rows.length > rowsMax,
  };
};

/** The first day of each stretch; the first and the last may be shorter. */
function bucketsOf(bucket: Bucket, from: LocalDay, after: LocalDay): LocalDay[] {
  const next = {
    day: (day: LocalDay) => addDays(day, 1),
    week: (day: LocalDay) => isoWeekOf(day).until,
    month: (day: LocalDay) => firstDay(addMonths(monthOf(day), 1)),
  }[bucket];
  const buckets: LocalDay[] = [];
  for (let day = from; day < after; day = next(day)) {
    if (buckets.length === bucketsMax) {
      throw new Failure(
        "invalid_request",
        `At most ${bucketsMax} stretches at once: ask for fewer days, or by week or month.`,
      );
    }
    buckets.push(day);
  }
  return buckets;
}

/** Slices of one SKU are one quantity. */
function merged(rows: readonly UsageSum[]): UsageSum[] {
  const sums: UsageSum[] = [];
  for (const row of rows) {
    const last = sums.at(-1);
    if (last?.bucket === row.bucket && last.group === row.group && last.sku === row.sku) {
      sums[sums.length - 1] = { ...last, quantity: add(last.quantity, row.quantity) };
    } else sums.push(row);
  }
  return sums;
}
