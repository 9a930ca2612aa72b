/** Rows of `preemption`: who was told to save his work and to end, why, and what came of it. */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { reasonRow } from "#flow/admit/rows.ts";
import type { Reason } from "#kernel/reason.ts";

import type { AttemptEnd, InterruptionView, Step } from "./view.ts";

export interface NewPreemption {
  readonly tenantId: string;
  readonly requestId: string;
  readonly instanceId: string;
  readonly attempt: number;
  readonly cause: "preemption" | "migration";
  /** The entry that gets the room; null for a migration. */
  readonly for: {
    readonly tenantId: string;
    readonly requestId: string;
    readonly turn: number;
  } | null;
  readonly reason: Reason;
  readonly lostUnitMs: number;
  readonly at: number;
  readonly noticeUntil: number;
}

/** Its id; `undefined` if the attempt has been told already, or is not there any more. */
export async function insertPreemption(tx: Tx, draft: NewPreemption): Promise<string | undefined> {
  const id = newId();
  const written = await tx.execute(sql`
    insert into preemption (tenant_id, id, request_id, instance_id, attempt, cause, for_tenant_id,
      for_request_id, for_turn, reason, lost_unit_ms, asked_at, notice_until)
    select i.tenant_id, ${id}, i.request_id, i.id, i.turn, ${draft.cause},
      ${draft.for?.tenantId ?? null}::uuid, ${draft.for?.requestId ?? null}::uuid,
      ${draft.for?.turn ?? null}::int, ${json(draft.reason)}::jsonb,
      ${Math.round(draft.lostUnitMs)}::int8, ${new Date(draft.at)}::timestamptz,
      ${new Date(draft.noticeUntil)}::timestamptz
    from instance i
    where i.tenant_id = ${draft.tenantId} and i.id = ${draft.instanceId} and i.turn = ${draft.attempt}
      and i.state not in ('deleting', 'gone') and i.workload->>'state' is distinct from 'ended'
    on conflict (instance_id) where state = 'asked' do nothing`);
  return written === 0 ? undefined : id;
}

/** As `viewSelect` reads it (store.ts). */
export const interruptionRow = z
  .object({
    id: z.string(),
    cause: z.enum(["preemption", "migration"]),
    askedAt: z.number(),
    noticeUntil: z.number(),
    toldAt: z.number().nullable(),
    takenBackAt: z.number().nullable(),
    state: z.enum(["asked", "called_off", "done", "moot"]),
    reason: reasonRow,
  })
  .transform(({ state, ...rest }): InterruptionView => ({
    ...rest,
    calledOff: state === "called_off",
  }));

/** The newest of instance `i`, as JSON. */
export const newestInterruption = sql`
  (select jsonb_build_object('id', x.id, 'cause', x.cause, 'state', x.state, 'reason', x.reason,
      'askedAt', (extract(epoch from x.asked_at) * 1000)::int8,
      'noticeUntil', (extract(epoch from x.notice_until) * 1000)::int8,
      'toldAt', (extract(epoch from x.told_at) * 1000)::int8,
      'takenBackAt', (extract(epoch from x.taken_back_at) * 1000)::int8)
    from preemption x where x.tenant_id = i.tenant_id and x.instance_id = i.id
    order by x.asked_at desc, x.id desc limit 1)`;

export async function recordTold(
  tx: Tx,
  of: { readonly tenantId: string; readonly told: NonNullable<Step["told"]>; readonly at: number },
): Promise<void> {
  const { id, what } = of.told;
  const column = what === "interrupt" ? sql`told_at` : sql`taken_back_at`;
  await tx.execute(sql`
    update preemption set ${column} = coalesce(${column}, ${new Date(of.at)})
    where tenant_id = ${of.tenantId} and id = ${id}`);
}

/** The attempt has ended: because it was told to, or by itself. */
export async function closePreemptions(
  tx: Tx,
  of: {
    readonly tenantId: string;
    readonly instanceId: string;
    readonly end: AttemptEnd;
    readonly at: number;
  },
): Promise<void> {
  const { end } = of;
  const byIt = end.kind === "preempted" || (end.kind === "platform_fault" && end.moved === true);
  // One that was called off too late to help has happened all the same.
  const which = byIt ? sql`state in ('asked', 'called_off')` : sql`state = 'asked'`;
  await tx.execute(sql`
    update preemption set state = ${byIt ? "done" : "moot"}, ended_at = ${new Date(of.at)}
    where tenant_id = ${of.tenantId} and instance_id = ${of.instanceId} and ${which}`);
}

const openRow = z
  .object({
    tenant_id: z.string(),
    id: z.string(),
    request_id: z.string(),
    attempt: z.int(),
    asked_at: instant,
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    id: row.id,
    requestId: row.request_id,
    attempt: row.attempt,
    askedAt: row.asked_at,
  }));
export type OpenPreemption = z.output<typeof openRow>;

/** Those whose entry waits no more: it got its place elsewhere, or nobody wants it now. */
export function needless(db: Queryable, rowsMax: number): Promise<OpenPreemption[]> {
  return db.rows(
    sql`select x.tenant_id, x.id, x.request_id, x.attempt, x.asked_at
      from preemption x
      where x.state = 'asked' and x.cause = 'preemption'
        and not exists (select from queue_entry q join request r on r.tenant_id = q.tenant_id
            and r.id = q.request_id
          where q.tenant_id = x.for_tenant_id and q.request_id = x.for_request_id
            and q.turn = x.for_turn and q.state = 'waiting' and r.turn = q.turn
            and r.ended_at is null and r.wanted = 'running')
      order by x.asked_at limit ${rowsMax}`,
    openRow,
  );
}

/** Who made room need not wait longer once he has it for whom it was made. */
export async function endHolds(tx: Tx): Promise<void> {
  await tx.execute(sql`
    update request r set held_until = null
    from preemption x
    where r.held_until is not null and x.tenant_id = r.tenant_id and x.request_id = r.id
      and x.attempt = r.turn - 1 and x.cause = 'preemption' and x.state = 'done'
      and not exists (select from queue_entry q where q.tenant_id = x.for_tenant_id
        and q.request_id = x.for_request_id and q.turn = x.for_turn and q.state = 'waiting')`);
}

/** False if it is too late: the attempt has ended. */
export async function callOff(
  tx: Tx,
  key: { readonly tenantId: string; readonly id: string },
): Promise<boolean> {
  const changed = await tx.execute(sql`
    update preemption set state = 'called_off'
    where tenant_id = ${key.tenantId} and id = ${key.id} and state = 'asked'`);
  return changed === 1;
}
