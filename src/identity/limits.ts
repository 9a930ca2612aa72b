/** How much of each record one tenant may have: bounds against accidents, not something sold. */
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql, type Sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

export const projectsPerTenantMax = 1000;
export const usersPerTenantMax = 10_000;
export const apiKeysPerUserMax = 100;
export const sshKeysPerUserMax = 100;
/** Beyond it, the one that was seen least lately ends. */
export const sessionsPerUserMax = 50;

const counted = z.object({ used: z.int() });

/**
 * `rows` is what follows `select count(*)`. Two callers at once may overshoot by one each, which
 * is nothing to a bound against accidents; so it takes no lock.
 */
export async function requireRoom(
  tx: Tx,
  { what, rows, limit }: { readonly what: string; readonly rows: Sql; readonly limit: number },
): Promise<void> {
  const { used } = await tx.one(sql`select count(*)::int4 as used ${rows}`, counted);
  if (used < limit) return;
  throw new Failure("quota_exceeded", `There are ${used} ${what} already; ${limit} is the most.`, {
    details: { limit, used, asked: 1 },
  });
}
