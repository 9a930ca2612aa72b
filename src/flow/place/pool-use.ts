/** What of each pool is held at this moment, as the operator sees it. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { awaySince, isKept } from "#catalog/sites.ts";
import { sql } from "#db/sql.ts";

const row = z.object({
  pool_id: z.string(),
  hosts: z.int(),
  away: z.array(z.object({ site: z.string(), hosts: z.int(), since: z.string() })),
  gpus: z.array(
    z.object({
      model: z.string(),
      devices: z.int(),
      sick: z.int(),
      allocated: z.number(),
      slicesMaxLeast: z.int(),
    }),
  ),
  cpus: z.number(),
  cpus_held: z.number(),
  usable: z.array(z.object({ devices: z.number(), held: z.number() })),
});

export interface PoolUse {
  readonly hosts: number;
  /** Of them, those whose site is away, in order of its name; `since` is RFC 3339. */
  readonly away: readonly {
    readonly site: string;
    readonly hosts: number;
    readonly since: string;
  }[];
  /** All devices, those of hosts that are down included. */
  readonly gpus: z.output<typeof row>["gpus"];
  /** What the amounts count: GPUs, or CPUs in a pool that has none. */
  readonly unit: "gpu" | "cpu";
  /** Of hosts that are up and take work, without sick devices. */
  readonly capacity: number;
  readonly allocated: number;
}

/** By id of the pool; all of them. */
export async function poolUses(db: Queryable, at: number): Promise<ReadonlyMap<string, PoolUse>> {
  const rows = await db.rows(
    sql`
    select p.id as pool_id,
      (select count(*)::int from host h join site s on s.name = h.site
        where h.pool_id = p.id and ${isKept(sql`s`)}) as hosts,
      coalesce((select jsonb_agg(jsonb_build_object('site', site, 'hosts', hosts,
          'since', to_char(since at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by site)
        from (
          select h.site, count(*) as hosts, ${awaySince(sql`s`, at)} as since
          from host h join site s on s.name = h.site
          where h.pool_id = p.id and ${awaySince(sql`s`, at)} is not null
          group by h.site, s.name
        ) as sites), '[]') as away,
      coalesce((select jsonb_agg(jsonb_build_object('model', model, 'devices', devices,
          'sick', sick, 'allocated', allocated, 'slicesMaxLeast', least) order by model)
        from (
          select d.model, count(*) as devices, count(*) filter (where not d.healthy) as sick,
            min(d.slices_max) as least,
            round(coalesce(sum(l.claims::numeric / l.slice), 0), 3) as allocated
          from host h join gpu_device d on d.host_id = h.id and d.present
            left join gpu_load l on l.host_id = d.host_id and l.device_id = d.id
          where h.pool_id = p.id group by d.model
        ) as models), '[]') as gpus,
      coalesce(r.milli_cpus / 1000.0, 0)::float8 as cpus,
      coalesce(r.milli_cpus_used / 1000.0, 0)::float8 as cpus_held,
      coalesce((select jsonb_agg(jsonb_build_object('devices', units / 720720,
          'held', round(units_used / 720720.0, 3))) from pool_gpu_room g
        where g.pool_id = p.id), '[]') as usable
    from pool p left join pool_room r on r.pool_id = p.id`,
    row,
  );
  return new Map(rows.map((found) => [found.pool_id, useOf(found)]));
}

function useOf({
  hosts,
  away,
  gpus,
  usable,
  cpus,
  cpus_held: held,
}: z.output<typeof row>): PoolUse {
  if (gpus.length === 0) return { hosts, away, gpus, unit: "cpu", capacity: cpus, allocated: held };
  return {
    hosts,
    away,
    gpus,
    unit: "gpu",
    capacity: usable.reduce((sum, each) => sum + each.devices, 0),
    allocated: usable.reduce((sum, each) => sum + each.held, 0),
  };
}
