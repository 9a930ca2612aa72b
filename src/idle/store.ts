/**
 * Rows of `idle_watch`: one for each lease that is looked at. Looks are written many at a time and
 * only where nothing else has changed the row since (`version`); what becomes of a lease is written
 * under its request's lock.
 */
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Db, Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { shapeRow } from "#flow/admit/rows.ts";

import type { Facts, Standing } from "./decide.ts";
import type { Counters, SeenSignals } from "./signals.ts";

const seenRow = z.object({
  at: z.number(),
  activeAt: z.number(),
  value: z.number().nullable(),
  seenBy: z.string(),
});
const signalsRow: z.ZodType<SeenSignals> = z.object({
  cpu: seenRow.exactOptional(),
  network: seenRow.exactOptional(),
  gpu: seenRow.exactOptional(),
  sessions: seenRow.exactOptional(),
  console: seenRow.exactOptional(),
});
const countersRow: z.ZodType<Counters> = z.object({
  instanceId: z.string(),
  lookedAt: z.number(),
  at: z.number(),
  cpuSeconds: z.number().nullable(),
  networkBytes: z.number().nullable(),
});

const stages = ["watching", "warned", "snapshot", "released"] as const;

const watchFields = {
  stage: z.enum(stages).nullable(),
  stage_since: instant.nullable(),
  release_at: instant.nullable(),
  snapshot_id: z.string().nullable(),
  signals: signalsRow.nullable(),
  counters: countersRow.nullable(),
  kept_at: instant.nullable(),
  exempt: z.boolean().nullable(),
  console_at: instant.nullable(),
  version: z.int().nullable(),
};

export interface Watch {
  readonly standing: Standing;
  readonly signals: SeenSignals;
  readonly counters: Counters | null;
  readonly keptAt: number | null;
  readonly exempt: boolean;
  readonly consoleAt: number | null;
  /** -1: there is no row yet. */
  readonly version: number;
}

const leaseRow = z
  .object({
    tenant_id: z.string(),
    request_id: z.string(),
    name: z.string(),
    shape: shapeRow,
    pool: z.string().nullable(),
    plan: z.enum(["on_demand", "subscription"]),
    wanted: z.enum(["running", "stopped", "released"]),
    hourly: z.string().nullable(),
    instance_id: z.string().nullable(),
    machine: z.string().nullable(),
    can_keep: z.boolean(),
    snapshot_state: z.enum(["creating", "ready", "deleting", "failed", "gone"]).nullable(),
    ...watchFields,
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    requestId: row.request_id,
    name: row.name,
    shape: row.shape,
    flavor: row.shape.flavor,
    /** Of the host that it is on. */
    pool: row.pool,
    plan: row.plan,
    wanted: row.wanted,
    hourly: row.hourly,
    instanceId: row.instance_id,
    running: row.machine === "running",
    canKeep: row.can_keep,
    snapshot: snapshotOf(row.snapshot_state),
    watch: watchOf(row),
  }));
export type WatchedLease = z.output<typeof leaseRow>;

function snapshotOf(state: Facts["snapshot"] | "gone" | null): Facts["snapshot"] {
  return state === null || state === "gone" ? "none" : state;
}

/** Of a lease that was never looked at. */
export const beginning: Watch = {
  standing: { stage: "watching", since: 0, releaseAt: null, snapshotId: null },
  signals: {},
  counters: null,
  keptAt: null,
  exempt: false,
  consoleAt: null,
  version: -1,
};

function watchOf(row: z.output<z.ZodObject<typeof watchFields>>): Watch {
  if (row.stage === null) return beginning;
  return {
    standing: {
      stage: row.stage,
      since: row.stage_since ?? 0,
      releaseAt: row.release_at,
      snapshotId: row.snapshot_id,
    },
    signals: row.signals ?? {},
    counters: row.counters,
    keptAt: row.kept_at,
    exempt: row.exempt ?? false,
    consoleAt: row.console_at,
    version: row.version ?? -1,
  };
}

const leaseSelect = sql`
  select r.tenant_id, r.id as request_id, r.name, r.shape, o.name as pool, r.plan, r.wanted,
    r.price->>'hourly' as hourly, i.id as instance_id, i.state as machine,
    coalesce((s.capabilities->'keepSnapshot'->>'can')::boolean, false) as can_keep,
    n.state as snapshot_state, w.stage, w.stage_since, w.release_at, w.snapshot_id, w.signals,
    w.counters, w.kept_at, w.exempt, w.console_at, w.version
  from request r
    left join instance i on i.tenant_id = r.tenant_id and i.request_id = r.id and i.state <> 'gone'
    left join site s on s.name = i.site
    left join host h on h.id = i.host_id left join pool o on o.id = h.pool_id
    left join idle_watch w on w.tenant_id = r.tenant_id and w.request_id = r.id
    left join snapshot n on n.tenant_id = r.tenant_id and n.id = w.snapshot_id`;

