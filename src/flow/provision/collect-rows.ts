/** Attempts with something to bring home. */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { sql, type Sql } from "#db/sql.ts";

const row = z
  .object({
    tenant_id: z.string(),
    id: z.string(),
    request_id: z.string(),
    turn: z.int(),
    name: z.string(),
    stage: z.enum(["follow", "end", "close"]),
    end_kind: z.string().nullable(),
    moved: z.boolean(),
  })
  .transform((found) => ({
    tenantId: found.tenant_id,
    id: found.id,
    jobId: found.request_id,
    turn: found.turn,
    name: found.name,
    /** `follow`: it runs. `end`: it ended, its machine waits. `close`: the machine is gone. */
    stage: found.stage,
    endKind: found.end_kind,
    /** Off what was sick, in time: what it saved may be there. */
    moved: found.moved,
  }));
export type CollectRow = z.output<typeof row>;

/** Those that ended first: their machines are waiting. */
export function attemptsToCollect(
  db: Queryable,
  site: string,
  rowsMax: number,
): Promise<CollectRow[]> {
  return db.rows(
    sql`${collectRows(site)} order by stage = 'follow', found.id limit ${rowsMax}`,
    row,
  );
}

export function attemptToCollect(
  db: Queryable,
  site: string,
  instanceId: string,
): Promise<CollectRow | undefined> {
  return db.maybe(sql`${collectRows(site)} where found.id = ${instanceId}`, row);
}

function collectRows(site: string): Sql {
  return sql`
    with found as (
      select i.tenant_id, i.id, i.request_id, i.turn,
        case when i.workload->>'state' = 'ended' then 'end' else 'follow' end as stage,
        i.workload->'end'->>'kind' as end_kind,
        coalesce((i.workload->'end'->>'moved')::boolean, false) as moved
      from instance i
      where i.site = ${site} and i.kind = 'job' and i.state <> 'gone' and not i.collected
        and i.workload->>'state' in ('running', 'ended')
      union all
      select i.tenant_id, i.id, i.request_id, i.turn, 'close', i.workload->'end'->>'kind', false
      from stored_file f join instance i on i.tenant_id = f.tenant_id
        and i.request_id = f.job_id and i.turn = f.attempt
      where f.state = 'writing' and i.site = ${site} and i.state = 'gone'
    )
    select found.*, r.name from found
      join request r on r.tenant_id = found.tenant_id and r.id = found.request_id`;
}

/**
 * Lets the machine go. The version is counted up, so that a decision made before this is not
 * applied after it.
 */
export async function markCollected(
  tx: Tx,
  of: { readonly tenantId: string; readonly id: string },
): Promise<void> {
  await tx.execute(sql`
    update instance set collected = true, version = version + 1
    where tenant_id = ${of.tenantId} and id = ${of.id} and not collected and state <> 'gone'`);
}
