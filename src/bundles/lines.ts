/** The lines of a month's bill, with those that they cannot be rated without. */
import type { Queryable } from "#db/pool.ts";
import { chargeLines } from "#flow/rate/charge-lines.ts";
import type { ChargeLine } from "#flow/rate/lines.ts";
import { addDays, addMonths, firstDay, monthOf, type LocalMonth } from "#kernel/calendar.ts";

export interface LinesOfBill {
  /** On the bill. */
  readonly billed: readonly ChargeLine[];
  /**
   * Those, whatever else was or will be billed of the month's days, and for late usage of earlier
   * months all lines of its SKU in them; by day, SKU and revision.
   */
  readonly all: readonly ChargeLine[];
  /** Which SKUs of which earlier months. */
  readonly earlier: readonly { readonly month: LocalMonth; readonly skus: readonly string[] }[];
}

export async function linesOfBill(
  db: Queryable,
  { tenantId, month }: { readonly tenantId: string; readonly month: LocalMonth },
): Promise<LinesOfBill> {
  const ofDays = (each: LocalMonth): Promise<ChargeLine[]> =>
    chargeLines(db, tenantId, { kind: "days", ...daysOf(each) });
  const billed = await chargeLines(db, tenantId, { kind: "billed", month });
  const late = billed.filter(({ serviceDay }) => monthOf(serviceDay) < month);
  const months = Map.groupBy(late, ({ serviceDay }) => monthOf(serviceDay));
  const earlier = [...months].map(([each, lines]) => ({
    month: each,
    skus: [...new Set(lines.map(({ sku }) => sku))].toSorted(),
  }));
  const all = await ofDays(month);
  for (const { month: each, skus } of earlier) {
    // oxlint-disable-next-line no-await-in-loop -- one connection; few months
    all.push(...(await ofDays(each)).filter(({ sku }) => skus.includes(sku)));
  }
  return { billed, all: all.toSorted(byName), earlier };
}

export function daysOf(month: LocalMonth) {
  return { from: firstDay(month), through: addDays(firstDay(addMonths(month, 1)), -1) };
}

function byName(a: ChargeLine, b: ChargeLine): number {
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

function nameOf({ serviceDay, sku, revision }: ChargeLine): string {
  return `${serviceDay} ${sku} ${String(revision).padStart(6, "0")}`;
}
