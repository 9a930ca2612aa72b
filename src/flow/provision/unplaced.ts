/**
 * Requests that hold no place: what was released before it got one ends here, and what was stopped
 * is stopped already; both with the operations that wait for it.
 */
import { z } from "zod";

import type { Db, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { endOperation, runningOperations } from "#flow/admit/operations.ts";
import { endRequest, type Wanted } from "#flow/admit/requests.ts";
import type { Reason } from "#kernel/reason.ts";

import { addEvent } from "./store.ts";

const rowsPerPassMax = 200;

const idleRow = z.object({ tenant_id: z.string(), id: z.string() });
type Key = { readonly tenantId: string; readonly requestId: string };

export async function endUnplaced(db: Db, now: number): Promise<void> {
  const idle = await db.rows(
    sql`select r.tenant_id, r.id from request r
      where r.ended_at is null
        and (r.wanted = 'released' or exists (select from operation o
          where o.tenant_id = r.tenant_id and o.request_id = r.id and o.state = 'running'
            and (r.wanted = 'stopped' or o.kind = 'stop')))
        and not exists (select from placement p where p.tenant_id = r.tenant_id
          and p.request_id = r.id and p.state <> 'none')
      order by r.created_at limit ${rowsPerPassMax}`,
    idleRow,
  );
  for (const { tenant_id: tenantId, id: requestId } of idle) {
    await db.transaction((tx) => settle(tx, { tenantId, requestId }, now));
  }
}

async function settle(tx: Tx, key: Key, now: number): Promise<void> {
  const wanted = await stillWithoutPlace(tx, key);
  // Stopped, and asked to start again before anybody looked: the stop is done, the start waits.
  if (wanted === "running") return endOperations(tx, key, { kind: "stop", now });
  if (wanted === "stopped") return endOperations(tx, key, { kind: "stop", now, reason: stopped });
  if (wanted === undefined) return;
  const { tenantId, requestId } = key;
  await endRequest(tx, { tenantId, id: requestId, at: now, reason: null });
  await endOperations(tx, key, { kind: "release", now, reason: released });
  const message = "Released before a machine was made.";
  await addEvent(tx, { ...key, kind: "released", message, at: now });
  tx.nudge("request");
}

const stopped: Reason = { code: "stopped", message: "It was stopped before that." };
const released: Reason = { code: "released", message: "It was released." };

/** Looks again with the request locked, so that the placer is not at it in the same moment. */
async function stillWithoutPlace(tx: Tx, key: Key): Promise<Wanted | undefined> {
  const { tenantId, requestId } = key;
  const request = await tx.maybe(
    sql`select wanted from request where tenant_id = ${tenantId} and id = ${requestId}
      and ended_at is null for no key update`,
    z.object({ wanted: z.enum(["running", "stopped", "released"]) }),
  );
  const held = await tx.maybe(
    sql`select instance_id from placement where tenant_id = ${tenantId}
      and request_id = ${requestId} and state <> 'none'`,
    z.object({ instance_id: z.string() }),
  );
  return held === undefined ? request?.wanted : undefined;
}

/** The ones of `kind` have got what they asked for; with a reason, the others never will. */
async function endOperations(
  tx: Tx,
  { tenantId, requestId }: Key,
  end: { readonly kind: "stop" | "release"; readonly now: number; readonly reason?: Reason },
): Promise<void> {
  const { reason, now: at } = end;
  for (const { id, kind } of await runningOperations(tx, { tenantId, requestId })) {
    if (kind === end.kind) {
      await endOperation(tx, { tenantId, id, at, outcome: { state: "succeeded" } });
    } else if (reason !== undefined) {
      await endOperation(tx, { tenantId, id, at, outcome: { state: "failed", reason } });
    }
  }
  tx.nudge("operation");
}
