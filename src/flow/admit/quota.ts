/** Limits of a tenant and what its open requests use of them. */
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { gibibyte } from "#kernel/shape.ts";
import { storedBytes } from "#storage/files.ts";

import { defaultLimits, type Quantities } from "./decide.ts";

const limitsRow = z.object({
  limits: z.object({
    vcpus: z.int(),
    memoryMiB: z.int(),
    diskGiB: z.int(),
    leases: z.int(),
    jobs: z.int(),
    snapshots: z.int(),
    storageGiB: z.int(),
    gpus: z.record(z.string(), z.int()),
  }),
});

export async function limitsOf(db: Queryable, tenantId: string): Promise<Quantities> {
  const found = await db.maybe(
    sql`select limits from quota_limit where tenant_id = ${tenantId}`,
    limitsRow,
  );
  return found?.limits ?? defaultLimits;
}

export async function setLimits(
  db: Queryable,
  tenantId: string,
  limits: Quantities,
): Promise<void> {
  await db.execute(sql`
    insert into quota_limit (tenant_id, limits) values (${tenantId}, ${json(limits)})
    on conflict (tenant_id) do update set limits = excluded.limits, updated_at = now()`);
}

/** Makes admissions of one tenant wait for each other, so that two cannot share one last unit. */
export async function lockQuota(db: Queryable, tenantId: string): Promise<void> {
  await db.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`quota:${tenantId}`}, 0))`);
}

const usedRow = z.object({
  vcpus: z.int(),
  memory_mib: z.int(),
  disk_gib: z.int(),
  leases: z.int(),
  jobs: z.int(),
  gpus: z.record(z.string(), z.int()),
  snapshots: z.int(),
});

/**
 * Use by open requests. A stopped lease holds its disk and its name, but neither CPU, memory nor
 * GPU; a slice counts as the device it is cut from. A lease that is being resized counts as the
 * larger of what it has and what it was promised, until it is known which of them it got.
 */
export async function usedBy(db: Queryable, tenantId: string): Promise<Quantities> {
  const found = await db.one(
    sql`
    with asked as (
      select request_id, max((o.arguments->'shape'->>'vcpus')::int) as vcpus,
        max((o.arguments->'shape'->>'memoryMiB')::int) as memory_mib,
        max((o.arguments->'shape'->>'diskGiB')::int) as disk_gib,
        max((o.arguments->'shape'->'gpu'->>'count')::int) as gpus
      from operation o
      where o.tenant_id = ${tenantId} and o.state = 'running' and o.kind = 'resize'
      group by request_id
    ), open as (
      select r.kind, r.shape, r.wanted = 'running' as powered,
        greatest((r.shape->>'vcpus')::int, asked.vcpus) as vcpus,
        greatest((r.shape->>'memoryMiB')::int, asked.memory_mib) as memory_mib,
        greatest((r.shape->>'diskGiB')::int, asked.disk_gib) as disk_gib,
        greatest((r.shape->'gpu'->>'count')::int, asked.gpus) as gpus
      from request r left join asked on asked.request_id = r.id
      where r.tenant_id = ${tenantId} and r.ended_at is null
    )
    select
      coalesce(sum(vcpus) filter (where powered), 0)::int as vcpus,
      coalesce(sum(memory_mib) filter (where powered), 0)::int as memory_mib,
      coalesce(sum(disk_gib), 0)::int as disk_gib,
      count(*) filter (where kind = 'lease')::int as leases,
      count(*) filter (where kind = 'job')::int as jobs,
      coalesce((select jsonb_object_agg(model, count) from (
        select shape->'gpu'->>'model' as model, sum(gpus)::int as count
        from open where powered and shape->'gpu' <> 'null' group by 1) by_model), '{}') as gpus,
      (select count(*)::int from snapshot
        where tenant_id = ${tenantId} and state in ('creating', 'ready', 'deleting')) as snapshots
    from open`,
    usedRow,
  );
  return {
    vcpus: found.vcpus,
    memoryMiB: found.memory_mib,
    diskGiB: found.disk_gib,
    leases: found.leases,
    jobs: found.jobs,
    snapshots: found.snapshots,
    storageGiB: Math.ceil((await storedBytes(db, tenantId)) / gibibyte),
    gpus: found.gpus,
  };
}
