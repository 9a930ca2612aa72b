/**
 * Snapshots that outlived their leases, once their time is over: removed at the platform, then in our
 * rows. One that a lease is being made of waits.
 */
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import type { Provider } from "#providers/provider.ts";

const rowsMax = 20;
const hourMs = 3_600_000;

const row = z.object({
  tenant_id: z.string(),
  id: z.string(),
  machine_id: z.string(),
  owner: z.object({ tenantId: z.string(), projectId: z.string(), resourceId: z.string() }),
});

export async function dropExpired(
  db: Db,
  {
    provider,
    now,
    signal,
  }: { readonly provider: Provider; readonly now: number; readonly signal: AbortSignal },
): Promise<void> {
  const expired = await db.rows(
    sql`select s.tenant_id, s.id, s.instance_id as machine_id, i.spec->'owner' as owner
      from snapshot s join instance i on i.tenant_id = s.tenant_id and i.id = s.instance_id
      where s.kept_until <= ${new Date(now)} and s.state = 'ready' and i.site = ${provider.site}
        and i.state = 'gone'
        and not exists (select from request r where r.from_snapshot = s.id and r.ended_at is null
          and not exists (select from instance m where m.tenant_id = r.tenant_id
            and m.request_id = r.id and m.state <> 'creating'))
      order by s.kept_until limit ${rowsMax}`,
    row,
  );
  for (const { tenant_id: tenantId, id, machine_id: machineId, owner } of expired) {
    // Another key each hour: what failed once may be asked again.
    const operationId = `${id}:drop:${Math.floor(now / hourMs)}`;
    const ref = await provider.dropKept({ signal, operationId, owner }, machineId, id);
    const status = await provider.operation({ signal }, ref);
    if (status.state !== "done") continue;
    await db.execute(sql`
      update snapshot set state = 'gone' where tenant_id = ${tenantId} and id = ${id}`);
  }
}
