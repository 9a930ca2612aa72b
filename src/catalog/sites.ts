/**
 * Sites, and the places they bring: zone > pod > cluster > host. A site that nobody has put
 * anywhere appears as a cluster of its own name in zone `default`, pod `default`.
 */
import { v7 as uuid } from "uuid";
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql, type Sql } from "#db/sql.ts";
import type { Refuses } from "#kernel/host-refuses.ts";
import type { MachineCosts } from "#kernel/machine-cost.ts";

import { writeDevices, writeHosts } from "./host-rows.ts";

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
  readonly refuses?: Refuses;
}

/** Whether it was away until now. One that was retired is back. */
export async function recordSite(db: Queryable, said: SiteSaid, at: number): Promise<boolean> {
  const before = await siteSeenAt(db, said.site);
  await db.execute(sql`
    insert into site (name, kind, version, execution, execution_reason, capabilities, reachable,
      inventory_at, findings)
    values (${said.site}, ${said.kind}, ${said.version}, ${said.execution},
      ${said.executionReason}, ${json(said.capabilities)}, true, ${new Date(at)},
      ${json((said.findings ?? []).slice(0, findingsMax))})
    on conflict (name) do update set kind = excluded.kind, version = excluded.version,
      execution = excluded.execution, execution_reason = excluded.execution_reason,
      capabilities = excluded.capabilities, reachable = true, trouble = null,
      findings = excluded.findings, retired_at = null,
      inventory_at = excluded.inventory_at`);
  return before !== null && isAway(before, at);
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
 * A site that nobody has seen for longer is away: new orders go elsewhere or wait. Looks are taken every
 * few seconds, so a blip moves nobody's order; looks that fail see nothing, nor does a process that has
 * stopped or hangs, so that nothing has to notice for it to be true.
 */
export const siteAwayAfterMs = 30_000;
const troubleCharactersMax = 1000;

function isAway(seenAt: number, at: number): boolean {
  return seenAt < at - siteAwayAfterMs;
}

function isOld(row: Sql, at: number): Sql {
  return sql`${row}.inventory_at < ${new Date(at - siteAwayAfterMs)}`;
}

/** Since when the site of this row of `site` has been away at that time; null where it is not. */
export function awaySince(row: Sql, at: number): Sql {
  return sql`case when ${isOld(row, at)} and ${isKept(row)} then ${row}.inventory_at end`;
}

/** Not called gone for good by the operator: its hosts are in lists, and it is waited for. */
export function isKept(row: Sql): Sql {
  return sql`${row}.retired_at is null`;
}

/** The same, and also after one look that failed: what is said of it may be no more true. */
export function unseenSince(row: Sql, at: number): Sql {
  return sql`case when not ${row}.reachable or ${isOld(row, at)} then ${row}.inventory_at end`;
}

/**
 * A look that failed. What it lacked when it was seen last stays, which may be why; so do its hosts as
 * they were: nothing there is taken for freed or for lost.
 */
export async function siteUnreachable(
  db: Queryable,
  { site, trouble }: { readonly site: string; readonly trouble: string },
): Promise<void> {
  const kept = trouble.slice(0, troubleCharactersMax);
  await db.execute(sql`
    update site set reachable = false, trouble = ${kept} where name = ${site}`);
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
  const { site, listing } = said;
  const at = new Date(said.at);
  const clusterId = await clusterOfSite(db, site);
  let changed = 0;
  for (let from = 0; from < listing.items.length; from += hostsPerStatementMax) {
    const hosts = listing.items.slice(from, from + hostsPerStatementMax);
    changed += await writeHosts(db, { site, clusterId, hosts, at });
    changed += await writeDevices(db, { site, hosts });
  }
  await db.execute(sql`
    update host set seen_at = ${at} where site = ${site}
      and native_id = any(${listing.items.map((host) => host.id)})
      and (seen_at is null or seen_at < ${new Date(said.at - seenEveryMs)})`);
  if (listing.complete) {
    changed += await db.execute(sql`
      update host set state = 'down', state_since = ${at} where site = ${site} and state <> 'down'
        and not native_id = any(${listing.items.map((host) => host.id)})`);
  }
  return changed;
}

const seenEveryMs = 30_000;
/** A node says some kilobytes of itself. */
const hostsPerStatementMax = 500;

const executionRow = z.object({
  id: z.string(),
  execution: z.enum(["kvm", "emulated", "simulated"]),
});

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
