/**
 * Whether a snapshot holds memory: what was asked for, or what the lease's platform keeps where nobody
 * said. One with memory is refused where it is asked for, if the platform keeps none: nobody should wait
 * for it to fail, and what was asked for is never made smaller in silence.
 */
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { shapeRow } from "#flow/admit/rows.ts";
import { Failure } from "#kernel/failure.ts";

import { abilityOf, capabilityRow } from "./capability.ts";

const running = z.object({
  name: z.string(),
  shape: shapeRow,
  memory: capabilityRow.nullable(),
});

/** One that is stopped has no memory, and gets a snapshot of its disk as before. */
export async function memoryKept(
  tx: Tx,
  key: { readonly tenantId: string; readonly leaseId: string },
  wanted: boolean | undefined,
): Promise<boolean> {
  if (wanted === false) return false;
  const found = await tx.maybe(
    sql`select r.name, r.shape, s.capabilities->'snapshotWithMemory' as memory
      from request r join instance i on i.tenant_id = r.tenant_id and i.request_id = r.id
          and i.state = 'running'
        join site s on s.name = i.site
      where r.tenant_id = ${key.tenantId} and r.id = ${key.leaseId} and r.kind = 'lease'`,
    running,
  );
  if (found === undefined) return true;
  const memory = abilityOf(found.memory, found.shape);
  if (memory.can) return true;
  if (wanted === undefined) return false;
  throw new Failure(
    "unsupported",
    `A snapshot of ${found.name} cannot hold its memory: ${memory.because}. Take one of the disk alone.`,
    { details: { capability: "snapshotWithMemory", because: memory.because } },
  );
}
