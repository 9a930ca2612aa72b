/** Reads rows of `pool`, with the tenants that it is dedicated to. */
import { z } from "zod";

import { oldestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

const row = z
  .object({
    id: z.string(),
    name: z.string(),
    policy: z.enum(["exclusive", "shared", "edge"]),
    service_class: z.enum(["core", "standard", "any"]),
    slices_max: z.int(),
    reserve_percent: z.int(),
    spread: z.boolean(),
    tenants: z.array(z.string()).nullable(),
    created_at: instant,
  })
  .transform((found) => ({
    id: found.id,
    name: found.name,
    policy: found.policy,
    serviceClass: found.service_class,
    slicesMax: found.slices_max,
    reservePercent: found.reserve_percent,
    spread: found.spread,
    tenants: found.tenants,
    createdAt: found.created_at,
  }));
export type PoolRow = z.output<typeof row>;

const pools = sql`
  select pool.id, name, policy, service_class, slices_max, reserve_percent, spread, created_at,
    state->'tenantIds' as tenants
  from pool join pool_state on pool_state.id = pool.id`;

export function listPools(db: Queryable, ask: PageAsk): Promise<PoolRow[]> {
  const position = { at: sql`created_at`, id: sql`pool.id` };
  return db.rows(
    sql`${pools} where ${oldestFirst(position, ask)}
      order by created_at, pool.id limit ${ask.limit}`,
    row,
  );
}

function findPool(db: Queryable, name: string): Promise<PoolRow | undefined> {
  return db.maybe(sql`${pools} where name = ${name}`, row);
}

/** As for a program: `not_found` with the names that there are. */
export async function poolNamed(db: Queryable, name: string): Promise<PoolRow> {
  const found = await findPool(db, name);
  if (found !== undefined) return found;
  const known = await db.rows(
    sql`select name from pool order by name limit 100`,
    z.object({ name: z.string() }),
  );
  const names = known.map((pool) => pool.name);
  throw new Failure(
    "not_found",
    `There is no pool ${JSON.stringify(name)}${names.length === 0 ? "; there are none yet" : `; there are: ${names.join(", ")}`}.`,
    { details: { pools: names } },
  );
}
