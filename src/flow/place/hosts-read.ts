/** Reads hosts with what is held of them, as placement wants them: one statement, one moment. */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { awaySince, isKept } from "#catalog/sites.ts";
import { instant, size } from "#db/row.ts";
import { sql, type Sql } from "#db/sql.ts";
import { gpuDriverLabel } from "#kernel/gpu-driver.ts";
import { workKinds } from "#kernel/host-refuses.ts";
import { imageLabelPrefix, imageThere } from "#kernel/image-label.ts";

import { siteLabel, type HostState } from "./host-state.ts";

export { siteLabel };

const poolRow = z.object({
  id: z.string(),
  name: z.string(),
  policy: z.enum(["exclusive", "shared", "edge"]),
  serviceClass: z.enum(["core", "standard", "any"]),
  slicesMax: z.int(),
  reservePercent: z.int(),
  spread: z.boolean(),
  tenantIds: z.array(z.string()).nullable(),
});

const deviceRow = z.object({
  id: z.string(),
  model: z.string(),
  memoryBytes: z.number(),
  mode: z.enum(["whole", "vgpu", "mig", "shared"]),
  isolation: z.enum(["hard", "soft"]),
  slicesMax: z.int(),
  numaNode: z.int().nullable(),
  nvlinkGroup: z.string().nullable(),
  healthy: z.boolean(),
  slice: z.int(),
  claims: z.int(),
  tenants: z.array(z.string()),
});

const cost = z.object({
  memoryBytes: z.number(),
  memoryBytesPerVcpu: z.number(),
  gpuMemoryBytes: z.number(),
  milliCpus: z.number(),
  milliCpusPerVcpu: z.number(),
  hugePages: z.enum(["2Mi", "1Gi"]).exactOptional(),
});
/** Column `machine_costs` of `host`. */
export const costsRow = z.object({ core: cost, standard: cost }).nullable();

/** Column `refuses` of `host`. */
export const refusesRow = z.partialRecord(z.enum(workKinds), z.string());

const hostRow = z
  .object({
    id: z.string(),
    name: z.string(),
    state: z.enum(["up", "down", "maintenance"]),
    away_since: instant.nullable(),
    schedulable: z.boolean(),
    pool: poolRow.nullable(),
    cpus: z.int(),
    memory_bytes: size,
    disk_bytes: size,
    huge_pages: z.record(z.string(), z.number()),
    numa: z.array(z.object({ cpus: z.int(), memoryBytes: z.number() })),
    numa_used: z.array(z.object({ node: z.int(), milliCpus: z.number(), memoryBytes: z.number() })),
    machine_costs: costsRow,
    refuses: refusesRow,
    labels: z.record(z.string(), z.string()),
    milli_cpus_used: size,
    memory_used: size,
    disk_used: size,
    huge_2: size,
    huge_1024: size,
    anti: z.array(z.string()),
    devices: z.array(deviceRow),
  })
  .transform((row): HostState => ({
    id: row.id,
    name: row.name,
    up: row.state === "up",
    awaySince: row.away_since,
    schedulable: row.schedulable,
    pool: row.pool,
    milliCpus: row.cpus * 1000,
    memoryBytes: row.memory_bytes,
    diskBytes: row.disk_bytes,
    milliCpusUsed: row.milli_cpus_used,
    memoryBytesUsed: row.memory_used,
    diskBytesUsed: row.disk_used,
    hugePagesMiB: {
      "2Mi": (row.huge_pages["2Mi"] ?? 0) * 2,
      "1Gi": (row.huge_pages["1Gi"] ?? 0) * 1024,
    },
    hugePagesMiBUsed: { "2Mi": row.huge_2, "1Gi": row.huge_1024 },
    numaNodes: row.numa.map(({ cpus, memoryBytes }, node) => {
      const used = row.numa_used.find((each) => each.node === node);
      return {
        milliCpus: cpus * 1000,
        memoryBytes,
        milliCpusUsed: used?.milliCpus ?? 0,
        memoryBytesUsed: used?.memoryBytes ?? 0,
      };
    }),
    machineCosts: row.machine_costs,
    refuses: row.refuses,
    labels: row.labels,
    devices: row.devices,
    antiAffineTenants: row.anti,
  }));

/**
 * Locks hosts, then those of their pools that have a reserve, each in order of id: the order of all who
 * place on several hosts in one transaction (0181).
 */
export async function lockHosts(tx: Tx, hostIds: readonly string[]): Promise<void> {
  const ids = [...hostIds];
  await tx.execute(sql`
    select from host where id = any(${ids}::uuid[]) order by id for no key update`);
  await tx.execute(sql`
    select from pool where reserve_percent > 0
      and id in (select pool_id from host where id = any(${ids}::uuid[]))
    order by id for no key update`);
}

/** All hosts with what is used of them, in one statement: one consistent moment. */
export function hostStates(db: Queryable, at: number): Promise<HostState[]> {
  return readHosts(db, sql`true`, at);
}

/** Those hosts `h` of which the condition is true. */
export function readHosts(db: Queryable, which: Sql, at: number): Promise<HostState[]> {
  return db.rows(
    sql`
    with devices as (
      select d.host_id, jsonb_agg(jsonb_build_object('id', d.id, 'model', d.model,
          'memoryBytes', d.memory_bytes, 'mode', d.mode, 'isolation', d.isolation,
          'slicesMax', d.slices_max, 'numaNode', d.numa_node, 'nvlinkGroup', d.nvlink_group,
          'healthy', d.healthy, 'slice', coalesce(c.slice, 0), 'claims', coalesce(c.claims, 0),
          'tenants', coalesce(c.tenants, '[]')) order by d.id) as devices
      from gpu_device d
        join host h on h.id = d.host_id and ${which}
        left join gpu_load c on c.host_id = d.host_id and c.device_id = d.id
      where d.present group by d.host_id
    ), images as (
      select s.name as site, jsonb_object_agg(${imageLabelPrefix}::text || i.name, ${imageThere}::text)
        as labels
      from site s cross join image i
      where exists (select from site_image)
        and (exists (select from site_image a where a.site = s.name and a.image = i.name)
          or not exists (select from site_image a where a.site = s.name))
      group by s.name
    )
    select h.id, h.name, h.state, ${awaySince(sql`s`, at)} as away_since, h.schedulable, p.state as pool, h.cpus, h.memory_bytes,
      h.disk_bytes, h.huge_pages, h.numa, h.machine_costs, coalesce(h.refuses, '{}') as refuses, coalesce(n.used, '[]') as numa_used,
      h.labels || jsonb_build_object(${siteLabel}::text, h.site)
        || case when h.gpu_driver is null then '{}'
          else jsonb_build_object(${gpuDriverLabel}::text, split_part(h.gpu_driver, '.', 1)) end
        || coalesce(i.labels, '{}') as labels,
      coalesce(u.milli_cpus_used, 0) as milli_cpus_used, coalesce(u.memory_used, 0) as memory_used,
      coalesce(u.disk_used, 0) as disk_used, coalesce(u.huge_2, 0) as huge_2,
      coalesce(u.huge_1024, 0) as huge_1024, coalesce(u.anti, '[]') as anti,
      coalesce(d.devices, '[]') as devices
    from host h join site s on s.name = h.site and ${isKept(sql`s`)}
      left join pool_state p on p.id = h.pool_id
      left join placement_load u on u.host_id = h.id
      left join numa_load n on n.host_id = h.id
      left join devices d on d.host_id = h.id
      left join images i on i.site = h.site
    where ${which} order by h.id`,
    hostRow,
  );
}
