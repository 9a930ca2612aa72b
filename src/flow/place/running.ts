/**
 * What runs, for the queue's policy: how much of each host until when, what is promised against
 * budgets, and what was used lately (table `share`). What must stay true: use is counted once, by the
 * time that the records carry, and a clock that jumps adds `countedMsMax` at most.
 */
import { z } from "zod";

import type { Db, Queryable } from "#db/pool.ts";
import { instant, size } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { usualRules } from "#flow/queue/policy.ts";
import { cpuPool, unitsPerWhole, type Promised, type Used } from "#flow/queue/snapshot.ts";
import type { RunningWork } from "#flow/queue/work.ts";
import { dayOf, monthOf } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";

/** Of what nobody watched for longer, only this much is counted. */
const countedMsMax = 10 * 60_000;
const shareLock = 7_274_182;

const ofPlacement = sql`
  coalesce(p.shape->'gpu'->>'model', ${cpuPool}::text) as gpu_model,
  case when p.shape->'gpu' = 'null' then p.milli_cpus
    else (p.shape->'gpu'->>'count')::int
      * (${unitsPerWhole}::int / (p.shape->'gpu'->>'slice')::int) end as units`;

const runningRow = z.object({
  tenant_id: z.string(),
  project_id: z.string(),
  host_id: z.string(),
  gpu_model: z.string(),
  units: size,
  units_of_one: z.int(),
  ends_at: instant.nullable(),
  promised_ms: z.number(),
  promised_fen: z.bigint(),
});

export interface Running {
  readonly work: readonly RunningWork[];
  readonly promised: readonly Promised[];
}

/**
 * Leases end when somebody ends them; jobs by their estimate, in whole minutes so that those of one
 * project on one host that are of one size are few rows.
 */
export async function readRunning(db: Queryable, now: number): Promise<Running> {
  const rows = await db.rows(
    sql`
    with held as (
      select p.tenant_id, r.project_id, p.host_id, ${ofPlacement}, r.kind,
        coalesce((r.price->>'hourly')::numeric * 100, 0) as hourly_fen,
        case r.kind when 'job' then date_bin('1 minute', p.placed_at + interval '59.999 seconds'
          + interval '1 second' * coalesce((r.workload->>'expectedSeconds')::float8,
            (r.workload->>'timeLimitSeconds')::float8), 'epoch') end as ends_at,
        case r.kind when 'job' then greatest(0, extract(epoch from p.placed_at
            - ${new Date(now)}::timestamptz) + (r.workload->>'timeLimitSeconds')::float8) * 1000
          else 3600000 end as rest_ms
      from placement p join request r on r.tenant_id = p.tenant_id and r.id = p.request_id
      where p.state = 'full'
    )
    select tenant_id, project_id, host_id, gpu_model, sum(units)::int8 as units,
      units as units_of_one, ends_at,
      sum(units * rest_ms)::float8 as promised_ms,
      ceil(sum(hourly_fen * rest_ms::numeric / 3600000))::int8 as promised_fen
    from held group by tenant_id, project_id, host_id, gpu_model, held.units, ends_at
    order by host_id, tenant_id, project_id, gpu_model, held.units, ends_at`,
    runningRow,
  );
  return {
    work: rows.map((row, number) => ({
      id: `${number}`,
      tenantId: row.tenant_id,
      projectId: row.project_id,
      pool: row.gpu_model,
      parts: [{ hostId: row.host_id, units: row.units }],
      unitsOfOne: row.units_of_one,
      endsAt: row.ends_at ?? Infinity,
    })),
    promised: rows.map((row) => ({
      tenantId: row.tenant_id,
      projectId: row.project_id,
      pool: row.gpu_model,
      unitMs: row.promised_ms,
      fen: row.promised_fen,
    })),
  };
}

const usedRow = z
  .object({
    tenant_id: z.string(),
    project_id: z.string(),
    gpu_model: z.string(),
    unit_ms: z.number(),
    as_of: instant,
    month_unit_ms: z.number(),
    month_fen: z.bigint(),
  })
  .transform((row): Used => ({
    tenantId: row.tenant_id,
    projectId: row.project_id,
    pool: row.gpu_model,
    unitMs: row.unit_ms,
    asOf: row.as_of,
    monthUnitMs: row.month_unit_ms,
    monthFen: row.month_fen,
  }));

export function readUsed(db: Queryable, now: number): Promise<Used[]> {
  const month = monthAt(now);
  return db.rows(
    sql`select tenant_id, project_id, gpu_model, unit_ms, as_of,
        case month when ${month} then month_unit_ms else 0 end as month_unit_ms,
        case month when ${month} then ceil(month_fen)::int8 else 0 end as month_fen
      from share order by tenant_id, project_id, gpu_model`,
    usedRow,
  );
}

/** Adds what ran since the last time. Nothing where another process is at it. */
export async function countUse(db: Db, now: number): Promise<void> {
  const at = new Date(now);
  const { halfLifeMs } = usualRules;
  await db.transaction(async (tx) => {
    const { locked } = await tx.one(
      sql`select pg_try_advisory_xact_lock(${shareLock}) as locked`,
      z.object({ locked: z.boolean() }),
    );
    if (!locked) return;
    await tx.execute(sql`
      with since as (
        select greatest(max(as_of), ${new Date(now - countedMsMax)}::timestamptz) as at from share
      ), ran as (
        select p.tenant_id, r.project_id, ${ofPlacement},
          coalesce((r.price->>'hourly')::numeric * 100, 0) as hourly_fen,
          extract(epoch from least(${at}::timestamptz, p.ended_at)
            - greatest(p.placed_at, since.at)) * 1000 as ms
        from since, placement p join request r on r.tenant_id = p.tenant_id and r.id = p.request_id
        where since.at < ${at} and p.placed_at < ${at}
          and (p.state = 'full' or p.ended_at > since.at)
      )
      insert into share (tenant_id, project_id, gpu_model, unit_ms, as_of, month, month_unit_ms,
        month_fen)
      select tenant_id, project_id, gpu_model, sum(units * ms)::float8, ${at}, ${monthAt(now)},
        sum(units * ms)::float8, sum(hourly_fen * ms / 3600000)
      from ran where ms > 0 group by tenant_id, project_id, gpu_model
      on conflict (tenant_id, project_id, gpu_model) do update set
        unit_ms = share.unit_ms
          * power(2, extract(epoch from share.as_of - excluded.as_of)::float8 * 1000 / ${halfLifeMs}::float8)
          + excluded.unit_ms,
        as_of = excluded.as_of, month = excluded.month,
        month_unit_ms = excluded.month_unit_ms
          + case when share.month = excluded.month then share.month_unit_ms else 0 end,
        month_fen = excluded.month_fen
          + case when share.month = excluded.month then share.month_fen else 0 end`);
  });
}

function monthAt(now: number): string {
  return monthOf(dayOf(billingZone, now));
}
