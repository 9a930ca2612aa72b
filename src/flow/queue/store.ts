/** Rows of `queue_entry`: one for each time that a request needs capacity. */
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql, type Sql } from "#db/sql.ts";
import { reasonRow, shapeRow } from "#flow/admit/rows.ts";
import type { Reason } from "#kernel/reason.ts";
import type { Shape } from "#kernel/shape.ts";

import type { WorkClass } from "./work.ts";

/**
 * Gives an entry to each request that wants to run and has none for its turn. The place of a job in
 * the order counts from its first ask, so that an attempt that was lost or preempted queues again
 * where it was; that of a lease from this start.
 */
export function enqueue(db: Queryable, rowsMax: number): Promise<number> {
  return db.execute(sql`
    insert into queue_entry (tenant_id, request_id, turn, priority, lane, enqueued_at, asked_at)
    select r.tenant_id, r.id, r.turn, r.priority, case r.kind when 'lease' then 0 else 1 end,
      greatest(r.changed_at, r.created_at),
      case r.kind when 'lease' then greatest(r.changed_at, r.created_at) else r.created_at end
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

/** Shapes are few and entries many: each text is parsed once, and equal shapes are one object. */
const shapes = new Map<string, Shape>();
const shapesMax = 2_000;

function shapeOf(text: string): Shape {
  let shape = shapes.get(text);
  if (shape === undefined) {
    if (shapes.size >= shapesMax) shapes.clear();
    shape = shapeRow.parse(JSON.parse(text));
    shapes.set(text, shape);
  }
  return shape;
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
    asked_at: instant.nullable(),
    shape: z.string(),
    image: z.string().nullable(),
    refusal: reasonRow.nullable(),
    refused_at: instant.nullable(),
    limit_seconds: z.number().nullable(),
    expected_seconds: z.number().nullable(),
    deadline: z.string().nullable(),
    hourly: z.string().nullable(),
    gang_id: z.string().nullable(),
    gang_size: z.int(),
    gang_how: z.enum(["spread", "pack"]),
    preemptible: z.boolean(),
    after_fault: z.boolean(),
    near: z.array(z.string()),
    apart: z.array(z.string()),
    group_name: z.string().nullable(),
    near_groups: z.array(z.string()),
    apart_groups: z.array(z.string()),
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    requestId: row.request_id,
    projectId: row.project_id,
    kind: row.kind,
    turn: row.turn,
    priority: row.priority,
    workClass: classOf(row.priority),
    enqueuedAt: row.enqueued_at,
    /** What its place in the order counts from. */
    askedAt: row.asked_at ?? row.enqueued_at,
    shape: shapeOf(row.shape),
    /** Only where sites say which images they have. */
    ...(row.image === null ? {} : { image: row.image }),
    refusal: row.refusal,
    refusedAt: row.refused_at,
    /** How long it will run, as its owner said; Infinity for a lease. */
    estimateMs: (row.expected_seconds ?? row.limit_seconds ?? Infinity) * 1000,
    /** How long it may run. */
    longestMs: (row.limit_seconds ?? Infinity) * 1000,
    deadlineAt: row.deadline === null ? null : Date.parse(row.deadline),
    /** List price of an hour, in yuan, as quoted at admission. */
    hourly: row.hourly,
    gangId: row.gang_id,
    gangSize: row.gang_size,
    gangHow: row.gang_how,
    preemptible: row.preemptible,
    afterFault: row.after_fault,
    /** Requests, and groups of the tenant's, whose hosts it wants to share or keeps away from. */
    near: row.near,
    apart: row.apart,
    nearGroups: row.near_groups,
    apartGroups: row.apart_groups,
    /** The group that it is in. */
    group: row.group_name,
  }));
export type WaitingEntry = z.output<typeof waitingRow>;

/** Classes as they stand in `request.priority`: diamond 10, gold or package 20, ordinary 30. */
export function classOf(priority: number): WorkClass {
  if (priority <= 10) return "diamond";
  return priority <= 20 ? "gold" : "ordinary";
}

/**
 * What waits, for the policy to put in order: the oldest entries, and the first of each class so that
 * a long queue hides no lease and no diamond. Nothing older than what was read is left out, so that
 * in the end everything is.
 */
export async function waitingEntries(
  db: Queryable,
  max: { readonly oldest: number; readonly first: number },
): Promise<WaitingEntry[]> {
  const oldest = await inReadOrder(db, sql`q.enqueued_at, q.request_id limit ${max.oldest}`);
  if (oldest.length < max.oldest || max.first === 0) return oldest;
  const order = sql`q.lane, q.priority, q.enqueued_at, q.request_id limit ${max.first}`;
  const first = await inReadOrder(db, order);
  const known = new Set(oldest.map(({ requestId }) => requestId));
  return [...oldest, ...first.filter(({ requestId }) => !known.has(requestId))];
}

function inReadOrder(db: Queryable, order: Sql): Promise<WaitingEntry[]> {
  return db.rows(waitingStatement(order), waitingRow);
}

/**
 * Read from the index of what waits, and each request by its key, whatever the planner believes of
 * the tables: with a union to join back it took 17 s without statistics. What is asked of the request
 * stands outside; inside, the planner may look for it among all open ones of its tenant.
 */
export function waitingStatement(order: Sql): Sql {
  return sql`
    select q.tenant_id, q.request_id, r.project_id, r.kind, q.turn, r.priority, q.enqueued_at,
      q.asked_at, r.shape::text as shape,
      case when exists (select from site_image) then r.image end as image, q.refusal, q.refused_at,
      (r.workload->>'timeLimitSeconds')::float8 as limit_seconds,
      (r.workload->>'expectedSeconds')::float8 as expected_seconds,
      r.workload->>'deadline' as deadline, r.price->>'hourly' as hourly,
      r.gang_id, r.gang_size, r.gang_how, r.after_fault, r.near, r.apart,
      r.group_name, r.near_groups, r.apart_groups,
      r.preemptible or coalesce((r.workload->>'preemptible')::boolean, false) as preemptible
    from queue_entry q cross join lateral (select * from request r
      where r.tenant_id = q.tenant_id and r.id = q.request_id offset 0) r
    where q.state = 'waiting' and r.ended_at is null and r.wanted = 'running' and r.turn = q.turn
    order by ${order}`;
}

export interface EntryKey {
  readonly tenantId: string;
  readonly requestId: string;
  readonly turn: number;
}

export interface Refusal extends EntryKey {
  readonly reason: Reason;
}

/** One statement for all of them, which locks them in one order: two placers may say the same at once. */
export async function recordRefusals(
  db: Queryable,
  refusals: readonly Refusal[],
  at: number,
): Promise<void> {
  if (refusals.length === 0) return;
  const rows = refusals.map(({ tenantId, requestId, turn, reason }) => ({
    tenant_id: tenantId,
    request_id: requestId,
    turn,
    refusal: reason,
  }));
  await db.execute(sql`
    with locked as (
      select q.tenant_id, q.request_id, q.turn, n.refusal
      from queue_entry q join jsonb_to_recordset(${json(rows)}::jsonb)
          as n(tenant_id uuid, request_id uuid, turn int, refusal jsonb)
        using (tenant_id, request_id, turn)
      where q.state = 'waiting' and q.refusal is distinct from n.refusal
      order by q.tenant_id, q.request_id, q.turn
      for no key update of q
    )
    update queue_entry q set refusal = n.refusal, refused_at = ${new Date(at)}
    from locked n
    where q.tenant_id = n.tenant_id and q.request_id = n.request_id and q.turn = n.turn`);
}
