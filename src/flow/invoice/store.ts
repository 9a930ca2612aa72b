/**
 * Statements from committed charge lines, and rows of `invoice`: the months that are closed. What
 * must stay true: a month is closed once, after its last day was posted, and never changes.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { pricesOn, type PriceBook } from "#catalog/price-profiles.ts";
import { splitVat } from "#catalog/tax.ts";
import { json } from "#db/json.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { quantityInUnits } from "#flow/rate/pass.ts";
import { chargeLines, type ChargeLine, type LineRange } from "#flow/rate/store.ts";
import {
  addDays,
  addMonths,
  daysBetween,
  firstDay,
  isLocalMonth,
  localMonth,
  type LocalDay,
  type LocalMonth,
} from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, parseFen, type Fen } from "#kernel/money.ts";
import { formatRational } from "#kernel/rational.ts";
import type { TimeZone } from "#kernel/zone.ts";

import { statementOf, type ChargedLine, type Statement } from "./decide.ts";

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
  { tenant, timeZone, range }: StatementOf,
): Promise<Statement> {
  const { from, through } = daysOfRange(range);
  const lines = await chargeLines(db, tenant.id, range);
  const inForce = pricesOn(prices, through);
  if (inForce === undefined)
    throw new Failure("invalid_request", `There were no prices yet on ${through}.`);
  return statementOf({
    tenant,
    from,
    through,
    timeZone,
    lines: lines.map(chargedLine),
    splitTax: (gross) => splitVat(inForce.profile, gross),
    vatRate: formatRational(inForce.profile.vat.rate),
    profile: profileNames(prices, lines) ?? `${inForce.name} v${inForce.version}`,
  });
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

function chargedLine(line: ChargeLine): ChargedLine {
  return {
    date: line.serviceDay,
    sku: line.sku,
    quantity: quantityInUnits(line),
    unit: line.unit,
    listPrice: line.listPrice,
    multiplier: line.multiplier,
    amount: line.amount,
    state: line.postedAt === undefined ? "provisional" : "posted",
  };
}

/** "Default v1, Default v3"; `undefined` without lines. */
function profileNames(prices: PriceBook, lines: readonly ChargeLine[]): string | undefined {
  const used = new Set(lines.map(({ profileId }) => profileId));
  const names = prices
    .filter(({ id }) => used.has(id))
    .map(({ name, version }) => `${name} v${version}`);
  return names.length === 0 ? undefined : names.join(", ");
}

export interface Invoice {
  readonly id: string;
  readonly period: LocalMonth;
  readonly gross: Fen;
  readonly net: Fen;
  readonly vat: Fen;
  readonly finalizedAt: number;
}

const invoiceRow = z
  .object({
    id: z.string(),
    period: z.string().refine(isLocalMonth),
    gross: z.bigint(),
    net: z.bigint(),
    vat: z.bigint(),
    finalized_at: instant,
  })
  .transform((row): Invoice => ({
    id: row.id,
    period: localMonth(row.period),
    gross: fen(row.gross),
    net: fen(row.net),
    vat: fen(row.vat),
    finalizedAt: row.finalized_at,
  }));

/** Newest month first. */
export function listInvoices(
  db: Queryable,
  tenantId: string,
  ask: { readonly before: LocalMonth | undefined; readonly limit: number },
): Promise<Invoice[]> {
  return db.rows(
    sql`select id, period, gross, net, vat, finalized_at from invoice
      where tenant_id = ${tenantId}
        and ${ask.before === undefined ? sql`true` : sql`period < ${ask.before}`}
      order by period desc limit ${ask.limit}`,
    invoiceRow,
  );
}

/** Writes the closed month; false if it was closed before, and then nothing is written. */
export async function insertInvoice(
  tx: Tx,
  ask: { readonly month: LocalMonth; readonly statement: Statement; readonly now: number },
): Promise<boolean> {
  const { month, statement, now } = ask;
  const written = await tx.execute(sql`
    insert into invoice (tenant_id, id, kind, period, gross, net, vat, document, finalized_at)
    values (${statement.tenant.id}, ${newId()}, 'monthly', ${month},
      ${parseFen(statement.total)}::int8, ${parseFen(statement.net)}::int8,
      ${parseFen(statement.vat)}::int8, ${json(statement)}, ${new Date(now)})
    on conflict on constraint invoice_period do nothing`);
  return written === 1;
}

export interface MonthToClose {
  readonly tenantId: string;
  readonly month: LocalMonth;
  readonly timeZone: string;
}

/**
 * Months with charges whose last day is posted, and that have no invoice yet. None before a closed
 * one is looked at: late usage is billed in the month that is open then.
 */
export async function monthsToClose(db: Queryable, limit: number): Promise<MonthToClose[]> {
  return db.rows(
    sql`select distinct c.tenant_id as "tenantId", c.billed_month as month,
        r.time_zone as "timeZone"
      from rating_account r join charge_line c on c.tenant_id = r.tenant_id
      where c.billed_month < to_char(r.posted_through + 1, 'YYYY-MM')
        and c.billed_month > coalesce((select max(i.period) from invoice i
          where i.tenant_id = r.tenant_id and i.kind = 'monthly'), '')
      order by 1, 2 limit ${limit}`,
    z.object({
      tenantId: z.string(),
      month: z
        .string()
        .refine(isLocalMonth)
        .transform((text) => localMonth(text)),
      timeZone: z.string(),
    }),
  );
}
