/** Revenue, paying customers and their average by month, and cohorts by month of registration. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { int8 } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { localMonth, type LocalMonth } from "#kernel/calendar.ts";
import { addFen, fen, zeroFen, type Fen } from "#kernel/money.ts";
import { rational } from "#kernel/rational.ts";
import { roundHalfAway } from "#kernel/rounding.ts";

export interface CohortMonth {
  /** Month of registration. */
  readonly cohort: LocalMonth;
  readonly month: LocalMonth;
  /** Who used or ordered something. */
  readonly active: number;
  readonly revenue: Fen;
}

const row = z
  .object({ cohort: z.string(), month: z.string(), active: z.int(), revenue: int8 })
  .transform((each): CohortMonth => ({
    cohort: localMonth(each.cohort),
    month: localMonth(each.month),
    active: each.active,
    revenue: fen(each.revenue),
  }));

/** By cohort and month; months are those of use and of orders, both included. */
export function cohortMonths(
  db: Queryable,
  { from, through }: { readonly from: LocalMonth; readonly through: LocalMonth },
): Promise<CohortMonth[]> {
  return db.rows(
    sql`with spent as (
        select tenant_id, to_char(service_date, 'YYYY-MM') as month, amount from charge_line
          where service_date >= (${from}::text || '-01')::date
            and service_date < (${through}::text || '-01')::date + interval '1 month'
        union all
        select tenant_id, billed_month, amount from order_item
          where not is_prepayment and billed_month between ${from} and ${through}
      ), by_tenant as (
        select tenant_id, month, sum(amount) as amount from spent group by 1, 2
      )
      select to_char(t.created_at at time zone t.time_zone, 'YYYY-MM') as cohort, b.month,
        count(*) filter (where b.amount > 0)::int as active, sum(b.amount)::int8 as revenue
      from by_tenant b join tenant t on t.id = b.tenant_id
      where t.kind = 'customer' group by 1, 2 order by 1, 2`,
    row,
  );
}

const dayRow = z
  .object({ active: z.int(), revenue: int8 })
  .transform((each) => ({ active: each.active, revenue: fen(each.revenue) }));

/** Of the day that each customer has at this instant. */
export function revenueToday(
  db: Queryable,
  now: number,
): Promise<{ readonly active: number; readonly revenue: Fen }> {
  return db.one(
    sql`with local as (
        select id, (${new Date(now)}::timestamptz at time zone time_zone)::date as day, time_zone
        from tenant where kind = 'customer'
      ), spent as (
        select l.id, c.amount from local l
          join charge_line c on c.tenant_id = l.id and c.service_date = l.day
        union all
        select l.id, i.amount from local l
          join order_item i on i.tenant_id = l.id and not i.is_prepayment
            and i.billed_month = to_char(l.day, 'YYYY-MM')
            and (i.at at time zone l.time_zone)::date = l.day
      ), by_tenant as (
        select id, sum(amount) as amount from spent group by id
      )
      select count(*) filter (where amount > 0)::int as active,
        coalesce(sum(amount), 0)::int8 as revenue
      from by_tenant`,
    dayRow,
  );
}

/** How many registered, by month. */
export async function registrations(db: Queryable): Promise<ReadonlyMap<LocalMonth, number>> {
  const rows = await db.rows(
    sql`select to_char(created_at at time zone time_zone, 'YYYY-MM') as month, count(*)::int as count
      from tenant where kind = 'customer' group by 1 order by 1`,
    z.object({ month: z.string(), count: z.int() }),
  );
  return new Map(rows.map(({ month, count }) => [localMonth(month), count]));
}

export interface RevenueMonth {
  readonly month: LocalMonth;
  readonly revenue: Fen;
  readonly active: number;
  /** Average revenue per active customer (P-23); zero without any. */
  readonly arpu: Fen;
}

/** Pure. */
export function revenueByMonth(cells: readonly CohortMonth[]): RevenueMonth[] {
  const months = [...new Set(cells.map(({ month }) => month))].toSorted();
  return months.map((month) => {
    const own = cells.filter((cell) => cell.month === month);
    const revenue = own.map((cell) => cell.revenue).reduce(addFen, zeroFen);
    const active = own.reduce((sum, cell) => sum + cell.active, 0);
    const arpu = active === 0 ? zeroFen : fen(roundHalfAway(rational(revenue, BigInt(active))));
    return { month, revenue, active, arpu };
  });
}
