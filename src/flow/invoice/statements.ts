/** Statements from what earlier stages committed: charge lines, and items of orders. */
import { z } from "zod";

import { pricesOn, type PriceBook } from "#catalog/price-profiles.ts";
import { splitVat } from "#catalog/tax.ts";
import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { latestCheckpoint } from "#flow/meter/log-store.ts";
import { quantityInUnits } from "#flow/rate/lines.ts";
import { chargeLines, type BilledLine, type LineRange } from "#flow/rate/charge-lines.ts";
import {
  addDays,
  addMonths,
  dayOf,
  daysBetween,
  firstDay,
  monthOf,
  type LocalDay,
  type LocalMonth,
} from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { itemsOfMonth, type OrderItem } from "#orders/items.ts";
import { itemText } from "#orders/words.ts";
import { addFen, formatFen, sumFen, zeroFen } from "#kernel/money.ts";
import { formatRational, one } from "#kernel/rational.ts";
import type { TimeZone } from "#kernel/zone.ts";

import {
  noDescription,
  statementOf,
  type Checkpoint,
  type LeafRange,
  type Statement,
  type StatementLine,
} from "./decide.ts";
import { leavesOfLines, type LeavesOf } from "./leaves.ts";

/** Longest range of days in one statement. */
const statementDaysMax = 400;

export interface StatementOf {
  readonly tenant: { readonly id: string; readonly name: string };
  readonly timeZone: TimeZone;
  /**
   * `billed`: what the month's invoice has or will have, late usage of earlier months included.
   * `days`: what was used on those days.
   */
  readonly range: LineRange;
}

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

export interface ReadForStatement {
  readonly lines: readonly BilledLine[];
  /** Packages are no lines of a bill, so it has none. */
  readonly items: readonly OrderItem[];
  readonly leavesOf: LeavesOf;
  readonly checkpoint: Checkpoint | null;
}

export function composeStatement(
  prices: PriceBook,
  { tenant, timeZone, range }: StatementOf,
  { lines, items, leavesOf, checkpoint }: ReadForStatement,
): Statement {
  const { from, through } = daysOfRange(range);
  const inForce = pricesOn(prices, through);
  if (inForce === undefined)
    throw new Failure("invalid_request", `There were no prices yet on ${through}.`);
  return statementOf({
    tenant,
    from,
    through,
    timeZone,
    lines: [
      ...lines.map((line) => usageLine(line, leavesOf(line))),
      ...items.map((item) => orderLine(item, timeZone)),
    ],
    splitTax: (gross) => splitVat(inForce.profile, gross),
    vatRate: formatRational(inForce.profile.vat.rate),
    profile: profileNames(prices, lines) ?? `${inForce.name} v${inForce.version}`,
    checkpoint,
  });
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

function daysOfRange(range: LineRange): { readonly from: LocalDay; readonly through: LocalDay } {
  if (range.kind === "billed") {
    return {
      from: firstDay(range.month),
      through: addDays(firstDay(addMonths(range.month, 1)), -1),
    };
  }
  const days = daysBetween(range.from, range.through) + 1;
  if (days >= 1 && days <= statementDaysMax) return range;
  throw new Failure(
    "invalid_request",
    `A statement covers 1 to ${statementDaysMax} days; ${range.from} to ${range.through} are ${days}.`,
  );
}

function usageLine(line: BilledLine, leaves: LeafRange | null): StatementLine {
  const { packages, promotion, wallet, receivable } = line.paid;
  return {
    kind: "usage",
    date: line.serviceDay,
    sku: line.sku,
    description: noDescription,
    revision: line.revision,
    quantity: quantityInUnits(line),
    unit: line.unit,
    listPrice: line.listPrice,
    multiplier: line.multiplier,
    amount: line.amount,
    paidBy: {
      package: sumFen(packages.map(({ principal }) => principal)),
      bonus: addFen(sumFen(packages.map(({ bonus }) => bonus)), promotion),
      balance: wallet,
      owed: receivable,
    },
    leaves,
    state: line.isPosted ? "posted" : "provisional",
  };
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

function orderLine(item: OrderItem, zone: TimeZone): StatementLine {
  const { kind, data, discounts, amount, refundOf } = item;
  const said = { kind, sku: item.sku, data, isRefund: refundOf !== null };
  return {
    kind: "order",
    date: dayOf(zone, item.at),
    sku: item.sku,
    description: { en: itemText(said, "en"), "zh-CN": itemText(said, "zh-CN") },
    revision: 0,
    quantity: one,
    unit: "order",
    listPrice: formatFen(item.listPrice),
    multiplier: discounts.map((each) => `${each.rule} ${formatFen(each.amount)}`).join(", "),
    amount,
    paidBy: { package: zeroFen, bonus: zeroFen, balance: amount, owed: zeroFen },
    leaves: null,
    state: "posted",
  };
}

/** "Default v1, Default v3"; `undefined` without lines. */
function profileNames(
  prices: PriceBook,
  lines: readonly Pick<BilledLine, "profileId">[],
): string | undefined {
  const used = new Set(lines.map(({ profileId }) => profileId));
  const names = prices
    .filter(({ id }) => used.has(id))
    .map(({ name, version }) => `${name} v${version}`);
  return names.length === 0 ? undefined : names.join(", ");
}
