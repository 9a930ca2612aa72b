/**
 * Work that does not go on by itself: for a site that is away, for something that only the operator can
 * do, or on hosts that are to be emptied and cannot be as long as it runs. For the operator's overview.
 */
import { z } from "zod";

import { awaySince } from "#catalog/sites.ts";
import type { system as systemSchema } from "#contract/schemas/platform.ts";
import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { leavingSince } from "#flow/provision/preempt-rows.ts";

const row = z.object({
  on: z.enum(["site", "operator", "drain"]),
  site: z.string(),
  code: z.string(),
  leases: z.int(),
  jobs: z.int(),
});

const rowsMax = 100;

/** What the notes of a machine on a node that is emptied are called; the same of one that is about to be. */
const drainCode = "node_is_drained";

/** The most first; each lease or attempt counts once for each thing that it waits on. */
export function waitsNow(
  db: Queryable,
  at: number,
): Promise<z.output<typeof systemSchema>["waits"]> {
  return db.rows(
    sql`
    with there as (
      select i.tenant_id, i.request_id, i.site, i.host_id, i.state, i.waiting, i.notes
      from instance i where i.state not in ('gone', 'stopped')
    ), waits as (
      select 'site' as "on", q.refusal->'details'->'sites'->>0 as site, 'site_away' as code,
        q.tenant_id, q.request_id
      from queue_entry q where q.state = 'waiting' and q.refusal->>'code' = 'site_away'
      union
      select 'site', t.site, 'site_away', t.tenant_id, t.request_id
      from there t join site s on s.name = t.site
      where t.state <> 'running' and ${awaySince(sql`s`, at)} is not null
      union
      select 'operator', t.site, t.waiting->>'code', t.tenant_id, t.request_id
      from there t where t.waiting->>'who' = 'operator'
      union
      select case when note->>'code' = ${drainCode} then 'drain' else 'operator' end, t.site,
        note->>'code', t.tenant_id, t.request_id
      from there t cross join jsonb_array_elements(t.notes) as note
      where t.state = 'running' and (note->>'who' = 'operator'
        or note->>'code' = ${drainCode} and note->>'who' = 'customer')
      union
      select 'drain', t.site, ${drainCode}, t.tenant_id, t.request_id
      from there t join host h on h.id = t.host_id join site s on s.name = t.site
        join request r on r.tenant_id = t.tenant_id and r.id = t.request_id
      where t.state = 'running' and r.kind = 'lease' and ${leavingSince} is not null
        and (r.shape->'gpu' <> 'null'::jsonb
          or coalesce(s.capabilities->'moveLive'->>'can' <> 'true', true))
    )
    select w."on", coalesce(w.site, '') as site, w.code,
      count(*) filter (where r.kind = 'lease')::int as leases,
      count(*) filter (where r.kind = 'job')::int as jobs
    from waits w join request r on r.tenant_id = w.tenant_id and r.id = w.request_id
    group by 1, 2, 3 order by count(*) desc, 1, 2, 3 limit ${rowsMax}`,
    row,
  );
}
