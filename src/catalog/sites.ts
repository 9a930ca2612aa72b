/**
 * Sites, and the places they bring: zone > pod > cluster > host. A site that nobody has put
 * anywhere appears as a cluster of its own name in zone `default`, pod `default`.
 */
import { v7 as uuid } from "uuid";
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import type { MachineCosts } from "#kernel/machine-cost.ts";

/** What a driver says of its site; the same fields as ProviderInfo, which this folder cannot see. */
export interface SiteSaid {
  readonly site: string;
  readonly kind: string;
  readonly version: string;
  readonly execution: "kvm" | "emulated" | "simulated";
  readonly executionReason: string;
  readonly capabilities: unknown;
  readonly findings?: readonly SiteFinding[];
}

/** What the platform lacks, as the driver says it; the same fields as the contract's. */
interface SiteFinding {
  readonly severity: "warning" | "problem";
  readonly message: string;
  readonly advice: string;
}

const findingsMax = 50;

export type GpuMode = "whole" | "vgpu" | "mig" | "shared";

export interface HostSaid {
  readonly id: string;
  readonly state: "up" | "down" | "maintenance";
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly hugePages: Readonly<Partial<Record<"2Mi" | "1Gi", number>>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly gpus: readonly {
    readonly id: string;
    readonly model: string;
    readonly memoryBytes: number;
    readonly isolation: "hard" | "soft";
    readonly slicesMax: number;
    readonly mode?: GpuMode;
    readonly numaNode?: number;
    readonly nvlinkGroup?: string;
    readonly healthy?: boolean;
    readonly resource?: string;
    readonly sliceResource?: string;
  }[];
  readonly numa?: readonly { readonly cpus: number; readonly memoryBytes: number }[];
  readonly gpuDriver?: string;
  readonly machineCosts?: MachineCosts;
}

/** Whether it was away until now. */
export async function recordSite(db: Queryable, said: SiteSaid, at: number): Promise<boolean> {
  const back = await db.execute(
    sql`update site set away_since = null where name = ${said.site} and away_since is not null`,
  );
  await db.execute(sql`
    insert into site (name, kind, version, execution, execution_reason, capabilities, reachable,
      inventory_at, findings)
    values (${said.site}, ${said.kind}, ${said.version}, ${said.execution},
      ${said.executionReason}, ${json(said.capabilities)}, true, ${new Date(at)},
      ${json((said.findings ?? []).slice(0, findingsMax))})
    on conflict (name) do update set kind = excluded.kind, version = excluded.version,
      execution = excluded.execution, execution_reason = excluded.execution_reason,
      capabilities = excluded.capabilities, reachable = true, trouble = null,
      unreachable_since = null, findings = excluded.findings,
      inventory_at = excluded.inventory_at`);
  return back > 0;
}

/** When it was looked at last, by any process. */
export async function siteSeenAt(db: Queryable, site: string): Promise<number | null> {
  const found = await db.maybe(
    sql`select inventory_at from site where name = ${site}`,
    z.object({ inventory_at: instant.nullable() }),
  );
  return found?.inventory_at ?? null;
}

/**
 * Looks at a site that fail for so long, without one in between that did not, make it away: new orders
 * go elsewhere or wait. Looks are taken every few seconds, so a blip moves nobody's order.
 */
export const siteAwayAfterMs = 30_000;
const troubleCharactersMax = 1000;

/**
 * True if it is away from this look on. What it lacked when it was seen last stays, which may be why; so
 * do its hosts as they were: nothing there is taken for freed or for lost.
 */
export async function siteUnreachable(
  db: Queryable,
  { site, trouble, at }: { readonly site: string; readonly trouble: string; readonly at: number },
): Promise<boolean> {
  const kept = trouble.slice(0, troubleCharactersMax);
  await db.execute(sql`
    update site set reachable = false, trouble = ${kept},
      unreachable_since = coalesce(unreachable_since, ${new Date(at)})
    where name = ${site}`);
  const away = await db.execute(sql`
    update site set away_since = coalesce(inventory_at, unreachable_since)
    where name = ${site} and away_since is null
      and unreachable_since <= ${new Date(at - siteAwayAfterMs)}`);
  return away > 0;
}

const idRow = z.object({ id: z.string() });

/** The cluster that a site's hosts belong to. */
async function clusterOfSite(db: Queryable, site: string): Promise<string> {
  const known = await db.maybe(sql`select id from cluster where site = ${site} limit 1`, idRow);
  if (known !== undefined) return known.id;
  await db.execute(
    sql`insert into zone (id, name) values (${uuid()}, 'default') on conflict do nothing`,
  );
  await db.execute(sql`
    insert into pod (id, zone_id, name) select ${uuid()}, id, 'default' from zone
    where name = 'default' on conflict do nothing`);
  const made = await db.one(
    sql`insert into cluster (id, pod_id, name, site)
      select ${uuid()}, pod.id, ${site}, ${site} from pod join zone on zone.id = pod.zone_id
      where zone.name = 'default' and pod.name = 'default'
      on conflict (pod_id, name) do update set site = excluded.site
      returning id`,
    idRow,
  );
  return made.id;
}

