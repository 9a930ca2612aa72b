/** What a tenant's running machines cost per hour at this moment, at list price. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { parseFen, sumFen, type Fen } from "#kernel/money.ts";

const row = z.object({ hourly: z.string() });

export async function burnPerHour(db: Queryable, tenantId: string): Promise<Fen> {
  const rows = await db.rows(
    sql`select price->>'hourly' as hourly from request
      where tenant_id = ${tenantId} and ended_at is null and wanted = 'running'
        and price->>'hourly' is not null`,
    row,
  );
  return sumFen(rows.map(({ hourly }) => parseFen(hourly)));
}
