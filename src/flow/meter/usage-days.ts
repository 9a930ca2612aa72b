/**
 * The roll-up `usage_day`, as whoever rates reads it, and the proof that it is the sum of the events.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { instant, int8, size } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { isLocalDay, localDay, type LocalDay } from "#kernel/calendar.ts";

export interface UsageDay {
  readonly day: LocalDay;
  readonly sku: string;
  readonly slice: bigint;
  readonly plan: "on_demand" | "subscription";
  readonly work: "lease" | "job";
  /** Unit-seconds (byte-seconds), to be divided by `slice`. */
  readonly unitSeconds: bigint;
}

const dayRow = z
  .object({
    day: z.string().refine(isLocalDay),
    sku: z.string(),
    slice: z.int(),
    plan: z.enum(["on_demand", "subscription"]),
    work: z.enum(["lease", "job"]),
    unit_seconds: z.string(),
  })
  .transform((row): UsageDay => ({
    day: localDay(row.day),
    sku: row.sku,
    slice: BigInt(row.slice),
    plan: row.plan,
    work: row.work,
    unitSeconds: BigInt(row.unit_seconds),
  }));

const throughRow = z.object({ last_received: size.nullable(), use: dayRow.nullable() });

/**
 * From a local day on: a few rows for each day that something was used on; and the last event that is in
 * them: all of the tenant's up to that one are, and no other.
 */
export async function usageDays(
  db: Queryable,
  tenantId: string,
  from: LocalDay,
): Promise<{ readonly days: readonly UsageDay[]; readonly receivedThrough: number | undefined }> {
  const rows = await db.rows(
    sql`select a.last_received, case when d.day is null then null else jsonb_build_object(
          'day', d.day::text, 'sku', d.sku, 'slice', d.slice, 'plan', d.plan, 'work', d.work,
          'unit_seconds', d.unit_seconds::text) end as use
      from usage_account a left join usage_day d on d.tenant_id = a.tenant_id
        and d.day >= ${from}::date and d.unit_seconds <> 0
      where a.tenant_id = ${tenantId}`,
    throughRow,
  );
  return {
    days: rows.flatMap(({ use }) => use ?? []),
    receivedThrough: rows[0]?.last_received ?? undefined,
  };
}

/** Usage that goes on, or that is no event yet: from the last cut up to its end, or to now. */
export interface OpenUse {
  readonly sku: string;
  readonly units: bigint;
  readonly slice: bigint;
  readonly plan: "on_demand" | "subscription";
  readonly work: "lease" | "job";
  readonly from: number;
  /** `undefined` while it goes on. */
  readonly until: number | undefined;
}

const openRow = z
  .object({
    sku: z.string(),
    units: int8,
    slice: z.int(),
    plan: z.enum(["on_demand", "subscription"]),
    work: z.enum(["lease", "job"]),
    open_from: instant,
    ended_at: instant.nullable(),
  })
  .transform((row): OpenUse => ({
    sku: row.sku,
    units: row.units,
    slice: BigInt(row.slice),
    plan: row.plan,
    work: row.work,
    from: row.open_from,
    until: row.ended_at ?? undefined,
  }));

export function openUses(db: Queryable, tenantId: string): Promise<OpenUse[]> {
  return db.rows(
    sql`select sku, units, slice, plan, work, coalesce(cut_until, started_at) as open_from, ended_at
      from usage_interval
      where tenant_id = ${tenantId} and cut_next_at is not null and billable`,
    openRow,
  );
}

/**
 * Up to where all usage of the tenant is events: a day may be final if it ends by then. `undefined`
 * where nothing is open and nothing waits to be metered.
 */
export async function completeUntil(db: Queryable, tenantId: string): Promise<number | undefined> {
  const { until } = await db.one(
    sql`select least(
        (select min(coalesce(cut_until, started_at)) from usage_interval
          where tenant_id = ${tenantId} and cut_next_at is not null),
        (select min(t.at) from meter_cursor c join transition t on t.tenant_id = c.tenant_id
            and t.instance_id = c.instance_id and t.seq = c.metered_seq + 1
          where c.tenant_id = ${tenantId} and c.known_seq > c.metered_seq)) as until`,
    z.object({ until: instant.nullable() }),
  );
  return until ?? undefined;
}

/** When the tenant's usage began: a day of the roll-up, or the start of what is not in it yet. */
export function firstUsage(
  db: Queryable,
  tenantId: string,
): Promise<{ readonly day: LocalDay | undefined; readonly openFrom: number | undefined }> {
  return db.one(
    sql`select
        (select min(day)::text from usage_day where tenant_id = ${tenantId}) as day,
        (select min(started_at) from usage_interval
          where tenant_id = ${tenantId} and cut_next_at is not null) as open_from`,
    z
      .object({ day: z.string().refine(isLocalDay).nullable(), open_from: instant.nullable() })
      .transform((row) => ({
        day: row.day === null ? undefined : localDay(row.day),
        openFrom: row.open_from ?? undefined,
      })),
  );
}

const differenceRow = z.object({ problem: z.string() });
const differencesMax = 100;

/** Where the roll-up is not the sum of the events; empty when all is well. Reads every event. */
export async function checkUsageDays(db: Queryable): Promise<string[]> {
  const rows = await db.rows(
    sql`with summed as (
        select tenant_id, day, sku, slice, plan, work,
          sum(units::numeric * extract(epoch from used_until - used_from)
            * case kind when 'recorded' then 1 else -1 end) as unit_seconds
        from usage_event where billable and counted group by 1, 2, 3, 4, 5, 6)
      select format('%s %s %s: events %s, roll-up %s', tenant_id, day, sku,
          coalesce(s.unit_seconds, 0), coalesce(d.unit_seconds, 0)) as problem
      from summed s full join usage_day d using (tenant_id, day, sku, slice, plan, work)
      where coalesce(s.unit_seconds, 0) <> coalesce(d.unit_seconds, 0)
      limit ${differencesMax}`,
    differenceRow,
  );
  return rows.map(({ problem }) => problem);
}