/** How many hosts or devices changed in what placement looks at. */
export async function recordHosts(
  db: Queryable,
  said: {
    readonly site: string;
    readonly listing: { readonly items: readonly HostSaid[]; readonly complete: boolean };
    readonly at: number;
  },
): Promise<number> {
  const clusterId = await clusterOfSite(db, said.site);
  const at = new Date(said.at);
  let changed = 0;
  for (const host of said.listing.items) {
    changed += await db.execute(sql`
      insert into host (id, cluster_id, site, native_id, name, state, cpus, memory_bytes,
        disk_bytes, huge_pages, labels, numa, gpu_driver, machine_costs, seen_at,
        state_since)
      values (${uuid()}, ${clusterId}, ${said.site}, ${host.id}, ${host.id}, ${host.state},
        ${host.cpus}, ${host.memoryBytes}, ${host.diskBytes}, ${json(host.hugePages)},
        ${json(host.labels)}, ${json(host.numa ?? [])}, ${host.gpuDriver ?? null},
        ${host.machineCosts === undefined ? null : json(host.machineCosts)}, ${at}, ${at})
      on conflict (site, native_id) do update set state = excluded.state, cpus = excluded.cpus,
        state_since = case when host.state = excluded.state then host.state_since
          else excluded.state_since end,
        memory_bytes = excluded.memory_bytes, disk_bytes = excluded.disk_bytes,
        huge_pages = excluded.huge_pages, labels = excluded.labels, numa = excluded.numa,
        gpu_driver = excluded.gpu_driver, machine_costs = excluded.machine_costs,
        seen_at = excluded.seen_at
      where (host.state, host.cpus, host.memory_bytes, host.disk_bytes, host.huge_pages,
          host.labels, host.numa, host.gpu_driver, host.machine_costs)
        is distinct from (excluded.state, excluded.cpus, excluded.memory_bytes,
          excluded.disk_bytes, excluded.huge_pages, excluded.labels, excluded.numa,
          excluded.gpu_driver, excluded.machine_costs)`);
    changed += await recordDevices(db, said.site, host);
    await db.execute(sql`
      insert into storage_pool (id, name, tier, cluster_id, kind, size_bytes)
      values (${uuid()}, ${host.id}, 'primary', ${clusterId}, 'local', ${host.diskBytes})
      on conflict do nothing`);
  }
  await db.execute(sql`
    update host set seen_at = ${at} where site = ${said.site}
      and native_id = any(${said.listing.items.map((host) => host.id)})
      and (seen_at is null or seen_at < ${new Date(said.at - seenEveryMs)})`);
  if (said.listing.complete) {
    changed += await db.execute(sql`
      update host set state = 'down', state_since = ${at} where site = ${said.site} and state <> 'down'
        and not native_id = any(${said.listing.items.map((host) => host.id)})`);
  }
  return changed;
}

const seenEveryMs = 30_000;

async function recordDevices(db: Queryable, site: string, host: HostSaid): Promise<number> {
  let changed = 0;
  const ofHost = sql`(select id from host where site = ${site} and native_id = ${host.id})`;
  for (const gpu of host.gpus) {
    changed += await db.execute(sql`
      insert into gpu_device (host_id, id, model, memory_bytes, isolation, slices_max, mode,
        numa_node, nvlink_group, sick_by_platform, resource, slice_resource)
      values (${ofHost}, ${gpu.id}, ${gpu.model}, ${gpu.memoryBytes}, ${gpu.isolation},
        ${gpu.slicesMax}, ${modeOf(gpu)}, ${gpu.numaNode ?? null}, ${gpu.nvlinkGroup ?? null},
        ${gpu.healthy === false}, ${gpu.resource ?? null}, ${gpu.sliceResource ?? null})
      on conflict (host_id, id) do update set model = excluded.model, present = true,
        memory_bytes = excluded.memory_bytes, isolation = excluded.isolation,
        slices_max = excluded.slices_max, mode = excluded.mode, numa_node = excluded.numa_node,
        nvlink_group = excluded.nvlink_group, sick_by_platform = excluded.sick_by_platform,
        resource = excluded.resource, slice_resource = excluded.slice_resource
      where (gpu_device.present, gpu_device.model, gpu_device.memory_bytes, gpu_device.isolation,
          gpu_device.slices_max, gpu_device.mode, gpu_device.numa_node, gpu_device.nvlink_group,
          gpu_device.sick_by_platform, gpu_device.resource, gpu_device.slice_resource)
        is distinct from (true, excluded.model, excluded.memory_bytes, excluded.isolation,
          excluded.slices_max, excluded.mode, excluded.numa_node, excluded.nvlink_group,
          excluded.sick_by_platform, excluded.resource, excluded.slice_resource)`);
  }
  changed += await db.execute(sql`
    update gpu_device set present = false where host_id = ${ofHost} and present
      and not id = any(${host.gpus.map((gpu) => gpu.id)})`);
  return changed;
}

const executionRow = z.object({
  id: z.string(),
  execution: z.enum(["kvm", "emulated", "simulated"]),
});

/** A platform that does not say how a device is cut is taken by what it says of its slices. */
function modeOf(gpu: HostSaid["gpus"][number]): GpuMode {
  if (gpu.mode !== undefined) return gpu.mode;
  if (gpu.slicesMax === 1) return "whole";
  if (gpu.isolation === "soft") return "shared";
  return /^(?:A100|H100)/.test(gpu.model) ? "mig" : "vgpu";
}

/** How machines run on each host. */
export async function siteExecutions(
  db: Queryable,
): Promise<ReadonlyMap<string, "kvm" | "emulated" | "simulated">> {
  const rows = await db.rows(
    sql`select host.id, site.execution from host join site on site.name = host.site`,
    executionRow,
  );
  return new Map(rows.map((row) => [row.id, row.execution]));
}
