/**
 * What a tenant's work costs per hour at this moment, at list price: what runs, and the disks of what
 * is stopped. Of a subscription, which is paid ahead, the price has the disks only.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { addFen, parseFen, sumFen, type Fen } from "#kernel/money.ts";

const row = z.object({ kind: z.enum(["lease", "job"]), hourly: z.string().nullable() });

export interface Burn {
  readonly leases: Fen;
  /** Packages may pay these. */
  readonly jobs: Fen;
}

export async function burnByKind(db: Queryable, tenantId: string): Promise<Burn> {
  const rows = await db.rows(
    sql`select kind, case wanted when 'running' then price->>'hourly' else (
          select line->>'hourly' from jsonb_array_elements(price->'lines') line
          where line->>'sku' = 'storage') end as hourly
      from request where tenant_id = ${tenantId} and ended_at is null
        and price->>'hourly' is not null`,
    row,
  );
  const of = (kind: "lease" | "job"): Fen =>
    sumFen(rows.filter((each) => each.kind === kind).map(({ hourly }) => parseFen(hourly ?? "0")));
  return { leases: of("lease"), jobs: of("job") };
}

export async function burnPerHour(db: Queryable, tenantId: string): Promise<Fen> {
  const { leases, jobs } = await burnByKind(db, tenantId);
  return addFen(leases, jobs);
}
