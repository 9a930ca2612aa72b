/**
 * Jobs that ask again by our doing and are not to be placed at once: after a fault they rest longer each
 * time, and who made room lets him come first for whom it was made. Their entry is `held` (a trigger
 * says so, whoever enters it) and comes into the line when the time is over, at its old place.
 */
import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

export async function holdBack(
  db: Queryable,
  of: {
    readonly tenantId: string;
    readonly requestId: string;
    readonly until: number | null;
    /** It asks again because of a fault of ours: it may use a pool's reserve. */
    readonly afterFault: boolean;
  },
): Promise<void> {
  await db.execute(sql`
    update request set held_until = ${of.until === null ? null : new Date(of.until)},
      after_fault = ${of.afterFault}
    where tenant_id = ${of.tenantId} and id = ${of.requestId}`);
}

/** How many came into the line, or out of it because nobody wants them any more. */
export async function releaseHeld(db: Queryable, now: number): Promise<number> {
  await db.execute(sql`
    update request set held_until = null
    where held_until <= ${new Date(now)} or (held_until is not null and ended_at is not null)`);
  return db.execute(sql`
    update queue_entry q set state = case when r.ended_at is null and r.wanted = 'running'
        and r.turn = q.turn then 'waiting' else 'withdrawn' end
    from request r
    where q.state = 'held' and r.tenant_id = q.tenant_id and r.id = q.request_id
      and (r.held_until is null or r.wanted <> 'running' or r.turn <> q.turn)`);
}
