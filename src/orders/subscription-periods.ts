/** Rows of `subscription_period`: the paid terms of a subscription, each where the last one ends. */
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { shapeRow } from "#flow/admit/rows.ts";
import { fen, type Fen } from "#kernel/money.ts";
import type { Shape } from "#kernel/shape.ts";

import { terms, type Term } from "./term.ts";

const money = z.bigint().transform((value) => fen(value));

export interface SubscriptionKey {
  readonly tenantId: string;
  readonly id: string;
}

export interface Period {
  readonly number: number;
  readonly term: Term;
  readonly fromMonth: number;
  readonly untilMonth: number;
  readonly fromAt: number;
  readonly untilAt: number;
  readonly sku: string;
  readonly shape: Shape;
  readonly monthlyList: Fen;
}

const periodRow = z
  .object({
    number: z.int(),
    term: z.enum(terms),
    from_month: z.int(),
    until_month: z.int(),
    from_at: instant,
    until_at: instant,
    sku: z.string(),
    shape: shapeRow,
    monthly_list: money,
  })
  .transform((row): Period => ({
    number: row.number,
    term: row.term,
    fromMonth: row.from_month,
    untilMonth: row.until_month,
    fromAt: row.from_at,
    untilAt: row.until_at,
    sku: row.sku,
    shape: row.shape,
    monthlyList: row.monthly_list,
  }));

interface Terms {
  /** Oldest first. */
  readonly periods: readonly Period[];
}

/** Until when it is paid; `undefined` before the first term. */
export function paidUntilOf({ periods }: Terms): number | undefined {
  return periods.at(-1)?.untilAt;
}

/** The term that is in force, or the last one after all. */
export function periodAt({ periods }: Terms, at: number): Period | undefined {
  return periods.find(({ untilAt }) => at < untilAt) ?? periods.at(-1);
}

/** Oldest first. */
export function periodsOf(db: Queryable, of: SubscriptionKey): Promise<Period[]> {
  return db.rows(
    sql`select number, term, from_month, until_month, from_at, until_at, sku, shape, monthly_list
      from subscription_period
      where tenant_id = ${of.tenantId} and subscription_id = ${of.id}::uuid order by number`,
    periodRow,
  );
}

export async function insertPeriod(tx: Tx, key: SubscriptionKey, period: Period): Promise<void> {
  await tx.execute(sql`
    insert into subscription_period (tenant_id, subscription_id, number, term, from_month,
      until_month, from_at, until_at, sku, shape, monthly_list)
    values (${key.tenantId}, ${key.id}, ${period.number}, ${period.term}, ${period.fromMonth},
      ${period.untilMonth}, ${new Date(period.fromAt)}, ${new Date(period.untilAt)},
      ${period.sku}, ${json(period.shape)}, ${period.monthlyList})`);
}

/** What the machine is for the rest of a term, after an upgrade. */
export async function changePeriod(
  tx: Tx,
  key: SubscriptionKey,
  change: Pick<Period, "number" | "sku" | "shape" | "monthlyList">,
): Promise<void> {
  await tx.execute(sql`
    update subscription_period set sku = ${change.sku}, shape = ${json(change.shape)},
      monthly_list = ${change.monthlyList}
    where tenant_id = ${key.tenantId} and subscription_id = ${key.id}
      and number = ${change.number}`);
}
