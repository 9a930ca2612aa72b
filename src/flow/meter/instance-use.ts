/** What instances held, from when to when, as it was metered: also what is not billed, marked as that. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import type { Interval } from "#kernel/interval.ts";

export interface HeldUse {
  readonly instanceId: string;
  readonly sku: string;
  readonly units: bigint;
  /** `units / slice` is what was held. */
  readonly slice: bigint;
  /** Up to now, where it goes on. */
  readonly span: Interval;
  readonly billable: boolean;
}

const row = z
  .object({
    instance_id: z.string(),
    sku: z.string(),
    units: z.string(),
    slice: z.int(),
    started_at: instant,
    ended_at: instant.nullable(),
    billable: z.boolean(),
  })
  .transform((each) => ({
    instanceId: each.instance_id,
    sku: each.sku,
    units: BigInt(each.units),
    slice: BigInt(each.slice),
    from: each.started_at,
    until: each.ended_at,
    billable: each.billable,
  }));

/** By instance, SKU and time. */
export async function usesOf(
  db: Queryable,
  of: {
    readonly tenantId: string;
    readonly instanceIds: readonly string[];
    readonly now: number;
    readonly rowsMax: number;
  },
): Promise<HeldUse[]> {
  const rows = await db.rows(
    sql`select instance_id, sku, units::text, slice, started_at, ended_at, billable
      from usage_interval
      where tenant_id = ${of.tenantId} and instance_id = any(${[...of.instanceIds]}::uuid[])
      order by instance_id, sku, started_at limit ${of.rowsMax}`,
    row,
  );
  return rows.map(({ from, until, ...held }) => ({
    ...held,
    span: { from, until: Math.max(from, until ?? of.now) },
  }));
}
