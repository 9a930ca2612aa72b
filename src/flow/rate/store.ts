/**
 * Rows of `rating_account` and `charge_line`, and the usage that they rest on. What must stay
 * true: one rater works on a tenant at a time (the account's row is locked), and a posted line is
 * never written again (the database refuses it).
 */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { join, sql, type Sql } from "#db/sql.ts";
import { usageBetween, type UsageInterval } from "#flow/meter/store.ts";
import {
  isLocalDay,
  isLocalMonth,
  localDay,
  localMonth,
  type LocalDay,
  type LocalMonth,
} from "#kernel/calendar.ts";
import { fen, type Fen } from "#kernel/money.ts";
import { rational, type Rational } from "#kernel/rational.ts";
import { timeZone, type TimeZone } from "#kernel/zone.ts";

const intervalsPerRead = 5000;
/** Lines are written in batches of so many: 14 parameters each, of 65535. */
const linesPerInsert = 500;
/** A record may be written that late and still be rated by the next pass, not only with the day. */
const lateRecordMs = 600_000;

const day = z
  .string()
  .refine(isLocalDay)
  .transform((text) => localDay(text));
const month = z
  .string()
  .refine(isLocalMonth)
  .transform((text) => localMonth(text));

export interface ChargeLine {
  readonly serviceDay: LocalDay;
  readonly sku: string;
  /** 0 is the day's own line; above it, an adjustment for late usage. */
  readonly revision: number;
  /** In base units: unit-seconds, byte-seconds. */
  readonly quantity: Rational;
  readonly unit: string;
  readonly basePerUnit: bigint;
  readonly listPrice: string;
  readonly multiplier: string;
  readonly amount: Fen;
  readonly profileId: string;
  readonly billedMonth: LocalMonth;
  /** `undefined` while it is provisional. */
  readonly postedAt: number | undefined;
}

const lineRow = z
  .object({
    service_date: day,
    sku: z.string(),
    revision: z.int(),
    quantity: z.string(),
    quantity_divisor: z.string(),
    unit: z.string(),
    base_per_unit: z.string(),
    list_price: z.string(),
    multiplier: z.string(),
    amount: z.bigint(),
    profile_id: z.string(),
    billed_month: month,
    posted_at: instant.nullable(),
  })
  .transform((row): ChargeLine => ({
    serviceDay: row.service_date,
    sku: row.sku,
    revision: row.revision,
    quantity: rational(BigInt(row.quantity), BigInt(row.quantity_divisor)),
    unit: row.unit,
    basePerUnit: BigInt(row.base_per_unit),
    listPrice: row.list_price,
    multiplier: row.multiplier,
    amount: fen(row.amount),
    profileId: row.profile_id,
    billedMonth: row.billed_month,
    postedAt: row.posted_at ?? undefined,
  }));

const lineColumns = sql`service_date::text, sku, revision, quantity::text, quantity_divisor::text,
  unit, base_per_unit::text, list_price, multiplier, amount, profile_id, billed_month, posted_at`;

export type LineRange =
  /** Of the local days, both included. */
  | { readonly kind: "days"; readonly from: LocalDay; readonly through: LocalDay }
  /** On the invoice of the month. */
  | { readonly kind: "billed"; readonly month: LocalMonth };

/** By day, SKU and revision. */
export function chargeLines(
  db: Queryable,
  tenantId: string,
  range: LineRange,
): Promise<ChargeLine[]> {
  const which =
    range.kind === "days"
      ? sql`service_date between ${range.from}::date and ${range.through}::date`
      : sql`billed_month = ${range.month}`;
  return readLines(db, tenantId, which);
}

/** Posted lines of the days from `from` on; what adjustments and running totals start from. */
export function postedSince(
  db: Queryable,
  tenantId: string,
  from: LocalDay,
): Promise<ChargeLine[]> {
  return readLines(db, tenantId, sql`state = 'posted' and service_date >= ${from}::date`);
}

function readLines(db: Queryable, tenantId: string, which: Sql): Promise<ChargeLine[]> {
  return db.rows(
    sql`select ${lineColumns} from charge_line
      where tenant_id = ${tenantId} and ${which} order by service_date, sku, revision`,
    lineRow,
  );
}

export interface RatingAccount {
  readonly timeZone: TimeZone;
  readonly postedThrough: LocalDay;
}

const accountRow = z
  .object({ time_zone: z.string(), posted_through: day })
  .transform((row): RatingAccount => ({
    timeZone: timeZone(row.time_zone),
    postedThrough: row.posted_through,
  }));

