/** Rows of `queue_limit` and `queue_cap`: what customers may hold and spend. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";

const limitRow = z
  .object({
    tenant_id: z.string(),
    project_id: z.string().nullable(),
    gpu_model: z.string().nullable(),
    milli_max: z.bigint().nullable(),
    month_hours_max: z.bigint().nullable(),
    month_fen_max: z.bigint().nullable(),
    updated_at: instant,
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    /** null: all projects together. */
    projectId: row.project_id,
    /** null: all GPU models together; `cpu` is work without GPU. */
    gpuModel: row.gpu_model,
    milliMax: row.milli_max === null ? null : Number(row.milli_max),
    monthHoursMax: row.month_hours_max === null ? null : Number(row.month_hours_max),
    monthFenMax: row.month_fen_max,
    updatedAt: row.updated_at,
  }));
export type QueueLimit = z.output<typeof limitRow>;

const columns = sql`tenant_id, project_id, gpu_model, milli_max, month_hours_max, month_fen_max,
  updated_at`;

/** Of one tenant, the widest first. */
export function limitsOfTenant(db: Queryable, tenantId: string): Promise<QueueLimit[]> {
  return db.rows(
    sql`select ${columns} from queue_limit where tenant_id = ${tenantId}
      order by project_id nulls first, gpu_model nulls first`,
    limitRow,
  );
}

export function allLimits(db: Queryable): Promise<QueueLimit[]> {
  return db.rows(sql`select ${columns} from queue_limit order by tenant_id, id`, limitRow);
}

/** What is null of all three is no limit; with none left, the row goes. */
export async function setLimit(
  db: Queryable,
  limit: Omit<QueueLimit, "updatedAt"> & { readonly id: string; readonly at: number },
): Promise<void> {
  await db.execute(sql`
    delete from queue_limit where tenant_id = ${limit.tenantId}
      and project_id is not distinct from ${limit.projectId}::uuid
      and gpu_model is not distinct from ${limit.gpuModel}::text`);
  if (limit.milliMax === null && limit.monthHoursMax === null && limit.monthFenMax === null) return;
  await db.execute(sql`
    insert into queue_limit (tenant_id, id, project_id, gpu_model, milli_max, month_hours_max,
      month_fen_max, updated_at)
    values (${limit.tenantId}, ${limit.id}, ${limit.projectId}, ${limit.gpuModel},
      ${limit.milliMax}, ${limit.monthHoursMax}, ${limit.monthFenMax}, ${new Date(limit.at)})`);
}

const capRow = z
  .object({ gpu_model: z.string(), percent: z.int() })
  .transform((row) => ({ gpuModel: row.gpu_model, percent: row.percent }));
export type QueueCap = z.output<typeof capRow>;

/** The row of every model without one of its own. */
export const everyModel = "*";

export function queueCaps(db: Queryable): Promise<QueueCap[]> {
  return db.rows(sql`select gpu_model, percent from queue_cap order by gpu_model`, capRow);
}

export async function setQueueCap(db: Queryable, cap: QueueCap): Promise<void> {
  await db.execute(sql`
    insert into queue_cap (gpu_model, percent) values (${cap.gpuModel}, ${cap.percent})
    on conflict (gpu_model) do update set percent = excluded.percent, updated_at = now()`);
}
