/** What holds something of a host, for the operator who is about to take it away. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { instant, size } from "#db/row.ts";
import { sql } from "#db/sql.ts";

const row = z.object({
  requestId: z.string(),
  tenantId: z.string(),
  tenant: z.string(),
  kind: z.enum(["lease", "job"]),
  name: z.string(),
  holds: z.enum(["full", "disk"]),
  milliCpus: z.int(),
  memoryBytes: size,
  diskBytes: size,
  placedAt: instant,
  gpus: z.array(z.object({ deviceId: z.string(), slice: z.int() })),
});
export type HostWork = z.output<typeof row>;

/** The longest there first; a stopped lease holds its disk only. */
export function workOn(db: Queryable, hostId: string): Promise<HostWork[]> {
  return db.rows(
    sql`select p.request_id as "requestId", p.tenant_id as "tenantId", t.display_name as tenant,
        r.kind, r.name, p.state as holds, p.milli_cpus as "milliCpus",
        p.memory_bytes as "memoryBytes", p.disk_bytes as "diskBytes", p.placed_at as "placedAt",
        coalesce((select jsonb_agg(jsonb_build_object('deviceId', c.device_id, 'slice', c.slice)
            order by c.device_id)
          from gpu_claim c where c.tenant_id = p.tenant_id and c.instance_id = p.instance_id
            and c.host_id = p.host_id), '[]') as gpus
      from placement p
        join request r on r.tenant_id = p.tenant_id and r.id = p.request_id
        join tenant t on t.id = p.tenant_id
      where p.host_id = ${hostId} and p.state <> 'none'
      order by p.placed_at, p.instance_id`,
    row,
  );
}
