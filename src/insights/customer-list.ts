/**
 * Customers as the operator looks through them: tier, rung of the ladder, what the month took, open
 * signs. Filters are the database's, so that a page is full whatever is asked; sums are made for the
 * rows of the page only.
 */
import { z } from "zod";

import type { Tier } from "#catalog/sku.ts";
import { tierByHand, tierByPayments } from "#customers/tier-store.ts";
import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable } from "#db/pool.ts";
import { instant, int8 } from "#db/row.ts";
import { sql, type Sql } from "#db/sql.ts";
import { fen } from "#kernel/money.ts";

import { taskKinds, type TaskKind } from "./tasks.ts";

const stages = [
  "ok",
  "forecast",
  "warning",
  "no_new_work",
  "grace",
  "stopped",
  "released",
] as const;
type Stage = (typeof stages)[number];

const row = z
  .object({
    id: z.string(),
    name: z.string(),
    display_name: z.string(),
    time_zone: z.string(),
    state: z.enum(["active", "suspended"]),
    created_at: instant,
    by_hand: z.enum(["normal", "gold", "diamond"]).nullable(),
    by_payments: z.enum(["normal", "gold", "diamond"]),
    stage: z.enum(stages),
    spent: int8,
    signs: z.array(z.enum(taskKinds)),
  })
  .transform((each) => ({
    id: each.id,
    name: each.name,
    displayName: each.display_name,
    timeZone: each.time_zone,
    state: each.state,
    createdAt: each.created_at,
    tier: each.by_hand ?? each.by_payments,
    isTierByHand: each.by_hand !== null,
    stage: each.stage,
    spentThisMonth: fen(each.spent),
    signs: each.signs,
  }));
export type ListedCustomer = z.output<typeof row>;

export interface CustomerFilter {
  readonly nameHas?: string | undefined;
  readonly tier?: Tier | undefined;
  readonly state?: "active" | "suspended" | undefined;
  readonly stage?: Stage | "low" | undefined;
  readonly sign?: TaskKind | "any" | undefined;
}

/** Newest first, without the operator himself. Needs a transaction of the operator. */
export function customers(
  db: Queryable,
  ask: PageAsk & { readonly filter: CustomerFilter; readonly now: number },
): Promise<ListedCustomer[]> {
  const now = sql`${new Date(ask.now)}::timestamptz`;
  return db.rows(
    sql`with known as (
        select t.*, coalesce(d.stage, 'ok') as stage,
          ${tierByHand(sql`t.id`, now)} as by_hand, ${tierByPayments(sql`t.id`, now)} as by_payments
        from tenant t left join dunning_state d on d.tenant_id = t.id
        where t.kind = 'customer'
      ), page as (
        select * from known k
        where ${conditions(ask.filter)}
          and ${newestFirst({ at: sql`created_at`, id: sql`id` }, ask)}
        order by created_at desc, id desc limit ${ask.limit}
      )
      select p.id, p.name, p.display_name, p.time_zone, p.state, p.created_at, p.by_hand,
        p.by_payments, p.stage, ${spentThisMonth(now)}::int8 as spent,
        array(select distinct k.kind from customer_task k
          where k.tenant_id = p.id and k.done_at is null order by 1) as signs
      from page p order by p.created_at desc, p.id desc`,
    row,
  );
}

function conditions({ nameHas, tier, state, stage, sign }: CustomerFilter): Sql {
  const open = sql`select from customer_task c where c.tenant_id = k.id and c.done_at is null`;
  return sql`${nameHas === undefined ? sql`true` : nameWith(nameHas)}
    and ${tier === undefined ? sql`true` : sql`coalesce(k.by_hand, k.by_payments) = ${tier}`}
    and ${state === undefined ? sql`true` : sql`k.state = ${state}`}
    and ${
      stage === undefined
        ? sql`true`
        : stage === "low"
          ? sql`k.stage <> 'ok'`
          : sql`k.stage = ${stage}`
    }
    and ${
      sign === undefined
        ? sql`true`
        : sign === "any"
          ? sql`exists (${open})`
          : sql`exists (${open} and c.kind = ${sign})`
    }`;
}

function nameWith(part: string): Sql {
  return sql`(position(lower(${part}) in lower(k.name)) > 0
    or position(lower(${part}) in lower(k.display_name)) > 0)`;
}

/** As revenue counts it: use by its day, orders by the month that bills them, no prepayments. */
function spentThisMonth(now: Sql): Sql {
  const today = sql`(${now} at time zone p.time_zone)`;
  return sql`(
    coalesce((select sum(c.amount) from charge_line c
      where c.tenant_id = p.id and c.service_date >= date_trunc('month', ${today})::date
        and c.service_date < (date_trunc('month', ${today}) + interval '1 month')::date), 0)
    + coalesce((select sum(i.amount) from order_item i
      where i.tenant_id = p.id and not i.is_prepayment
        and i.billed_month = to_char(${today}, 'YYYY-MM')), 0))`;
}
