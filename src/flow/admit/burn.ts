/**
 * What a tenant's running machines cost per hour at this moment, at list price; subscriptions are
 * paid ahead.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { addFen, parseFen, sumFen, type Fen } from "#kernel/money.ts";

const row = z.object({ kind: z.enum(["lease", "job"]), hourly: z.string() });

export interface Burn {
  readonly leases: Fen;
  /** Packages may pay these. */
  readonly jobs: Fen;
}

export async function burnByKind(db: Queryable, tenantId: string): Promise<Burn> {
  const rows = await db.rows(
    sql`select kind, price->>'hourly' as hourly from request
      where tenant_id = ${tenantId} and ended_at is null and wanted = 'running'
        and plan = 'on_demand' and price->>'hourly' is not null`,
    row,
  );
  const of = (kind: "lease" | "job"): Fen =>
    sumFen(rows.filter((each) => each.kind === kind).map(({ hourly }) => parseFen(hourly)));
  return { leases: of("lease"), jobs: of("job") };
}

export async function burnPerHour(db: Queryable, tenantId: string): Promise<Fen> {
  const { leases, jobs } = await burnByKind(db, tenantId);
  return addFen(leases, jobs);
}
