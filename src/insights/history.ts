/** Reads what a month really was, tenant by tenant, for the replay. */
import { z } from "zod";

import { tiersAt } from "#customers/tier-store.ts";
import type { Queryable } from "#db/pool.ts";
import { instant, int8 } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { netPaidByDay } from "#flow/ledger/receipts.ts";
import { baseFeeSku } from "#flow/rate/base-fee.ts";
import { contractPrices } from "#flow/rate/contracts.ts";
import {
  addDays,
  addMonths,
  dayOf,
  dayStart,
  daysOf,
  firstDay,
  localDay,
  type LocalDay,
  type LocalMonth,
} from "#kernel/calendar.ts";
import { addFen, fen, zeroFen } from "#kernel/money.ts";
import { add, rational, zero, type Rational } from "#kernel/rational.ts";
import { timeZone } from "#kernel/zone.ts";

import type { TenantHistory } from "./replay.ts";

const tenantRow = z.object({
  id: z.string(),
  display_name: z.string(),
  time_zone: z.string(),
  created_at: instant,
  rated_from: z.string(),
});

const lineRow = z.object({
  sku: z.string(),
  day: z.string(),
  quantity: z.string(),
  divisor: z.string(),
  amount: int8,
});

/** Tenants with charges of the month, by id. */
export async function historiesOf(
  db: Queryable,
  ask: { readonly month: LocalMonth; readonly after: string | undefined; readonly limit: number },
): Promise<TenantHistory[]> {
  const { month, after, limit } = ask;
  const [from, until] = [firstDay(month), firstDay(addMonths(month, 1))];
  const tenants = await db.rows(
    sql`select t.id, t.display_name, r.time_zone, t.created_at, r.rated_from::text
      from tenant t join rating_account r on r.tenant_id = t.id
      where ${after === undefined ? sql`true` : sql`t.id > ${after}::uuid`}
        and exists (select from charge_line c where c.tenant_id = t.id
          and c.service_date >= ${from}::date and c.service_date < ${until}::date)
      order by t.id limit ${limit}`,
    tenantRow,
  );
  const histories: TenantHistory[] = [];
  for (const tenant of tenants) {
    // oxlint-disable-next-line no-await-in-loop -- one tenant at a time
    histories.push(await historyOf(db, tenant, { from, until }));
  }
  return histories;
}

async function historyOf(
  db: Queryable,
  tenant: z.output<typeof tenantRow>,
  { from, until }: { readonly from: LocalDay; readonly until: LocalDay },
): Promise<TenantHistory> {
  const zone = timeZone(tenant.time_zone);
  const lines = await db.rows(
    sql`select sku, service_date::text as day, quantity::text, quantity_divisor::text as divisor,
        amount
      from charge_line
      where tenant_id = ${tenant.id} and service_date >= ${from}::date
        and service_date < ${until}::date
      order by sku, service_date, revision`,
    lineRow,
  );
  const usage = new Map<string, Map<LocalDay, Rational>>();
  let charged = zeroFen;
  for (const line of lines) {
    charged = addFen(charged, fen(line.amount));
    if (line.sku === baseFeeSku) continue;
    const days = usage.get(line.sku) ?? new Map<LocalDay, Rational>();
    usage.set(line.sku, days);
    const day = localDay(line.day);
    const quantity = rational(BigInt(line.quantity), BigInt(line.divisor));
    days.set(day, add(days.get(day) ?? zero, quantity));
  }
  const days = daysOf(from, until);
  const tiers = await tiersAt(
    db,
    tenant.id,
    days.map((day) => dayStart(zone, day)),
  );
  return {
    tenantId: tenant.id,
    name: tenant.display_name,
    usage,
    charged,
    contracts: await contractPrices(db, tenant.id),
    tierOn: (day) => tiers.get(dayStart(zone, day)) ?? "normal",
    registered: dayOf(zone, tenant.created_at),
    ratedFrom: localDay(tenant.rated_from),
    payments: await netPaidByDay(db, tenant.id, zone),
  };
}

/** The last day of a month. */
export function lastDay(month: LocalMonth): LocalDay {
  return addDays(firstDay(addMonths(month, 1)), -1);
}
