/**
 * Money that is held although nothing is open that it could be for: what every hold's owner gives back
 * in the transaction that ends it. Read now and then, so that nothing is held for ever unseen.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { int8 } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { fen, formatFen } from "#kernel/money.ts";
import { holdOf } from "./prices.ts";

const findingsMax = 100;

const row = z.object({ tenantId: z.string(), held: int8, needed: int8 });

export interface HoldFinding {
  readonly tenantId: string;
  readonly problem: string;
}

/** In the wallet: what is held against what open requests and orders hold. On packages: each by name. */
export async function heldForNothing(db: Queryable): Promise<HoldFinding[]> {
  const found = await db.rows(
    sql`with open_thing as (
        select tenant_id, id::text as reference from request where ended_at is null
        union all
        select tenant_id, ${holdOf.subscription("")} || id from subscription
          where state = 'ordered'
        union all
        select tenant_id, ${holdOf.upgrade("")} || id from subscription_upgrade
          where state = 'resizing'
        union all
        select tenant_id, ${holdOf.expansion("")} || id from expansion
          where state in ('resizing', 'scheduled')
      ), needed as (
        select o.tenant_id, sum(p.amount) as amount
        from open_thing o
        join journal j on j.tenant_id = o.tenant_id and j.key = 'hold:' || o.reference
        join posting p on p.tenant_id = j.tenant_id and p.journal_id = j.id
          and p.account_kind = 'held'
        where not exists (select from journal r
          where r.tenant_id = o.tenant_id and r.key = 'release:' || o.reference)
        group by o.tenant_id
      )
      select a.tenant_id as "tenantId", a.balance as held, coalesce(n.amount, 0)::int8 as needed
      from account a left join needed n on n.tenant_id = a.tenant_id
      where a.kind = 'held' and a.balance <> coalesce(n.amount, 0)
      union all
      select h.tenant_id, h.amount, 0::int8 from package_hold h
      where h.released_at is null and not exists (select from open_thing o
        where o.tenant_id = h.tenant_id and o.reference = h.reference)
      limit ${findingsMax}`,
    row,
  );
  return found.map(({ tenantId, held, needed }) => ({
    tenantId,
    problem: `${formatFen(fen(held))} is held, and ${formatFen(fen(needed))} of it for something`,
  }));
}
