/**
 * The entry of a job that asks again by our doing: at its old place, so that who made room or was moved
 * loses nothing by it; and, where it must rest first, held until then.
 */
import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

export interface Requeue {
  /** It counts as having asked when it asked for the attempt before. */
  readonly keepsPlace: boolean;
  /** It does not wait in line before that. */
  readonly heldUntil: number | null;
}

/** For the turn that the request is at now. What keeps no place and rests not is entered as usual. */
export async function requeue(
  db: Queryable,
  of: Requeue & { readonly tenantId: string; readonly requestId: string; readonly at: number },
): Promise<void> {
  if (!of.keepsPlace && of.heldUntil === null) return;
  const heldUntil = of.heldUntil === null ? null : new Date(of.heldUntil);
  await db.execute(sql`
    insert into queue_entry (tenant_id, request_id, turn, priority, enqueued_at, state, held_until)
    select q.tenant_id, q.request_id, r.turn, q.priority,
      case when ${of.keepsPlace} then q.enqueued_at else ${new Date(of.at)}::timestamptz end,
      case when ${heldUntil}::timestamptz is null then 'waiting' else 'held' end, ${heldUntil}
    from request r join queue_entry q on q.tenant_id = r.tenant_id and q.request_id = r.id
      and q.turn = r.turn - 1
    where r.tenant_id = ${of.tenantId} and r.id = ${of.requestId}
    on conflict do nothing`);
}

/** Lets those into the line whose rest is over; whose request goes no further never comes into it. */
export async function releaseHeld(db: Queryable, now: number): Promise<number> {
  return db.execute(sql`
    update queue_entry q set state = case when r.ended_at is null and r.wanted = 'running'
        and r.turn = q.turn then 'waiting' else 'withdrawn' end
    from request r
    where q.state = 'held' and r.tenant_id = q.tenant_id and r.id = q.request_id
      and (q.held_until <= ${new Date(now)} or r.ended_at is not null or r.wanted <> 'running'
        or r.turn <> q.turn)`);
}