/** Those of a site that may be idle, and those that something was begun with. By id. */
export function leasesToLookAt(
  db: Queryable,
  of: { readonly site: string; readonly after: string | undefined; readonly limit: number },
): Promise<WatchedLease[]> {
  return db.rows(
    sql`${leaseSelect}
      where r.kind = 'lease' and r.ended_at is null and i.site = ${of.site}
        and (r.plan = 'on_demand' and r.wanted = 'running' and i.state = 'running'
          or w.stage in ('warned', 'snapshot') or w.snapshot_id is not null)
        and ${of.after === undefined ? sql`true` : sql`r.id > ${of.after}::uuid`}
      order by r.id limit ${of.limit}`,
    leaseRow,
  );
}

/** Whether there is work without any rules: warnings to take back, snapshots to remove. */
export async function somethingUnderWay(db: Queryable): Promise<boolean> {
  const { underway } = await db.one(
    sql`select exists (select from idle_watch where stage in ('warned', 'snapshot')) as underway`,
    z.object({ underway: z.boolean() }),
  );
  return underway;
}

export function watchedLease(
  db: Queryable,
  key: { readonly tenantId: string; readonly id: string },
): Promise<WatchedLease | undefined> {
  return db.maybe(
    sql`${leaseSelect} where r.tenant_id = ${key.tenantId} and r.id = ${key.id}
      and r.kind = 'lease'`,
    leaseRow,
  );
}

export interface LookRow {
  readonly tenantId: string;
  readonly requestId: string;
  readonly version: number;
  readonly signals: SeenSignals;
  readonly counters: Counters | null;
}

/** Looks that change nothing else, in one statement. A row that changed since is left as it is. */
export async function saveLooks(db: Db, looks: readonly LookRow[], now: number): Promise<void> {
  const [fresh, known] = [
    looks.filter(({ version }) => version < 0),
    looks.filter(({ version }) => version >= 0),
  ];
  if (fresh.length > 0) await insertLooks(db, fresh, now);
  if (known.length > 0) await updateLooks(db, known);
}

async function insertLooks(db: Db, looks: readonly LookRow[], now: number): Promise<void> {
  await db.execute(sql`
    insert into idle_watch as w (tenant_id, request_id, stage, stage_since, signals, counters)
    select l."tenantId", l."requestId", 'watching', ${new Date(now)}, l.signals, l.counters
      from jsonb_to_recordset(${json(looks)}::jsonb) as l("tenantId" uuid, "requestId" uuid,
        version int, signals jsonb, counters jsonb)
    on conflict (tenant_id, request_id) do nothing`);
}

async function updateLooks(db: Db, looks: readonly LookRow[]): Promise<void> {
  await db.execute(sql`
    update idle_watch w set signals = l.signals, counters = l.counters, version = w.version + 1
      from jsonb_to_recordset(${json(looks)}::jsonb) as l("tenantId" uuid, "requestId" uuid,
        version int, signals jsonb, counters jsonb)
      where w.tenant_id = l."tenantId" and w.request_id = l."requestId"
        and w.version = l.version`);
}

/** Writes all of it; false, and nothing written, if the row changed since `watch` was read. */
export async function saveWatch(
  tx: Tx,
  key: { readonly tenantId: string; readonly requestId: string },
  watch: Watch,
): Promise<boolean> {
  const { stage, since, releaseAt, snapshotId } = watch.standing;
  const fields = {
    stage,
    since: new Date(since),
    releaseAt: releaseAt === null ? null : new Date(releaseAt),
    keptAt: watch.keptAt === null ? null : new Date(watch.keptAt),
    counters: watch.counters === null ? null : json(watch.counters),
  };
  const changed = await tx.execute(sql`
    insert into idle_watch as w (tenant_id, request_id, stage, stage_since, release_at, snapshot_id,
      signals, counters, kept_at, exempt)
    values (${key.tenantId}, ${key.requestId}, ${stage}, ${fields.since}, ${fields.releaseAt},
      ${snapshotId}, ${json(watch.signals)}, ${fields.counters}::jsonb, ${fields.keptAt},
      ${watch.exempt})
    on conflict (tenant_id, request_id) do update set stage = excluded.stage,
      stage_since = excluded.stage_since, release_at = excluded.release_at,
      snapshot_id = excluded.snapshot_id, signals = excluded.signals,
      counters = excluded.counters, kept_at = excluded.kept_at, exempt = excluded.exempt,
      version = w.version + 1
    where w.version = ${watch.version}`);
  return changed === 1;
}

/** Somebody has its console open at this moment. Does not disturb a decision; the next look sees it. */
export async function consoleOpen(
  db: Queryable,
  key: { readonly tenantId: string; readonly requestId: string; readonly at: number },
): Promise<void> {
  const at = new Date(key.at);
  await db.execute(sql`
    insert into idle_watch as w (tenant_id, request_id, stage, stage_since, signals, console_at)
    values (${key.tenantId}, ${key.requestId}, 'watching', ${at}, '{}', ${at})
    on conflict (tenant_id, request_id) do update set console_at = greatest(w.console_at, ${at})`);
}
