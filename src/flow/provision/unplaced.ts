/** Requests that were released before they got a place: they end here, with their operations. */
import type { Db } from "#db/pool.ts";
import { endOperation, runningOperations } from "#flow/admit/operations.ts";
import { endRequest } from "#flow/admit/requests.ts";

import { addEvent, releasedUnplaced } from "./store.ts";

const rowsPerPassMax = 200;

export async function endUnplaced(db: Db, now: number): Promise<void> {
  const released = await releasedUnplaced(db, rowsPerPassMax);
  for (const { tenant_id: tenantId, id } of released) {
    await db.transaction(async (tx) => {
      await endRequest(tx, { tenantId, id, at: now, reason: null });
      for (const operation of await runningOperations(tx, { tenantId, requestId: id })) {
        await endOperation(tx, {
          tenantId,
          id: operation.id,
          at: now,
          outcome:
            operation.kind === "release"
              ? { state: "succeeded" }
              : { state: "failed", reason: { code: "released", message: "It was released." } },
        });
      }
      await addEvent(tx, {
        tenantId,
        requestId: id,
        kind: "released",
        message: "Released before a machine was made.",
        at: now,
      });
      await tx.nudge("request");
      await tx.nudge("operation");
    });
  }
}
