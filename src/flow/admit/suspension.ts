/**
 * A suspended tenant runs nothing and starts nothing, whoever asks for it. What it has stays: disks,
 * snapshots, files, results; when it is active again, its customers start what they need.
 *
 * What must stay true: an admission and a suspension at the same moment wait for each other
 * (`lockQuota`), so nothing that was admitted just before goes on running.
 */
import { z } from "zod";

import { audit, type Actor } from "#audit/audit.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";
import type { Reason } from "#kernel/reason.ts";

import { haltWork, lockRunning, type Work } from "./halt.ts";
import { lockQuota } from "./quota.ts";

const reason: Reason = {
  code: "tenant_suspended",
  message:
    "The operator suspended this account. What it has is kept; start again when it is active.",
};

export interface Suspension {
  readonly tenantId: string;
  readonly actor: Actor;
  readonly requestId: string;
  readonly at: number;
}

/**
 * Stops what runs of a tenant that has become suspended in this transaction, and says so in the
 * tenant's own audit log. Needs a transaction of the operator.
 */
export async function stopSuspended(tx: Tx, suspension: Suspension): Promise<readonly Work[]> {
  const { tenantId, at } = suspension;
  const stop = async (): Promise<Work[]> => {
    const work = await lockRunning(tx, tenantId);
    await haltWork(tx, { tenantId, work, reason, at });
    return work;
  };
  const before = await stop();
  // Requests before the quota, as everywhere; then what was admitted in between.
  await lockQuota(tx, tenantId);
  const work = [...before, ...(await stop())];
  const idsOf = (kind: Work["kind"]): string[] =>
    work.filter((each) => each.kind === kind).map(({ id }) => id);
  const details = { stoppedLeases: idsOf("lease"), canceledJobs: idsOf("job") };
  const entry = { ...suspension, target: tenantId, outcome: "done", details } as const;
  await audit(tx, { ...entry, action: "tenant.suspend" });
  return work;
}

/** Says in the tenant's own audit log that it may start again. Nothing starts by itself. */
export async function endSuspension(tx: Tx, suspension: Suspension): Promise<void> {
  const entry = { ...suspension, target: suspension.tenantId, outcome: "done" } as const;
  await audit(tx, { ...entry, action: "tenant.activate" });
}

const stateRow = z.object({ state: z.enum(["active", "suspended"]) });

/** After `lockQuota`: a suspension either is seen here, or will see what is admitted. */
export async function requireActive(db: Queryable, tenantId: string): Promise<void> {
  const { state } = await db.one(sql`select state from tenant where id = ${tenantId}`, stateRow);
  if (state === "active") return;
  throw new Failure("forbidden", "The tenant is suspended: nothing of it may start.", {
    details: { reason: reason.code },
  });
}
