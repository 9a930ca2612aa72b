/** Hosts with what is used of them, as an operator sees them. */
import { z } from "zod";

import { oldestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable } from "#db/pool.ts";
import { instant, size } from "#db/row.ts";
import { awaySince, isKept } from "#catalog/sites.ts";
import { sql, type Sql } from "#db/sql.ts";

import { refusesRow } from "./hosts-read.ts";

const row = z.object({
  id: z.string(),
  name: z.string(),
  zone: z.string(),
  pod: z.string(),
  cluster: z.string(),
  site: z.string(),
  execution: z.enum(["kvm", "emulated", "simulated"]),
  state: z.enum(["up", "down", "maintenance"]),
  site_away_since: instant.nullable(),
  schedulable: z.boolean(),
  maintenance: z.boolean(),
  pool: z.string().nullable(),
  numa: z.array(z.object({ cpus: z.int(), memoryBytes: z.number() })),
  cpus: z.int(),
  memory_bytes: size,
  disk_bytes: size,
  milli_cpus_used: size,
  memory_used: size,
  disk_used: size,
  gpus: z.array(
    z.object({
      id: z.string(),
      model: z.string(),
      memoryBytes: z.number(),
      isolation: z.enum(["hard", "soft"]),
      slicesMax: z.int(),
      mode: z.enum(["whole", "vgpu", "mig", "shared"]),
      numaNode: z.int().nullable(),
      nvlinkGroup: z.string().nullable(),
      resource: z.string().nullable(),
      sliceResource: z.string().nullable(),
      sickBy: z.array(z.enum(["platform", "operator"])),
      note: z.string().nullable(),
      used: z.number(),
    }),
  ),
  gpu_driver: z.string().nullable(),
  refuses: refusesRow,
  seen_at: instant.nullable(),
  created_at: instant,
});
export type HostUse = z.output<typeof row>;

const hostRows = (at: number): Sql => sql`
  select h.id, h.name, zone.name as zone, pod.name as pod, cluster.name as cluster, h.site,
    site.execution, h.state, ${awaySince(sql`site`, at)} as site_away_since, h.schedulable, h.maintenance_since is not null as maintenance,
    h.cpus, h.memory_bytes, h.disk_bytes, h.seen_at,
    h.created_at, pool.name as pool, h.numa, h.gpu_driver, coalesce(h.refuses, '{}') as refuses,
    coalesce((select sum(milli_cpus) from placement p
      where p.host_id = h.id and p.state = 'full'), 0)::int8 as milli_cpus_used,
    coalesce((select sum(memory_bytes) from placement p
      where p.host_id = h.id and p.state = 'full'), 0)::int8 as memory_used,
    coalesce((select sum(disk_bytes) from placement p
      where p.host_id = h.id and p.state <> 'none'), 0)::int8 as disk_used,
    coalesce((select jsonb_agg(jsonb_build_object('id', d.id, 'model', d.model,
        'memoryBytes', d.memory_bytes, 'isolation', d.isolation, 'slicesMax', d.slices_max,
        'mode', d.mode, 'numaNode', d.numa_node, 'nvlinkGroup', d.nvlink_group,
        'resource', d.resource, 'sliceResource', d.slice_resource,
        'sickBy', to_jsonb(array_remove(array[case when d.sick_by_platform then 'platform' end,
          case when d.sick_by_operator then 'operator' end], null)),
        'note', d.sick_note,
        'used', coalesce((select sum(1.0 / c.slice) from gpu_claim c
          where c.host_id = d.host_id and c.device_id = d.id), 0)) order by d.id)
      from gpu_device d where d.host_id = h.id and d.present), '[]') as gpus
  from host h
    join site on site.name = h.site
    join cluster on cluster.id = h.cluster_id
    join pod on pod.id = cluster.pod_id
    join zone on zone.id = pod.zone_id
    left join pool on pool.id = h.pool_id`;

/** Those of sites that were retired are not among them. */
export function listHosts(db: Queryable, ask: PageAsk, at: number): Promise<HostUse[]> {
  const position = { at: sql`h.created_at`, id: sql`h.id` };
  return db.rows(
    sql`${hostRows(at)} where ${isKept(sql`site`)} and ${oldestFirst(position, ask)}
      order by h.created_at, h.id limit ${ask.limit}`,
    row,
  );
}

export function findHost(db: Queryable, id: string, at: number): Promise<HostUse | undefined> {
  return db.maybe(sql`${hostRows(at)} where h.id = ${id}`, row);
}

/** One that takes work again is no longer in maintenance. */
export async function setSchedulable(
  db: Queryable,
  id: string,
  schedulable: boolean,
): Promise<void> {
  await db.execute(sql`update host set schedulable = ${schedulable},
    maintenance_since = case when ${schedulable} then null else maintenance_since end
    where id = ${id}`);
}

/** Also takes nothing new; that stays when the maintenance ends, until one says otherwise. */
export async function setMaintenance(
  db: Queryable,
  id: string,
  maintenance: boolean,
): Promise<void> {
  await db.execute(
    maintenance
      ? sql`update host set maintenance_since = coalesce(maintenance_since, now()),
          schedulable = false where id = ${id}`
      : sql`update host set maintenance_since = null where id = ${id}`,
  );
}

/**
 * The operator's word about a GPU; that of its platform stands beside it, so a device is well when
 * neither calls it sick. False when there is no such device.
 */
export async function setDeviceHealth(
  db: Queryable,
  of: { readonly hostId: string; readonly deviceId: string },
  said: { readonly healthy: boolean; readonly note: string | null },
): Promise<boolean> {
  const changed = await db.execute(sql`
    update gpu_device set sick_by_operator = ${!said.healthy}, sick_note = ${said.note}
    where host_id = ${of.hostId} and id = ${of.deviceId} and present`);
  return changed > 0;
}
