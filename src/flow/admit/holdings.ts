/** What a project still holds, so that only an empty one can be removed. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

const row = z.object({ kind: z.enum(["lease", "job"]), count: z.int() });

export async function projectHoldings(
  db: Queryable,
  project: { readonly tenantId: string; readonly projectId: string },
): Promise<{ readonly kind: "leases" | "jobs"; readonly count: number }[]> {
  const rows = await db.rows(
    sql`select kind, count(*)::int as count from request
      where tenant_id = ${project.tenantId} and project_id = ${project.projectId}
        and ended_at is null group by kind order by kind`,
    row,
  );
  return rows.map(({ kind, count }) => ({ kind: kind === "lease" ? "leases" : "jobs", count }));
}
