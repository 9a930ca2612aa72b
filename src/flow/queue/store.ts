/** Rows of `queue_entry`: one for each time that a request needs capacity. */
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { reasonRow, shapeRow } from "#flow/admit/rows.ts";
import type { Reason } from "#kernel/reason.ts";

import { inOrder } from "./decide.ts";

/** Gives an entry to each request that wants to run and has none for its turn. */
export function enqueue(db: Queryable, rowsMax: number): Promise<number> {
  return db.execute(sql`
    insert into queue_entry (tenant_id, request_id, turn, priority, enqueued_at)
    select r.tenant_id, r.id, r.turn, r.priority, greatest(r.changed_at, r.created_at)
    from request r
    where r.ended_at is null and r.wanted = 'running'
      and not exists (select from queue_entry q where q.tenant_id = r.tenant_id
        and q.request_id = r.id and q.turn = r.turn)
    order by r.created_at limit ${rowsMax}
    on conflict do nothing`);
}

/** Takes out of the queue what is no longer wanted to run, or asked again since. */
export function withdraw(db: Queryable): Promise<number> {
  return db.execute(sql`
    update queue_entry q set state = 'withdrawn' from request r
    where q.state = 'waiting' and r.tenant_id = q.tenant_id and r.id = q.request_id
      and (r.ended_at is not null or r.wanted <> 'running' or r.turn <> q.turn)`);
}

const waitingRow = z
  .object({
    tenant_id: z.string(),
    request_id: z.string(),
    project_id: z.string(),
    kind: z.enum(["lease", "job"]),
    turn: z.int(),
    priority: z.int(),
    enqueued_at: instant,
    shape: shapeRow,
    refusal: reasonRow.nullable(),
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    requestId: row.request_id,
    projectId: row.project_id,
    kind: row.kind,
    turn: row.turn,
    priority: row.priority,
    enqueuedAt: row.enqueued_at,
    shape: row.shape,
    refusal: row.refusal,
  }));
export type WaitingEntry = z.output<typeof waitingRow>;

/**
 * The head of the queue, or what follows `after`, in order. The index has the same order; `inOrder`
 * is the rule.
 */
export async function headOfQueue(
  db: Queryable,
  rowsMax: number,
  after?: Pick<WaitingEntry, "priority" | "enqueuedAt" | "requestId">,
): Promise<WaitingEntry[]> {
  const behind =
    after === undefined
      ? sql``
      : sql`and (q.priority, q.enqueued_at, q.request_id)
          > (${after.priority}::int, ${new Date(after.enqueuedAt)}::timestamptz, ${after.requestId}::uuid)`;
  const rows = await db.rows(
    sql`select q.tenant_id, q.request_id, r.project_id, r.kind, q.turn, q.priority, q.enqueued_at,
        r.shape, q.refusal
      from queue_entry q join request r on r.tenant_id = q.tenant_id and r.id = q.request_id
      where q.state = 'waiting' and r.ended_at is null and r.wanted = 'running'
        and r.turn = q.turn ${behind}
      order by q.priority, q.enqueued_at, q.request_id limit ${rowsMax}`,
    waitingRow,
  );
  return inOrder(rows);
}

export interface EntryKey {
  readonly tenantId: string;
  readonly requestId: string;
  readonly turn: number;
}

/** False if it does not wait any more: somebody else placed or withdrew it. */
export async function markPlaced(db: Queryable, key: EntryKey): Promise<boolean> {
  const count = await db.execute(sql`
    update queue_entry set state = 'placed', refusal = null
    where tenant_id = ${key.tenantId} and request_id = ${key.requestId} and turn = ${key.turn}
      and state = 'waiting'`);
  return count === 1;
}

export async function recordRefusal(
  db: Queryable,
  key: EntryKey,
  refusal: Reason,
  at: number,
): Promise<void> {
  await db.execute(sql`
    update queue_entry set refusal = ${json(refusal)}, refused_at = ${new Date(at)}
    where tenant_id = ${key.tenantId} and request_id = ${key.requestId} and turn = ${key.turn}
      and state = 'waiting' and refusal is distinct from ${json(refusal)}::jsonb`);
}