/** Locked until the transaction ends; `undefined` before the tenant's first rating. */
export function lockRatingAccount(tx: Tx, tenantId: string): Promise<RatingAccount | undefined> {
  return tx.maybe(
    sql`select time_zone, posted_through::text from rating_account
      where tenant_id = ${tenantId} for update`,
    accountRow,
  );
}

/** Somebody else may have opened it in this moment; then his stays. */
export async function openRatingAccount(
  tx: Tx,
  tenantId: string,
  account: RatingAccount,
): Promise<void> {
  await tx.execute(sql`
    insert into rating_account (tenant_id, time_zone, posted_through, post_next_at, rated_at)
    values (${tenantId}, ${account.timeZone}, ${account.postedThrough}::date, 'epoch', 'epoch')
    on conflict do nothing`);
}

export interface PassEnd {
  readonly postedThrough: LocalDay;
  /** When the day after it may be posted. */
  readonly postNextAt: number;
  readonly now: number;
}

export async function closePass(tx: Tx, tenantId: string, end: PassEnd): Promise<void> {
  await tx.execute(sql`
    update rating_account
    set posted_through = ${end.postedThrough}::date, post_next_at = ${new Date(end.postNextAt)},
      rated_at = ${new Date(end.now)}
    where tenant_id = ${tenantId}`);
}

/** When the tenant's usage began, in epoch milliseconds. */
export async function firstUsageAt(db: Queryable, tenantId: string): Promise<number | undefined> {
  const { first } = await db.one(
    sql`select min(started_at) as first from usage_interval where tenant_id = ${tenantId}`,
    z.object({ first: instant.nullable() }),
  );
  return first ?? undefined;
}

/** All usage that touches [from, until). */
export async function usageOf(
  db: Queryable,
  tenantId: string,
  span: { readonly from: number; readonly until: number },
): Promise<UsageInterval[]> {
  const all: UsageInterval[] = [];
  for (;;) {
    const after = all.at(-1);
    // oxlint-disable-next-line no-await-in-loop -- page after page
    const page = await usageBetween(db, { tenantId, ...span, after, limit: intervalsPerRead });
    all.push(...page);
    if (page.length < intervalsPerRead) return all;
  }
}

/** Replaces the provisional lines by these; lines that are posted now are among them. */
export async function replaceOpenLines(
  tx: Tx,
  tenantId: string,
  lines: readonly ChargeLine[],
): Promise<void> {
  await tx.execute(sql`
    delete from charge_line where tenant_id = ${tenantId} and state = 'provisional'`);
  for (let from = 0; from < lines.length; from += linesPerInsert) {
    const rows = lines.slice(from, from + linesPerInsert).map(
      (
        line,
      ) => sql`(${tenantId}::uuid, ${line.serviceDay}::date, ${line.sku}, ${line.revision}::int,
        ${line.quantity.numerator}::numeric, ${line.quantity.denominator}::numeric, ${line.unit},
        ${line.basePerUnit}::numeric, ${line.listPrice}, ${line.multiplier}, ${line.amount}::int8,
        ${line.profileId}::uuid, ${line.billedMonth},
        ${line.postedAt === undefined ? "provisional" : "posted"},
        ${line.postedAt === undefined ? null : new Date(line.postedAt)}::timestamptz)`,
    );
    // oxlint-disable-next-line no-await-in-loop -- one connection
    await tx.execute(sql`
      insert into charge_line (tenant_id, service_date, sku, revision, quantity, quantity_divisor,
        unit, base_per_unit, list_price, multiplier, amount, profile_id, billed_month, state,
        posted_at)
      values ${join(rows)}`);
  }
}

/**
 * Tenants that may have something new to rate: never rated, open usage, usage that ended since
 * they were rated last, or a day to be posted. By id.
 */
export async function tenantsToRate(
  db: Queryable,
  at: { readonly now: number; readonly after: string | undefined; readonly limit: number },
): Promise<string[]> {
  const rows = await db.rows(
    sql`select tenant_id from (
        select tenant_id from usage_interval where ended_at is null
        union
        select t.id from tenant t
          where not exists (select from rating_account r where r.tenant_id = t.id)
            and exists (select from usage_interval u where u.tenant_id = t.id)
        union
        select r.tenant_id from rating_account r
          where r.post_next_at <= ${new Date(at.now)}
            or exists (select from usage_interval u where u.tenant_id = r.tenant_id
              and u.ended_at > r.rated_at - ${lateRecordMs} * interval '1 millisecond')
      ) due
      where ${at.after === undefined ? sql`true` : sql`tenant_id > ${at.after}::uuid`}
      order by tenant_id limit ${at.limit}`,
    z.object({ tenant_id: z.string() }),
  );
  return rows.map(({ tenant_id: tenantId }) => tenantId);
}
