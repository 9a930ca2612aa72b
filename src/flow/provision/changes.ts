/** What of a tenant's changed lately: a fingerprint per resource, for event streams to compare. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

const row = z.object({
  kind: z.enum(["lease", "job", "operation"]),
  id: z.string(),
  fingerprint: z.string(),
});
export type Fingerprint = z.output<typeof row>;

/** Newest first; older ones than these are not watched. */
const rowsMax = 1000;

export function fingerprints(db: Queryable, tenantId: string): Promise<Fingerprint[]> {
  return db.rows(
    sql`(select r.kind, r.id, concat_ws('/', r.wanted, r.turn, r.ended_at is not null, q.state,
          i.id, i.state, i.version) as fingerprint
        from request r
          left join lateral (select id, state, version from instance i
            where i.tenant_id = r.tenant_id and i.request_id = r.id
            order by i.created_at desc limit 1) i on true
          left join queue_entry q on q.tenant_id = r.tenant_id and q.request_id = r.id
            and q.turn = r.turn
        where r.tenant_id = ${tenantId}
        order by r.created_at desc limit ${rowsMax})
      union all
      (select 'operation', id, state from operation where tenant_id = ${tenantId}
        order by created_at desc limit ${rowsMax})`,
    row,
  );
}
