/**
 * Leases that are copies of others. One waits, with its place, until the snapshot that was taken for it is
 * ready; if that failed or went with its machine, the copy ends with the reason, before anything of it was
 * billed. A snapshot that no copy waits for any more is removed. All of it follows from rows, so that
 * whoever dies in between leaves nothing behind.
 */
import { z } from "zod";

import type { Db, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { endOperation, runningOperations } from "#flow/admit/operations.ts";
import { endRequest, lockRequest } from "#flow/admit/requests.ts";
import { Failure } from "#kernel/failure.ts";

import { awaits, beginsWhen } from "./clone-rows.ts";
import { askDeleteSnapshot } from "./snapshot-asks.ts";

const rowsPerPassMax = 50;
/** A removal that failed is asked for again after that. */
const removeAgainMs = 5 * 60_000;

/** Of one site. */
export async function settleClones(
  db: Db,
  of: { readonly site: string; readonly now: number },
): Promise<void> {
  await endHopeless(db, of);
  await removeServed(db, of);
}

/** Those that hold a place end where they are adopted (adopt.ts); here are the ones still in line. */
async function endHopeless(
  db: Db,
  { site, now }: { readonly site: string; readonly now: number },
): Promise<void> {
  const rows = await db.rows(
    sql`select r.tenant_id, r.id, r.from_snapshot from snapshot s
        join instance i on i.tenant_id = s.tenant_id and i.id = s.instance_id
        join request r on r.from_snapshot = s.id and r.tenant_id = s.tenant_id
      where s.made_for = 'clone' and s.state in ('failed', 'gone') and i.site = ${site}
        and r.ended_at is null and ${isNowhere}
      order by r.created_at limit ${rowsPerPassMax}`,
    z.object({ tenant_id: z.string(), id: z.string(), from_snapshot: z.string() }),
  );
  for (const { tenant_id: tenantId, id, from_snapshot: fromSnapshot } of rows) {
    await db.transaction((tx) => endOne(tx, { tenantId, id, fromSnapshot, at: now }));
  }
}

const isNowhere = sql`not exists (select from placement p where p.tenant_id = r.tenant_id
    and p.request_id = r.id and p.state <> 'none')
  and not exists (select from instance m where m.tenant_id = r.tenant_id and m.request_id = r.id)`;

/** Looks again with the request locked, so that the placer is not at it in the same moment. */
async function endOne(
  tx: Tx,
  of: {
    readonly tenantId: string;
    readonly id: string;
    readonly fromSnapshot: string;
    readonly at: number;
  },
): Promise<void> {
  const { tenantId, id, at } = of;
  await lockRequest(tx, { tenantId, id });
  const still = await tx.maybe(
    sql`select r.id from request r where r.tenant_id = ${tenantId} and r.id = ${id}
      and r.ended_at is null and ${isNowhere}`,
    z.object({ id: z.string() }),
  );
  const reason = await beginsWhen(tx, of);
  if (still === undefined || typeof reason === "string") return;
  await endRequest(tx, { tenantId, id, at, reason });
  for (const operation of await runningOperations(tx, { tenantId, requestId: id })) {
    await endOperation(tx, {
      tenantId,
      id: operation.id,
      at,
      outcome: { state: "failed", reason },
    });
  }
  for (const channel of ["request", "operation"]) tx.nudge(channel);
}

/** As long as its machine is there; with that it goes by itself. */
async function removeServed(
  db: Db,
  { site, now }: { readonly site: string; readonly now: number },
): Promise<void> {
  const rows = await db.rows(
    sql`select s.tenant_id, s.id, s.request_id from snapshot s
        join instance i on i.tenant_id = s.tenant_id and i.id = s.instance_id
        join request o on o.tenant_id = s.tenant_id and o.id = s.request_id
      where s.made_for = 'clone' and s.state in ('ready', 'failed') and i.site = ${site}
        and i.state in ('running', 'stopped') and o.ended_at is null and o.wanted <> 'released'
        and not exists (select from request r where ${awaits})
        and not exists (select from operation p where p.tenant_id = s.tenant_id
          and p.request_id = s.request_id and p.kind = 'snapshot-delete'
          and p.arguments->>'id' = s.id::text and p.created_at > ${new Date(now - removeAgainMs)})
      order by s.created_at limit ${rowsPerPassMax}`,
    z.object({ tenant_id: z.string(), id: z.string(), request_id: z.string() }),
  );
  for (const { tenant_id: tenantId, id: snapshotId, request_id: leaseId } of rows) {
    try {
      const key = { tenantId, leaseId, snapshotId, at: now };
      await db.transaction((tx) => askDeleteSnapshot(tx, key));
    } catch (error) {
      // It was released meanwhile, or somebody else removes it: then it goes without us.
      if (!(error instanceof Failure) || !["wrong_state", "not_found"].includes(error.code)) {
        throw error;
      }
    }
  }
}
