/** Rows of `customer_task`: for people who look after customers; no task changes a price. */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { json } from "#db/json.ts";
import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

export const taskKinds = [
  "no_spend_2m",
  "usage_drop",
  "invoice_overdue",
  "term_ending",
  "package_ending",
  "tier_by_hand_ending",
  "near_next_tier",
  "review_due",
] as const;
export type TaskKind = (typeof taskKinds)[number];

/** `key` names the sign. */
export interface NewTask {
  readonly tenantId: string;
  readonly key: string;
  readonly kind: TaskKind;
  readonly data: Readonly<Record<string, string>>;
}

const row = z
  .object({
    id: z.string(),
    tenant_id: z.string(),
    tenant: z.string(),
    kind: z.enum(taskKinds),
    data: z.record(z.string(), z.string()),
    created_at: instant,
    done_at: instant.nullable(),
    done_by: z.string().nullable(),
    note: z.string().nullable(),
  })
  .transform((each) => ({
    id: each.id,
    tenantId: each.tenant_id,
    tenant: each.tenant,
    kind: each.kind,
    data: each.data,
    createdAt: each.created_at,
    doneAt: each.done_at,
    doneBy: each.done_by,
    note: each.note,
  }));
export type CustomerTask = z.output<typeof row>;

const columns = sql`k.id, k.tenant_id, t.display_name as tenant, k.kind, k.data, k.created_at,
  k.done_at, k.done_by, k.note`;
const source = sql`customer_task k join tenant t on t.id = k.tenant_id`;

/** Whether it is new: a sign makes one task. */
export async function addTask(tx: Tx, task: NewTask & { readonly at: number }): Promise<boolean> {
  const written = await tx.execute(sql`
    insert into customer_task (tenant_id, id, key, kind, data, created_at)
    values (${task.tenantId}, ${newId()}, ${task.key}, ${task.kind}, ${json(task.data)}::jsonb,
      ${new Date(task.at)})
    on conflict on constraint customer_task_key do nothing`);
  return written > 0;
}

export async function lastTaskAt(
  tx: Tx,
  { tenantId, kind }: { readonly tenantId: string; readonly kind: TaskKind },
): Promise<number | undefined> {
  const { at } = await tx.one(
    sql`select max(created_at) as at from customer_task
      where tenant_id = ${tenantId} and kind = ${kind}`,
    z.object({ at: instant.nullable() }),
  );
  return at ?? undefined;
}

/** Newest first, of one tenant or of all. */
export function tasks(
  db: Queryable,
  ask: PageAsk & { readonly open: boolean; readonly tenantId?: string | undefined },
): Promise<CustomerTask[]> {
  return db.rows(
    sql`select ${columns} from ${source}
      where (k.done_at is null or not ${ask.open})
        and ${ask.tenantId === undefined ? sql`true` : sql`k.tenant_id = ${ask.tenantId}`}
        and ${newestFirst({ at: sql`k.created_at`, id: sql`k.id` }, ask)}
      order by k.created_at desc, k.id desc limit ${ask.limit}`,
    row,
  );
}

/** Those of terms that are renewed by now, or that renew themselves: nobody has to do anything. */
export async function finishRenewed(
  tx: Tx,
  { tenantId, at }: { readonly tenantId: string; readonly at: number },
): Promise<void> {
  await tx.execute(sql`
    update customer_task k set done_at = ${new Date(at)}, done_by = 'insights', note = 'renewed'
    where k.tenant_id = ${tenantId} and k.kind = 'term_ending' and k.done_at is null
      and exists (
        select from subscription s
        where s.tenant_id = k.tenant_id and k.key like 'term-ending:' || s.id || ':%'
          and ((s.auto_renew and s.state = 'active')
            or exists (select from subscription_period p
              where p.tenant_id = s.tenant_id and p.subscription_id = s.id
                and p.until_at > (k.data ->> 'until')::timestamptz)))`);
}

/** The first to say so counts. Throws `not_found`. */
export async function finishTask(
  tx: Tx,
  ask: { readonly id: string; readonly by: string; readonly note: string; readonly at: number },
): Promise<CustomerTask> {
  await tx.execute(sql`
    update customer_task set done_at = ${new Date(ask.at)}, done_by = ${ask.by}, note = ${ask.note}
    where id = ${ask.id}::uuid and done_at is null`);
  const task = await tx.maybe(
    sql`select ${columns} from ${source} where k.id = ${ask.id}::uuid`,
    row,
  );
  if (task === undefined) throw new Failure("not_found", "There is no such task.");
  return task;
}
