/** Rows of `lease_use`: the last look at each lease, and what all looks say together. */
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";

import { countersRow, figuresRow, historyRow, type Figures, type Looked } from "./looks.ts";

const minuteMs = 60_000;
/** Of members of groups, and of leases that are sized by themselves. */
const nearEveryMs = 50_000;
const farEveryMs = 5 * minuteMs - 10_000;
/** What was seen longer ago says nothing of now. */
const freshMs = 3 * minuteMs;
/** The history of a lease that ended is of no use to anybody. */
const keptMs = 86_400_000;
const rowsPerSweep = 1_000;

const lookedFields = {
  seen_instance: z.string().nullable(),
  looked_at: instant.nullable(),
  counters: countersRow.nullable(),
  figures: figuresRow.nullable(),
  history: historyRow.nullable(),
};

function lookedOf(row: z.output<z.ZodObject<typeof lookedFields>>): Looked | undefined {
  const { seen_instance: instanceId, looked_at: lookedAt, counters, figures, history } = row;
  return instanceId === null ||
    lookedAt === null ||
    counters === null ||
    figures === null ||
    history === null
    ? undefined
    : { instanceId, lookedAt, counters, figures, history };
}

const dueRow = z
  .object({
    tenant_id: z.string(),
    request_id: z.string(),
    instance_id: z.string(),
    vcpus: z.int(),
    memory_mib: z.int(),
    ...lookedFields,
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    requestId: row.request_id,
    lease: { instanceId: row.instance_id, vcpus: row.vcpus, memoryMiB: row.memory_mib },
    before: lookedOf(row),
  }));
export type DueLease = z.output<typeof dueRow>;

/**
 * Leases of a site that run and were not looked at for a while: a minute for those that something
 * depends on, five for the others. By id.
 */
export function leasesDue(
  db: Queryable,
  of: {
    readonly site: string;
    readonly now: number;
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<DueLease[]> {
  const [near, far] = [new Date(of.now - nearEveryMs), new Date(of.now - farEveryMs)];
  return db.rows(
    sql`select r.tenant_id, r.id as request_id, i.id as instance_id,
        (i.shape->>'vcpus')::int as vcpus, (i.shape->>'memoryMiB')::int as memory_mib,
        u.instance_id as seen_instance, u.looked_at, u.counters, u.figures, u.history
      from instance i
        join request r on r.tenant_id = i.tenant_id and r.id = i.request_id
        left join lease_use u on u.tenant_id = r.tenant_id and u.request_id = r.id
      where i.site = ${of.site} and i.state = 'running' and r.kind = 'lease' and r.ended_at is null
        and ${of.after === undefined ? sql`true` : sql`r.id > ${of.after}::uuid`}
        and (u.looked_at is null or u.instance_id <> i.id or u.looked_at > ${new Date(of.now)}
          or u.looked_at <= ${far}
          or u.looked_at <= ${near} and (exists (select from lease_group_member m
              where m.tenant_id = r.tenant_id and m.request_id = r.id and m.left_at is null)
            or exists (select from lease_sizing s
              where s.tenant_id = r.tenant_id and s.request_id = r.id)))
      order by r.id limit ${of.limit}`,
    dueRow,
  );
}

export interface LookRow extends Looked {
  readonly tenantId: string;
  readonly requestId: string;
}

/** In one statement. Of two processes that looked at once the later look stays. */
export async function saveLooks(db: Queryable, looks: readonly LookRow[]): Promise<void> {
  if (looks.length === 0) return;
  const rows = looks.map((each) => ({ ...each, lookedAt: new Date(each.lookedAt).toISOString() }));
  await db.execute(sql`
    insert into lease_use (tenant_id, request_id, instance_id, looked_at, counters, figures, history)
    select l."tenantId", l."requestId", l."instanceId", l."lookedAt", l.counters, l.figures, l.history
      from jsonb_to_recordset(${json(rows)}::jsonb) as l("tenantId" uuid, "requestId" uuid,
        "instanceId" uuid, "lookedAt" timestamptz, counters jsonb, figures jsonb, history jsonb)
    on conflict (tenant_id, request_id) do update set instance_id = excluded.instance_id,
      looked_at = excluded.looked_at, counters = excluded.counters, figures = excluded.figures,
      history = excluded.history`);
}

export function lookAtLease(
  db: Queryable,
  key: { readonly tenantId: string; readonly id: string },
): Promise<Looked | undefined> {
  return db.maybe(
    sql`select instance_id as seen_instance, looked_at, counters, figures, history from lease_use
      where tenant_id = ${key.tenantId} and request_id = ${key.id}`,
    z.object(lookedFields).transform((row) => lookedOf(row)),
  );
}

const figuresOfRow = z
  .object({ request_id: z.string(), looked_at: instant, figures: figuresRow })
  .transform((row) => ({
    requestId: row.request_id,
    seenAt: row.looked_at,
    figures: row.figures,
  }));

export interface FreshFigures {
  readonly figures: Figures;
  readonly seenAt: number;
}

/** What those leases use now, of their machines of now; without those that were not seen lately. */
export async function freshFigures(
  db: Queryable,
  of: { readonly tenantId: string; readonly ids: readonly string[]; readonly now: number },
): Promise<ReadonlyMap<string, FreshFigures>> {
  const rows = await db.rows(
    sql`select u.request_id, u.looked_at, u.figures from lease_use u
      join instance i on i.tenant_id = u.tenant_id and i.id = u.instance_id
        and i.state = 'running'
      where u.tenant_id = ${of.tenantId} and u.request_id = any(${[...of.ids]}::uuid[])
        and u.looked_at > ${new Date(of.now - freshMs)} and u.looked_at <= ${new Date(of.now)}`,
    figuresOfRow,
  );
  return new Map(rows.map(({ requestId, ...rest }) => [requestId, rest]));
}

/** Forgets those of leases that ended a while ago. */
export async function sweepLooks(db: Queryable, now: number): Promise<void> {
  await db.execute(sql`
    delete from lease_use u using (
      select u2.tenant_id, u2.request_id from lease_use u2
        join request r on r.tenant_id = u2.tenant_id and r.id = u2.request_id
      where r.ended_at < ${new Date(now - keptMs)} limit ${rowsPerSweep}) old
    where u.tenant_id = old.tenant_id and u.request_id = old.request_id`);
}
