/** Rows of `usage_interval` as they are cut into events. */
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { instant, int8 } from "#db/row.ts";
import { sql, type Sql } from "#db/sql.ts";

import { arrayLiteral } from "./event-store.ts";

const intervalRow = z
  .object({
    tenant_id: z.string(),
    id: z.string(),
    instance_id: z.string(),
    request_id: z.string(),
    project_id: z.string(),
    work: z.enum(["lease", "job"]),
    plan: z.enum(["on_demand", "subscription"]),
    sku: z.string(),
    units: int8,
    slice: z.int(),
    started_at: instant,
    ended_at: instant.nullable(),
    billable: z.boolean(),
    end_reason: z.string().nullable(),
    cut_until: instant.nullable(),
    segments: z.int(),
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    id: row.id,
    instanceId: row.instance_id,
    requestId: row.request_id,
    projectId: row.project_id,
    work: row.work,
    plan: row.plan,
    sku: row.sku,
    units: row.units,
    slice: row.slice,
    startedAt: row.started_at,
    endedAt: row.ended_at ?? undefined,
    billable: row.billable,
    endReason: row.end_reason,
    cutUntil: row.cut_until ?? undefined,
    segments: row.segments,
  }));
export type CuttableInterval = z.output<typeof intervalRow>;

const columns = sql`tenant_id, id, instance_id, request_id, project_id, work, plan, sku, units, slice,
  started_at, ended_at, billable, end_reason, cut_until, segments`;

/** By `where`, locked; those that somebody else works on are left to him. */
export function lockUncut(tx: Tx, where: Sql, limit: number): Promise<CuttableInterval[]> {
  return tx.rows(
    sql`select ${columns} from usage_interval where cut_next_at is not null and ${where}
      order by cut_next_at, tenant_id, id limit ${limit} for update skip locked`,
    intervalRow,
  );
}

/** How far an interval is cut. */
export interface CutState {
  readonly cutUntil: number | undefined;
  /** How many events it has had. */
  readonly segments: number;
  /** `undefined` once all of it is events. */
  readonly nextAt: number | undefined;
}

export async function saveCuts(
  tx: Tx,
  cuts: readonly (CutState & { readonly interval: CuttableInterval })[],
): Promise<void> {
  const list = (element: (cut: (typeof cuts)[number]) => string | number): string =>
    arrayLiteral(cuts.map(element));
  await tx.execute(sql`
    update usage_interval u
    set cut_until = c.cut_until, segments = c.segments, cut_next_at = c.next_at
    from unnest(${list(({ interval }) => interval.tenantId)}::uuid[],
      ${list(({ interval }) => interval.id)}::uuid[], ${list(({ cutUntil }) => instantText(cutUntil))}::timestamptz[],
      ${list(({ segments }) => segments)}::int[], ${list(({ nextAt }) => instantText(nextAt))}::timestamptz[])
      as c (tenant_id, id, cut_until, segments, next_at)
    where u.tenant_id = c.tenant_id and u.id = c.id`);
}

function instantText(instantMs: number | undefined): string {
  return instantMs === undefined ? "NULL" : `"${new Date(instantMs).toISOString()}"`;
}
