/** A database with tenants, hosts and requests, without API or machines: for what queue and place do. */
import { v7 as uuid } from "uuid";
import { z } from "zod";

import { recordHosts, recordSite } from "#catalog/sites.ts";
import { json } from "#db/json.ts";
import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { keepDiskOnly, releasePlacement } from "#flow/place/store.ts";
import { enqueue, withdraw } from "#flow/queue/store.ts";
import type { Shape } from "#kernel/shape.ts";

const gib = 2 ** 30;
const usualSite = "waiting";

export interface Owner {
  readonly tenantId: string;
  readonly projectId: string;
}

export async function addOwner(db: Db): Promise<Owner> {
  const owner = { tenantId: uuid(), projectId: uuid() };
  const name = `t-${owner.tenantId.slice(-12)}`;
  await db.execute(sql`
    insert into tenant (id, kind, name, display_name, time_zone, created_at)
    values (${owner.tenantId}, 'customer', ${name}, ${name}, 'Asia/Shanghai', now())`);
  await db.execute(sql`
    insert into project (tenant_id, id, name, created_at)
    values (${owner.tenantId}, ${owner.projectId}, 'default', now())`);
  return owner;
}

export interface HostOf {
  readonly name: string;
  readonly cpus?: number;
  /** Of model A100, each in quarters at the most. */
  readonly gpus?: number;
  readonly site?: string;
}

export async function addHosts(db: Db, hosts: readonly HostOf[], at: number): Promise<void> {
  for (const [site, of] of Map.groupBy(hosts, (host) => host.site ?? usualSite)) {
    // oxlint-disable-next-line no-await-in-loop -- few
    await seeSite(db, site, at);
    // oxlint-disable-next-line no-await-in-loop -- few
    await addHostsOf(db, site, of, at);
  }
}

/** It answers. */
export function seeSite(db: Db, site: string, at: number): Promise<boolean> {
  const said = { kind: "simulated", version: "1", execution: "simulated" } as const;
  return recordSite(db, { site, ...said, executionReason: "", capabilities: {} }, at);
}

async function addHostsOf(
  db: Db,
  site: string,
  hosts: readonly HostOf[],
  at: number,
): Promise<void> {
  const items = hosts.map(({ name, cpus = 64, gpus = 0 }) => ({
    id: name,
    state: "up" as const,
    cpus,
    memoryBytes: 512 * gib,
    diskBytes: 4096 * gib,
    hugePages: {},
    labels: {},
    gpus: Array.from({ length: gpus }, (_, n) => ({
      id: `g${n}`,
      model: "A100",
      memoryBytes: 80 * gib,
      slicesMax: 4,
      isolation: "hard" as const,
    })),
  }));
  await recordHosts(db, { site, at, listing: { complete: false, items } });
}

export async function setHost(db: Db, name: string, state: "up" | "down"): Promise<void> {
  await db.execute(sql`update host set state = ${state} where native_id = ${name}`);
}

export interface AskOf {
  readonly kind?: "lease" | "job";
  readonly gpus?: number;
  readonly slice?: number;
  readonly vcpus?: number;
  readonly priority?: 10 | 20 | 30;
  readonly limitSeconds?: number;
  readonly expectedSeconds?: number;
  readonly deadline?: string;
  readonly hourly?: string;
  readonly gang?: { readonly id: string; readonly size: number; readonly how?: "spread" | "pack" };
  readonly group?: string;
  readonly near?: readonly string[];
  readonly apart?: readonly string[];
  readonly nearGroups?: readonly string[];
  readonly apartGroups?: readonly string[];
  readonly at: number;
}

