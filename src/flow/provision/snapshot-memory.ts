/**
 * A snapshot with memory is refused where it is asked for, if the lease's platform keeps none: nobody
 * should wait for it to fail, and what was asked for is never made smaller in silence.
 */
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

const running = z.object({
  name: z.string(),
  memory: z.object({ can: z.boolean(), because: z.string().optional() }).nullable(),
});

/** One that is stopped has no memory, and gets a snapshot of its disk as before. */
export async function refuseMemoryNotKept(
  tx: Tx,
  key: { readonly tenantId: string; readonly leaseId: string },
): Promise<void> {
  const found = await tx.maybe(
    sql`select r.name, s.capabilities->'snapshotWithMemory' as memory
      from request r join instance i on i.tenant_id = r.tenant_id and i.request_id = r.id
          and i.state = 'running'
        join site s on s.name = i.site
      where r.tenant_id = ${key.tenantId} and r.id = ${key.leaseId} and r.kind = 'lease'`,
    running,
  );
  if (found?.memory?.can !== false) return;
  throw new Failure(
    "unsupported",
    `A snapshot of ${found.name} cannot hold its memory: ${found.memory.because ?? "its platform cannot"}. Take one of the disk alone.`,
  );
}
