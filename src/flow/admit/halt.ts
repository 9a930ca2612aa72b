/**
 * Stopping all work of a tenant, whoever says so (invariant 8): leases are stopped, their disks
 * stay; jobs are canceled; whoever waits for something to run is told why it does not. Metering
 * follows what the platform then shows.
 */
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import type { Reason } from "#kernel/reason.ts";

import { endOperation, runningOperations } from "./operations.ts";
import { setReason, setWanted } from "./requests.ts";

const workRow = z.object({
  id: z.string(),
  kind: z.enum(["lease", "job"]),
  plan: z.enum(["on_demand", "subscription"]),
});
export type Work = z.output<typeof workRow>;

/** What is to run, locked against other asks until the transaction ends. */
export function lockRunning(tx: Tx, tenantId: string): Promise<Work[]> {
  return tx.rows(
    sql`select id, kind, plan from request
      where tenant_id = ${tenantId} and ended_at is null and wanted = 'running'
      order by id for no key update`,
    workRow,
  );
}

export async function haltWork(
  tx: Tx,
  halt: {
    readonly tenantId: string;
    /** Locked before. */
    readonly work: readonly Work[];
    readonly reason: Reason;
    readonly at: number;
  },
): Promise<void> {
  const { tenantId, reason, at } = halt;
  for (const { id, kind } of halt.work) {
    const wanted = kind === "lease" ? "stopped" : "released";
    await setWanted(tx, { tenantId, id, wanted, at });
    await setReason(tx, { tenantId, id, reason });
    // Whoever waits for it to run waits in vain.
    for (const operation of await runningOperations(tx, { tenantId, requestId: id })) {
      if (!["create", "start", "reboot"].includes(operation.kind)) continue;
      const outcome = { state: "failed", reason } as const;
      await endOperation(tx, { tenantId, id: operation.id, outcome, at });
    }
  }
  if (halt.work.length === 0) return;
  tx.nudge("request");
  tx.nudge("operation");
}
