/**
 * What the product's own past says: which shapes are asked for, for the policy of placement (demand.ts), and
 * how much of their time jobs use, for start ranges (queue/pace.ts). The newest rows only, so that it costs
 * the same in any year.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { shapeRow } from "#flow/admit/rows.ts";
import { pacesOf, sizeBounds, type PaceOf } from "#flow/queue/pace.ts";
import { cpuPool, unitsPerWhole } from "#flow/queue/snapshot.ts";

import type { Asked } from "./demand.ts";

/** Placements that ended, newest first, that are looked at. */
const endedMax = 20_000;
/** Of shapes and of classes; the rarest are left out. */
const rowsMax = 2_000;
const shapesMax = 64;

export interface Lately {
  readonly asked: readonly Asked[];
  readonly paceOf: PaceOf;
}

export const nothingYet: Lately = { asked: [], paceOf: pacesOf([]) };

export async function readLately(db: Queryable): Promise<Lately> {
  return { asked: await askedLately(db), paceOf: pacesOf(await endedClasses(db)) };
}

const askedRow = z
  .object({ shape: z.string(), count: z.int() })
  .transform(({ shape, count }): Asked => ({ shape: shapeRow.parse(JSON.parse(shape)), count }));

/** What ended, what is held and what waits: also what never finds a place is asked for. */
function askedLately(db: Queryable): Promise<Asked[]> {
  return db.rows(
    sql`
    select shape::text as shape, count(*)::int as count
    from ((select shape from placement where ended_at is not null
        order by ended_at desc limit ${endedMax})
      union all (select shape from placement where state <> 'none' limit ${endedMax})
      union all (select r.shape from queue_entry q cross join lateral (select shape from request r
          where r.tenant_id = q.tenant_id and r.id = q.request_id offset 0) r
        where q.state = 'waiting' limit ${endedMax})) all_of_it
    group by shape order by count(*) desc, shape::text limit ${shapesMax}`,
    askedRow,
  );
}

const classRow = z
  .object({
    tenant_id: z.string().nullable(),
    pool: z.string(),
    size: z.int(),
    count: z.int(),
    quick: z.number(),
    usual: z.number(),
  })
  .transform(({ tenant_id: tenantId, ...rest }) => ({ tenantId, ...rest }));

/**
 * Jobs by tenant, pool and size, and by pool and size alone. The time is that in which the place was held,
 * since that is what others wait for. An attempt that was followed by another was lost or made room,
 * and says nothing of how long its program runs.
 */
function endedClasses(db: Queryable): Promise<z.output<typeof classRow>[]> {
  return db.rows(
    sql`
    with ended as (
      select tenant_id, request_id, turn, shape, milli_cpus, placed_at, ended_at from placement
      where ended_at is not null order by ended_at desc limit ${endedMax}
    ), ran as (
      select e.tenant_id, coalesce(e.shape->'gpu'->>'model', ${cpuPool}::text) as pool,
        width_bucket(case when e.shape->'gpu' = 'null' then e.milli_cpus
          else (e.shape->'gpu'->>'count')::int
            * (${unitsPerWhole}::int / (e.shape->'gpu'->>'slice')::int) end,
          ${[...sizeBounds]}::int[]) as size,
        extract(epoch from e.ended_at - e.placed_at)::float8
          / nullif(coalesce((r.workload->>'expectedSeconds')::float8,
            (r.workload->>'timeLimitSeconds')::float8), 0) as share
      from ended e cross join lateral (select kind, turn, workload from request r
        where r.tenant_id = e.tenant_id and r.id = e.request_id offset 0) r
      where r.kind = 'job' and r.turn = e.turn
    )
    select tenant_id, pool, size, count(*)::int as count,
      percentile_cont(0.05) within group (order by share) as quick,
      percentile_cont(0.5) within group (order by share) as usual
    from ran where share is not null
    group by grouping sets ((tenant_id, pool, size), (pool, size))
    order by count(*) desc, tenant_id, pool, size limit ${rowsMax}`,
    classRow,
  );
}
