/**
 * Which entries of the metering log a line rests on (R-LOG-1): those of its day and SKU that were
 * in the roll-up when it was posted, and, of an adjustment, not for the revision before it. Lines of
 * before the rater wrote down how far it saw go by when their events were accepted.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { size } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import type { LocalDay } from "#kernel/calendar.ts";

import type { LeafRange } from "./decide.ts";

const row = z.object({
  tenant_id: z.string(),
  day: z.string(),
  sku: z.string(),
  revision: z.int(),
  first: size,
  last: size,
  count: z.int(),
});

export type LeavesOf = (line: {
  readonly serviceDay: LocalDay;
  readonly sku: string;
  readonly revision: number;
}) => LeafRange | null;

const none: LeavesOf = () => null;

/** By tenant, for posted lines of the days from `from` through `through`. */
export async function leavesOfLines(
  db: Queryable,
  ask: {
    readonly tenantIds: readonly string[];
    readonly from: LocalDay;
    readonly through: LocalDay;
  },
): Promise<(tenantId: string) => LeavesOf> {
  const rows = await db.rows(
    sql`with line as (
        select tenant_id, service_date, sku, revision, posted_at, received_through,
          lag(posted_at) over before as posted_before,
          lag(received_through) over before as received_before
        from charge_line
        where tenant_id = any(${ask.tenantIds}::uuid[]) and state = 'posted'
          and service_date between ${ask.from}::date and ${ask.through}::date
        window before as (partition by tenant_id, service_date, sku order by revision)
      )
      select c.tenant_id, c.service_date::text as day, c.sku, c.revision,
        min(l.leaf_index) as first, max(l.leaf_index) as last, count(*)::int as count
      from line c
      join usage_event e on e.tenant_id = c.tenant_id and e.day = c.service_date and e.sku = c.sku
        and coalesce(e.received <= c.received_through, e.received_at <= c.posted_at)
        and not coalesce(e.received <= c.received_before, e.received_at <= c.posted_before, false)
      join log_entry l on l.received = e.received
      group by c.tenant_id, c.service_date, c.sku, c.revision`,
    row,
  );
  const tenants = new Map<string, Map<string, LeafRange>>();
  for (const { tenant_id: tenantId, day, sku, revision, first, last, count } of rows) {
    const ranges = tenants.get(tenantId) ?? new Map<string, LeafRange>();
    tenants.set(tenantId, ranges);
    ranges.set(keyOf(day, sku, revision), { first, last, count });
  }
  return (tenantId) => {
    const ranges = tenants.get(tenantId);
    if (ranges === undefined) return none;
    return ({ serviceDay, sku, revision }) => ranges.get(keyOf(serviceDay, sku, revision)) ?? null;
  };
}

function keyOf(day: string, sku: string, revision: number): string {
  return `${day} ${sku} ${revision}`;
}
