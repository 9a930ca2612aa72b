/** Whether a tenant has credit of packages left, principal or bonus. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

export async function hasPackageCredit(db: Queryable, tenantId: string): Promise<boolean> {
  const { has } = await db.one(
    sql`select exists (select from account where tenant_id = ${tenantId}
        and kind in ('principal', 'bonus') and balance > 0) as has`,
    z.object({ has: z.boolean() }),
  );
  return has;
}
