/** What the signs of a customer who goes away are read from. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { int8 } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { addDays, localDay, localMonth, type LocalDay, type LocalMonth } from "#kernel/calendar.ts";
import { fen, type Fen } from "#kernel/money.ts";
import { secondsPerHour } from "#kernel/quantity.ts";
import { add, rational, zero, type Rational } from "#kernel/rational.ts";

/** By local month: what was used, and what was ordered and is not a prepayment. */
export async function consumptionByMonth(
  db: Queryable,
  tenantId: string,
): Promise<ReadonlyMap<LocalMonth, Fen>> {
  const rows = await db.rows(
    sql`select month, sum(amount)::int8 as amount from (
        select to_char(service_date, 'YYYY-MM') as month, amount from charge_line
          where tenant_id = ${tenantId}
        union all
        select billed_month, amount from order_item
          where tenant_id = ${tenantId} and not is_prepayment
      ) spent group by month order by month`,
    z.object({ month: z.string(), amount: int8 }),
  );
  return new Map(rows.map(({ month, amount }) => [localMonth(month), fen(amount)]));
}

/** GPU-hours on the local days [from, until). */
export async function gpuHours(
  db: Queryable,
  of: { readonly tenantId: string; readonly from: LocalDay; readonly until: LocalDay },
): Promise<Rational> {
  const rows = await db.rows(
    sql`select slice, sum(unit_seconds)::text as unit_seconds from usage_day
      where tenant_id = ${of.tenantId} and sku like 'gpu.%'
        and day >= ${of.from}::date and day < ${of.until}::date
      group by slice`,
    z.object({ slice: z.int(), unit_seconds: z.string() }),
  );
  let hours = zero;
  for (const { slice, unit_seconds: seconds } of rows) {
    hours = add(hours, rational(BigInt(seconds), BigInt(slice) * secondsPerHour));
  }
  return hours;
}

export async function hasActiveSubscription(
  db: Queryable,
  { tenantId, now }: { readonly tenantId: string; readonly now: number },
): Promise<boolean> {
  const { has } = await db.one(
    sql`select exists (select from request
        where tenant_id = ${tenantId} and plan = 'subscription' and ended_at is null
          and paid_until > ${new Date(now)}) as has`,
    z.object({ has: z.boolean() }),
  );
  return has;
}

/** Invoices that were due so many days ago or earlier and are not paid. */
export function overdueInvoices(
  db: Queryable,
  of: { readonly tenantId: string; readonly today: LocalDay; readonly days: number },
): Promise<{ readonly id: string; readonly number: string; readonly outstanding: bigint }[]> {
  return db.rows(
    sql`select i.id, i.number, s.outstanding from invoice i
      join invoice_state s on s.tenant_id = i.tenant_id and s.invoice_id = i.id
      where i.tenant_id = ${of.tenantId} and s.state = 'overdue'
        and i.due_on <= ${addDays(of.today, -of.days)}::date
      order by i.due_on`,
    z.object({ id: z.string(), number: z.string(), outstanding: int8 }),
  );
}

const dueRow = z.object({
  id: z.string(),
  time_zone: z.string(),
  looked_through: z
    .string()
    .transform((text) => localDay(text))
    .nullable(),
});
export type TenantToLookAt = z.output<typeof dueRow>;

/** Customers who have used something and for whom a day has begun. */
export function tenantsToLookAt(
  db: Queryable,
  { now, limit }: { readonly now: number; readonly limit: number },
): Promise<TenantToLookAt[]> {
  return db.rows(
    sql`select t.id, t.time_zone, a.looked_through::text
      from tenant t left join insight_account a on a.tenant_id = t.id
      where t.kind = 'customer'
        and (a.tenant_id is null
          or a.looked_through < (${new Date(now)}::timestamptz at time zone t.time_zone)::date)
      order by t.id limit ${limit}`,
    dueRow,
  );
}
