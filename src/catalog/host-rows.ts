/**
 * Rows of hosts and of their devices, as a site says that they are: a few statements for all of them,
 * because every pass over a site comes by. What must stay true: a row that is as it was said is neither
 * written nor locked.
 */
import { v7 as uuid } from "uuid";

import { json } from "#db/json.ts";
import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

import type { GpuMode, HostSaid } from "./sites.ts";

/** How many are new, or other than before. */
export async function writeHosts(
  db: Queryable,
  said: {
    readonly site: string;
    readonly clusterId: string;
    readonly hosts: readonly HostSaid[];
    readonly at: Date;
  },
): Promise<number> {
  const { site, clusterId, hosts, at } = said;
  const rows = hosts.map((host) => ({
    id: uuid(),
    native_id: host.id,
    state: host.state,
    cpus: host.cpus,
    memory_bytes: host.memoryBytes,
    disk_bytes: host.diskBytes,
    huge_pages: host.hugePages,
    labels: host.labels,
    numa: host.numa ?? [],
    gpu_driver: host.gpuDriver,
    machine_costs: host.machineCosts,
    refuses: host.refuses,
  }));
  const changed = await db.execute(sql`
    insert into host (id, cluster_id, site, native_id, name, state, cpus, memory_bytes, disk_bytes,
      huge_pages, labels, numa, gpu_driver, machine_costs, refuses, seen_at, state_since)
    select s.id, ${clusterId}, ${site}, s.native_id, s.native_id, s.state, s.cpus, s.memory_bytes,
      s.disk_bytes, s.huge_pages, s.labels, s.numa, s.gpu_driver, s.machine_costs, s.refuses, ${at}, ${at}
    from jsonb_to_recordset(${json(rows)}::jsonb) as s(id uuid, native_id text, state text, cpus int,
      memory_bytes int8, disk_bytes int8, huge_pages jsonb, labels jsonb, numa jsonb,
      gpu_driver text, machine_costs jsonb, refuses jsonb)
    where not exists (select from host h where h.site = ${site} and h.native_id = s.native_id
      and (h.state, h.cpus, h.memory_bytes, h.disk_bytes, h.huge_pages, h.labels, h.numa,
          h.gpu_driver, h.machine_costs, h.refuses)
        is not distinct from (s.state, s.cpus, s.memory_bytes, s.disk_bytes, s.huge_pages, s.labels,
          s.numa, s.gpu_driver, s.machine_costs, s.refuses))
    on conflict (site, native_id) do update set state = excluded.state, cpus = excluded.cpus,
      state_since = case when host.state = excluded.state then host.state_since
        else excluded.state_since end,
      memory_bytes = excluded.memory_bytes, disk_bytes = excluded.disk_bytes,
      huge_pages = excluded.huge_pages, labels = excluded.labels, numa = excluded.numa,
      gpu_driver = excluded.gpu_driver, machine_costs = excluded.machine_costs,
      refuses = excluded.refuses,
      seen_at = excluded.seen_at`);
  if (changed > 0) await writeStorage(db, clusterId, hosts);
  return changed;
}

/** What each has of its own, at its first sight. */
function writeStorage(
  db: Queryable,
  clusterId: string,
  hosts: readonly HostSaid[],
): Promise<number> {
  return db.execute(sql`
    insert into storage_pool (id, name, tier, cluster_id, kind, size_bytes)
    select s.id, s.name, 'primary', ${clusterId}, 'local', s.size_bytes
    from unnest(${hosts.map(() => uuid())}::uuid[], ${hosts.map(({ id }) => id)}::text[],
      ${hosts.map(({ diskBytes }) => diskBytes)}::int8[]) as s(id, name, size_bytes)
    on conflict do nothing`);
}

/** How many are new, other than before, or not there any more. */
export async function writeDevices(
  db: Queryable,
  said: { readonly site: string; readonly hosts: readonly HostSaid[] },
): Promise<number> {
  const { site, hosts } = said;
  const rows = hosts.flatMap(({ id: host, gpus }) =>
    gpus.map((gpu) => ({
      host,
      id: gpu.id,
      model: gpu.model,
      memory_bytes: gpu.memoryBytes,
      isolation: gpu.isolation,
      slices_max: gpu.slicesMax,
      mode: modeOf(gpu),
      numa_node: gpu.numaNode,
      nvlink_group: gpu.nvlinkGroup,
      sick: gpu.healthy === false,
      resource: gpu.resource,
      slice_resource: gpu.sliceResource,
    })),
  );
  const written =
    rows.length === 0
      ? 0
      : await db.execute(sql`
    insert into gpu_device (host_id, id, model, memory_bytes, isolation, slices_max, mode,
      numa_node, nvlink_group, sick_by_platform, resource, slice_resource)
    select h.id, s.id, s.model, s.memory_bytes, s.isolation, s.slices_max, s.mode, s.numa_node,
      s.nvlink_group, s.sick, s.resource, s.slice_resource
    from jsonb_to_recordset(${json(rows)}::jsonb) as s(host text, id text, model text,
        memory_bytes int8, isolation text, slices_max int, mode text, numa_node int,
        nvlink_group text, sick boolean, resource text, slice_resource text)
      join host h on h.site = ${site} and h.native_id = s.host
    where not exists (select from gpu_device d where d.host_id = h.id and d.id = s.id
      and (d.present, d.model, d.memory_bytes, d.isolation, d.slices_max, d.mode, d.numa_node,
          d.nvlink_group, d.sick_by_platform, d.resource, d.slice_resource)
        is not distinct from (true, s.model, s.memory_bytes, s.isolation, s.slices_max, s.mode,
          s.numa_node, s.nvlink_group, s.sick, s.resource, s.slice_resource))
    on conflict (host_id, id) do update set model = excluded.model, present = true,
      memory_bytes = excluded.memory_bytes, isolation = excluded.isolation,
      slices_max = excluded.slices_max, mode = excluded.mode, numa_node = excluded.numa_node,
      nvlink_group = excluded.nvlink_group, sick_by_platform = excluded.sick_by_platform,
      resource = excluded.resource, slice_resource = excluded.slice_resource`);
  const gone = await db.execute(sql`
    update gpu_device d set present = false from host h
    where h.id = d.host_id and h.site = ${site} and d.present
      and h.native_id = any(${hosts.map(({ id }) => id)}::text[])
      and not exists (select from unnest(${rows.map(({ host }) => host)}::text[],
          ${rows.map(({ id }) => id)}::text[]) as s(host, id)
        where s.host = h.native_id and s.id = d.id)`);
  return written + gone;
}

/** A platform that does not say how a device is cut is taken by what it says of its slices. */
function modeOf(gpu: HostSaid["gpus"][number]): GpuMode {
  if (gpu.mode !== undefined) return gpu.mode;
  if (gpu.slicesMax === 1) return "whole";
  if (gpu.isolation === "soft") return "shared";
  return /^(?:A100|H100)/.test(gpu.model) ? "mig" : "vgpu";
}
