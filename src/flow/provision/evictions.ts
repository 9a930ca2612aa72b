/**
 * That the platform's own queue took an attempt away, told to its owner and written into the audit. Nobody
 * was asked before, so there is no row of `preemption`; the attempt's end says why. A gang's owner is told
 * once.
 */
import { z } from "zod";

import { audit } from "#audit/audit.ts";
import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { notify } from "#notices/store.ts";

import type { InstanceRow } from "./instance-rows.ts";
import type { Step } from "./view.ts";

/** With the step that records the end. */
export async function tellEviction(
  tx: Tx,
  row: InstanceRow,
  { billed, detail }: NonNullable<Step["evicted"]>,
  now: number,
): Promise<void> {
  const { tenant_id: tenantId, request_id: requestId, turn: attempt } = row;
  const { name, job } = await tx.one(
    // The first of a gang stands for all of it.
    sql`select j.name, j.id as job from request r
        join request j on j.tenant_id = r.tenant_id and j.id = coalesce(r.gang_id, r.id)
      where r.tenant_id = ${tenantId} and r.id = ${requestId}`,
    z.object({ name: z.string(), job: z.string() }),
  );
  const isNew = await notify(tx, {
    tenantId,
    key: `evicted:${job}:${attempt}`,
    kind: billed ? "job_evicted" : "job_taken_off",
    severity: "info",
    data: { job: name, attempt },
    at: now,
  });
  if (!isNew) return;
  await audit(tx, {
    tenantId,
    actor: { kind: "system", name: "platform" },
    action: billed ? "job.preempt" : "job.move",
    target: requestId,
    outcome: "done",
    requestId: row.id,
    details: { attempt, reason: detail },
    at: now,
  });
}
