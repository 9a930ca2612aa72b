/** Statements from what earlier stages committed: charge lines, and items of orders. */
import { z } from "zod";

import type { PriceBook } from "#catalog/price-book.ts";
import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { latestCheckpoint } from "#flow/meter/log-store.ts";
import { chargeLines, type BilledLine, type LineRange } from "#flow/rate/charge-lines.ts";
import { addMonths, dayOf, monthOf, type LocalDay, type LocalMonth } from "#kernel/calendar.ts";
import type { TimeZone } from "#kernel/zone.ts";
import { itemsOfMonth, type OrderItem } from "#orders/items.ts";

import { composeStatement, daysOfRange, type StatementOf } from "./compose.ts";
import type { Checkpoint, Statement } from "./decide.ts";
import { leavesOfLines } from "./leaves.ts";

/** Throws `invalid_request` for a range that is empty or too long. */
export async function readStatement(
  db: Queryable,
  prices: PriceBook,
  of: StatementOf,
): Promise<Statement> {
  const { tenant, timeZone, range } = of;
  daysOfRange(range);
  const lines = await chargeLines(db, tenant.id, range);
  const items = await itemsIn(db, { tenantId: tenant.id, zone: timeZone, range });
  const billed = lines.map((line) => ({ ...line, isPosted: line.postedAt !== undefined }));
  const leaves = await leavesOfLines(db, { tenantIds: [tenant.id], ...spanOf(of.range, lines) });
  const checkpoint = await checkpointNow(db);
  const read = { lines: billed, items, leavesOf: leaves(tenant.id), checkpoint };
  return composeStatement(prices, of, read);
}

/** What is signed by now; `null` before the first time. */
export async function checkpointNow(db: Queryable): Promise<Checkpoint | null> {
  const latest = await latestCheckpoint(db);
  if (latest === undefined) return null;
  return { size: latest.size, root: Buffer.from(latest.root).toString("base64") };
}

/** Late usage of earlier months is on a month's bill too. */
export function spanOf(
  range: LineRange,
  lines: readonly Pick<BilledLine, "serviceDay">[],
): { readonly from: LocalDay; readonly through: LocalDay } {
  const { from, through } = daysOfRange(range);
  const [first = from] = lines.map(({ serviceDay }) => serviceDay).toSorted();
  return { from: first < from ? first : from, through };
}

/** Of many tenants, without packages: those who have any. */
export async function billedItems(
  db: Queryable,
  { month, tenantIds }: { readonly month: LocalMonth; readonly tenantIds: readonly string[] },
): Promise<ReadonlyMap<string, readonly OrderItem[]>> {
  const rows = await db.rows(
    sql`select distinct tenant_id from order_item
      where tenant_id = any(${tenantIds}::uuid[]) and billed_month = ${month}`,
    z.object({ tenant_id: z.string() }),
  );
  const items = new Map<string, readonly OrderItem[]>();
  for (const { tenant_id: tenantId } of rows) {
    // oxlint-disable-next-line no-await-in-loop -- one connection
    const all = await itemsOfMonth(db, { tenantId, month });
    items.set(
      tenantId,
      all.filter(({ isPrepayment }) => !isPrepayment),
    );
  }
  return items;
}

/** Packages are paid ahead and charged as they are used, so their purchase is no line of a bill. */
async function itemsIn(
  db: Queryable,
  of: { readonly tenantId: string; readonly zone: TimeZone; readonly range: LineRange },
): Promise<OrderItem[]> {
  const { tenantId, zone, range } = of;
  const { from, through } = daysOfRange(range);
  const items: OrderItem[] = [];
  for (let month = monthOf(from); month <= monthOf(through); month = addMonths(month, 1)) {
    // oxlint-disable-next-line no-await-in-loop -- one connection
    items.push(...(await itemsOfMonth(db, { tenantId, month })));
  }
  return items.filter((item) => {
    const day = dayOf(zone, item.at);
    return !item.isPrepayment && (range.kind === "billed" || (day >= from && day <= through));
  });
}
