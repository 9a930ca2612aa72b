/** Rows of gangs in which something has happened, as `gang.ts` looks at them; one locked for a step. */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { sql, type Sql } from "#db/sql.ts";
import { reasonRow, workloadRow } from "#flow/admit/rows.ts";

import type { Gang } from "./gang.ts";
import { attemptRow } from "./rows.ts";

export interface GangKey {
  readonly tenantId: string;
  readonly gangId: string;
}

const keyRow = z
  .object({ tenant_id: z.string(), gang_id: z.string() })
  .transform((row): GangKey => ({ tenantId: row.tenant_id, gangId: row.gang_id }));

/** Where a member has ended, was let go, or its attempt has; the rest runs or waits, and need not be looked at. */
export function stirredGangs(db: Queryable, rowsMax: number): Promise<GangKey[]> {
  return db.rows(
    sql`select distinct o.tenant_id, o.gang_id from request o
        join request r on r.tenant_id = o.tenant_id and r.gang_id = o.gang_id
      where o.gang_id is not null and o.ended_at is null
        and (r.ended_at is not null or r.wanted <> 'running'
          or exists (select from instance i where i.tenant_id = r.tenant_id
            and i.request_id = r.id and i.turn = r.turn and i.workload->'end' is not null))
      order by o.tenant_id, o.gang_id limit ${rowsMax}`,
    keyRow,
  );
}

const memberRow = z
  .object({
    id: z.string(),
    gang_rank: z.int(),
    gang_size: z.int(),
    wanted: z.enum(["running", "stopped", "released"]),
    turn: z.int(),
    ended: z.boolean(),
    end_reason: reasonRow.nullable(),
    workload: workloadRow,
    attempt: attemptRow.nullable(),
    free: z.boolean(),
    told: z.boolean(),
    missing: z.boolean(),
    faults_before: z.int(),
  })
  .transform((row) => ({
    requestId: row.id,
    rank: row.gang_rank,
    size: row.gang_size,
    wanted: row.wanted,
    turn: row.turn,
    ended: row.ended,
    reason: row.end_reason,
    retriesMax: row.workload.platformRetriesMax,
    end: row.attempt?.end ?? null,
    free: row.free,
    told: row.told,
    missing: row.missing,
    faultsBefore: row.faults_before,
  }));

/**
 * All members, locked in the one order in which requests are, and then looked at. Undefined if they are
 * not all there, or not of one turn.
 */
export async function lockGang(tx: Tx, key: GangKey): Promise<Gang | undefined> {
  await tx.rows(
    sql`select id from request where ${ofGang(key)} order by id for no key update`,
    z.object({ id: z.string() }),
  );
  const members = await tx.rows(
    sql`select r.id, r.gang_rank, r.gang_size, r.wanted, r.turn, r.ended_at is not null as ended,
        r.end_reason, r.workload, i.workload as attempt,
        not exists (select from placement p where p.tenant_id = r.tenant_id
          and p.request_id = r.id and p.state <> 'none') as free,
        coalesce(i.missing_since is not null or h.state = 'down', false) as missing,
        exists (select from preemption x where x.tenant_id = r.tenant_id
          and x.instance_id = i.id and x.state = 'asked') as told,
        (select count(distinct e.turn)::int from request o join instance e
            on e.tenant_id = o.tenant_id and e.request_id = o.id and e.turn < r.turn
          where o.tenant_id = r.tenant_id and o.gang_id = r.gang_id
            and e.workload->'end'->>'kind' = 'platform_fault'
            and e.workload->'end'->'moved' is null) as faults_before
      from request r
        left join instance i on i.tenant_id = r.tenant_id and i.request_id = r.id
          and i.turn = r.turn
        left join host h on h.id = i.host_id
      where ${ofGang(key, sql`r.`)} order by r.gang_rank`,
    memberRow,
  );
  const [first] = members;
  if (first === undefined || members.length !== first.size) return undefined;
  const open = members.filter(({ ended }) => !ended);
  const turn = open[0]?.turn ?? first.turn;
  if (open.some((member) => member.turn !== turn)) return undefined;
  return { members, turn, faultsBefore: first.faultsBefore, retriesMax: first.retriesMax };
}

function ofGang({ tenantId, gangId }: GangKey, of: Sql = sql``): Sql {
  return sql`${of}tenant_id = ${tenantId} and ${of}gang_id = ${gangId}`;
}

/** Of the gang that the request is in; itself if it is in none. In the order in which they are locked. */
export async function lockTogether(
  tx: Tx,
  of: { readonly tenantId: string; readonly requestId: string },
): Promise<string[]> {
  const rows = await tx.rows(
    sql`select m.id from request m
      where m.tenant_id = ${of.tenantId} and (m.id = ${of.requestId} or m.gang_id = (
        select r.gang_id from request r where r.tenant_id = ${of.tenantId}
          and r.id = ${of.requestId}))
      order by m.id for no key update of m`,
    z.object({ id: z.string() }),
  );
  return rows.map(({ id }) => id);
}

const mateRow = z
  .object({ id: z.string(), request_id: z.string(), turn: z.int() })
  .transform((row) => ({ instanceId: row.id, requestId: row.request_id, attempt: row.turn }));

/** Attempts of the other members of its gang, of the same turn. */
export function matesOf(
  db: Queryable,
  of: { readonly tenantId: string; readonly requestId: string },
): Promise<z.output<typeof mateRow>[]> {
  return db.rows(
    sql`select i.id, i.request_id, i.turn from request r
        join request m on m.tenant_id = r.tenant_id and m.gang_id = r.gang_id and m.id <> r.id
        join instance i on i.tenant_id = m.tenant_id and i.request_id = m.id and i.turn = r.turn
      where r.tenant_id = ${of.tenantId} and r.id = ${of.requestId} and m.ended_at is null
      order by m.id`,
    mateRow,
  );
}
