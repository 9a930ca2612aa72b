/** How much of each pool was held over a time, from what was metered (R-POOL-06). */
import { z } from "zod";

import { isKept } from "#catalog/sites.ts";
import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

const row = z.object({ pool_id: z.string(), share: z.number().nullable() });

/**
 * By id of the pool: the share of its GPU time that was held, or of its CPU time if it has no GPUs;
 * nothing for a pool whose hosts are not older than the end. What a pool has now counts for the whole
 * time, each host from when it came on.
 */
export async function heldShares(
  db: Queryable,
  { from, until }: { readonly from: number; readonly until: number },
): Promise<ReadonlyMap<string, number>> {
  const [start, end] = [new Date(from), new Date(until)];
  const rows = await db.rows(
    sql`
    with member as (
      select h.id, h.pool_id, h.cpus,
        greatest(extract(epoch from ${end}::timestamptz
          - greatest(${start}::timestamptz, h.created_at)), 0) as seconds,
        (select count(*) from gpu_device d where d.host_id = h.id and d.present) as gpus
      from host h join site s on s.name = h.site and ${isKept(sql`s`)}
      where h.pool_id is not null
    ), had as (
      select pool_id, sum(gpus) > 0 as has_gpus, sum(cpus * seconds) as cpu_seconds,
        sum(gpus * seconds) as gpu_seconds
      from member group by pool_id
    ), held as (
      select m.pool_id, u.sku = 'cpu.core' as is_cpu,
        sum(extract(epoch from least(coalesce(u.ended_at, ${end}), ${end})
          - greatest(u.started_at, ${start})) * u.units / u.slice) as unit_seconds
      from usage_interval u
        join placement p on p.tenant_id = u.tenant_id and p.instance_id = u.instance_id
        join member m on m.id = p.host_id
      where u.started_at < ${end} and (u.ended_at is null or u.ended_at > ${start})
        and (u.sku = 'cpu.core' or u.sku like 'gpu.%')
      group by m.pool_id, is_cpu
    )
    select h.pool_id,
      (coalesce(held.unit_seconds, 0)
        / nullif(case when has_gpus then gpu_seconds else cpu_seconds end, 0))::float8 as share
    from had h left join held on held.pool_id = h.pool_id and held.is_cpu = not h.has_gpus`,
    row,
  );
  return new Map(
    rows.flatMap(({ pool_id: id, share }) => (share === null ? [] : [[id, share] as const])),
  );
}
