/** Rows of `dunning_state`, and whom the ladder concerns. */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { parseFen, sumFen, type Fen } from "#kernel/money.ts";

import type { Standing } from "./decide.ts";

const row = z
  .object({
    stage: z.enum(["ok", "forecast", "warning", "no_new_work", "grace", "stopped", "released"]),
    since: instant,
    grace_until: instant.nullable(),
    release_at: instant.nullable(),
  })
  .transform((each): Standing => ({
    stage: each.stage,
    since: each.since,
    ...(each.grace_until === null ? {} : { graceUntil: each.grace_until }),
    ...(each.release_at === null ? {} : { releaseAt: each.release_at }),
  }));

export function standingOf(db: Queryable, tenantId: string): Promise<Standing | undefined> {
  return db.maybe(
    sql`select stage, since, grace_until, release_at from dunning_state
      where tenant_id = ${tenantId}`,
    row,
  );
}

/** Opened on the lowest rung if it is not there, and locked until the transaction ends. */
export async function lockStanding(tx: Tx, tenantId: string, now: number): Promise<Standing> {
  await tx.execute(sql`
    insert into dunning_state (tenant_id, stage, since)
    values (${tenantId}, 'ok', ${new Date(now)}) on conflict do nothing`);
  return tx.one(
    sql`select stage, since, grace_until, release_at from dunning_state
      where tenant_id = ${tenantId} for update`,
    row,
  );
}

export async function saveStanding(tx: Tx, tenantId: string, standing: Standing): Promise<void> {
  const { graceUntil, releaseAt } = standing;
  await tx.execute(sql`
    update dunning_state set stage = ${standing.stage}, since = ${new Date(standing.since)},
      grace_until = ${graceUntil === undefined ? null : new Date(graceUntil)}::timestamptz,
      release_at = ${releaseAt === undefined ? null : new Date(releaseAt)}::timestamptz
    where tenant_id = ${tenantId}`);
}

/** Who has work or disks that cost money, and who stands on a rung. By id. */
export async function tenantsToLookAt(
  db: Queryable,
  ask: { readonly after: string | undefined; readonly limit: number },
): Promise<string[]> {
  const rows = await db.rows(
    sql`select tenant_id from (
        select tenant_id from request
          where ended_at is null and wanted <> 'released' and plan = 'on_demand'
        union
        select tenant_id from dunning_state where stage <> 'ok'
      ) concerned
      where ${ask.after === undefined ? sql`true` : sql`tenant_id > ${ask.after}::uuid`}
      order by tenant_id limit ${ask.limit}`,
    z.object({ tenant_id: z.string() }),
  );
  return rows.map(({ tenant_id: tenantId }) => tenantId);
}

/** Leases on demand that the ladder stopped: what money that comes in starts again. */
export async function leasesStoppedForMoney(tx: Tx, tenantId: string): Promise<string[]> {
  const rows = await tx.rows(
    sql`select id from request
      where tenant_id = ${tenantId} and kind = 'lease' and ended_at is null and wanted = 'stopped'
        and plan = 'on_demand' and end_reason->>'code' = 'insufficient_credit'
      order by id`,
    z.object({ id: z.string() }),
  );
  return rows.map(({ id }) => id);
}

/** Leases on demand that are kept: their disks cost money that is not there. */
export async function keptLeases(db: Queryable, tenantId: string): Promise<string[]> {
  const rows = await db.rows(
    sql`select id from request
      where tenant_id = ${tenantId} and kind = 'lease' and ended_at is null
        and wanted in ('running', 'stopped') and plan = 'on_demand'
      order by id`,
    z.object({ id: z.string() }),
  );
  return rows.map(({ id }) => id);
}

/** What leases that the ladder stopped cost per hour when they run. */
export async function stoppedPerHour(db: Queryable, tenantId: string): Promise<Fen> {
  const rows = await db.rows(
    sql`select price->>'hourly' as hourly from request
      where tenant_id = ${tenantId} and kind = 'lease' and ended_at is null and wanted = 'stopped'
        and plan = 'on_demand' and end_reason->>'code' = 'insufficient_credit'
        and price->>'hourly' is not null`,
    z.object({ hourly: z.string() }),
  );
  return sumFen(rows.map(({ hourly }) => parseFen(hourly)));
}