/** The id of a request that is in the queue now. */
export async function ask(db: Db, owner: Owner, of: AskOf): Promise<string> {
  const id = uuid();
  const { kind = "job", gpus = 0, slice = 1, vcpus = 1, limitSeconds = 3600, gang } = of;
  const shape: Shape = {
    flavor: `${vcpus}-${gpus}`,
    vcpus,
    cpu: { sockets: 1, cores: vcpus, threads: 1 },
    memoryMiB: 512,
    diskGiB: 1,
    gpu: gpus === 0 ? null : { model: "A100", count: gpus, slice, nvlink: false },
    serviceClass: "standard",
    overcommitPercent: 100,
    hugePages: "none",
    hostLabels: {},
    antiAffinity: false,
    tolerations: [],
    pool: null,
    numa: false,
  };
  const workload = {
    timeLimitSeconds: limitSeconds,
    ...(of.expectedSeconds === undefined ? {} : { expectedSeconds: of.expectedSeconds }),
    ...(of.deadline === undefined ? {} : { deadline: of.deadline }),
  };
  const at = new Date(of.at);
  await db.execute(sql`
    insert into request (tenant_id, id, project_id, kind, name, created_by, shape, image,
      login_user, ssh_keys, restart, price, priority, workload, wanted, created_at, changed_at,
      gang_id, gang_size, gang_how, group_name, near, apart, near_groups, apart_groups)
    values (${owner.tenantId}, ${id}, ${owner.projectId}, ${kind}, ${`r${id.slice(-12)}`},
      ${uuid()}, ${json(shape)}, 'tiny', 'root', '[]', 'never',
      ${json(of.hourly === undefined ? {} : { hourly: of.hourly })}, ${of.priority ?? 30},
      ${kind === "job" ? json(workload) : null}, 'running', ${at}, ${at},
      ${gang?.id ?? null}, ${gang?.size ?? 1}, ${gang?.how ?? "pack"},
      ${of.group ?? null}, ${of.near ?? []}::uuid[], ${of.apart ?? []}::uuid[],
      ${of.nearGroups ?? []}::text[], ${of.apartGroups ?? []}::text[])`);
  await enqueue(db, 10_000);
  return id;
}

/** It ended, or was released; what it held is free. */
export async function finish(db: Db, id: string, at: number): Promise<void> {
  await db.execute(sql`
    update request set wanted = 'released', ended_at = ${new Date(at)}
    where id = ${id} and ended_at is null`);
  await withdraw(db);
  for (const key of await holding(db, id)) await releasePlacement(db, key, at);
}

/** A lease that is stopped: its disk stays where it is. */
export async function stop(db: Db, id: string, at: number): Promise<void> {
  await db.execute(sql`
    update request set wanted = 'stopped', changed_at = ${new Date(at)}
    where id = ${id} and ended_at is null`);
  await withdraw(db);
  for (const key of await holding(db, id)) await keepDiskOnly(db, key, key.turn);
}

export async function start(db: Db, id: string, at: number): Promise<void> {
  await db.execute(sql`
    update request set wanted = 'running', turn = turn + 1, changed_at = ${new Date(at)}
    where id = ${id} and wanted = 'stopped' and ended_at is null`);
  await enqueue(db, 10_000);
}

function holding(
  db: Db,
  id: string,
): Promise<{ tenantId: string; instanceId: string; turn: number }[]> {
  return db.rows(
    sql`select tenant_id as "tenantId", instance_id as "instanceId", turn from placement
      where request_id = ${id} and state <> 'none'`,
    z.object({ tenantId: z.string(), instanceId: z.string(), turn: z.int() }),
  );
}

/** Names of the hosts where they run, null for those that do not. */
export async function placesOf(db: Db, ids: readonly string[]): Promise<(string | null)[]> {
  const rows = await db.rows(
    sql`select p.request_id as id, h.name from placement p join host h on h.id = p.host_id
      where p.request_id = any(${ids}::uuid[]) and p.state = 'full'`,
    z.object({ id: z.string(), name: z.string() }),
  );
  const names = new Map(rows.map((row) => [row.id, row.name]));
  return ids.map((id) => names.get(id) ?? null);
}

/** Why it waits: the code of its reason. */
export async function waitsFor(db: Db, id: string): Promise<string | null> {
  const { code } = await db.one(
    sql`select refusal->>'code' as code from queue_entry where request_id = ${id}
      order by turn desc limit 1`,
    z.object({ code: z.string().nullable() }),
  );
  return code;
}
