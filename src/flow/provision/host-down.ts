/**
 * Leases on a host that is down: their disks are there, so they cannot go elsewhere. Their owners are
 * told once for each time that it is down, and the operator as long as it lasts.
 */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { notify, raiseAlert, resolveAlert } from "#notices/store.ts";

const rowsMax = 500;
const alertKind = "host_down";

const leaseRow = z
  .object({
    tenant_id: z.string(),
    request_id: z.string(),
    name: z.string(),
    host_id: z.string(),
    host: z.string(),
    since: instant,
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    requestId: row.request_id,
    name: row.name,
    hostId: row.host_id,
    host: row.host,
    since: row.since,
  }));
type LeaseOnDown = z.output<typeof leaseRow>;

/** Hosts that have not been down for `patienceMs` are left alone: most come back by themselves. */
export async function tellOfDownHosts(
  tx: Tx,
  how: { readonly patienceMs: number; readonly at: number },
): Promise<void> {
  const { at } = how;
  const leases = await leasesOnDown(tx, at - how.patienceMs);
  for (const lease of leases) {
    const since = new Date(lease.since).toISOString();
    await notify(tx, {
      tenantId: lease.tenantId,
      key: `host-down:${lease.hostId}:${lease.since}:${lease.requestId}`,
      kind: "lease_host_down",
      severity: "warning",
      data: { lease: lease.name, since },
      at,
    });
  }
  const byHost = Map.groupBy(leases, keyOf);
  const open = new Set(await openKeys(tx));
  for (const [key, of] of byHost) {
    const [first] = of;
    if (first === undefined || open.has(key)) continue;
    const since = new Date(first.since).toISOString();
    const data = { host: first.host, since, leases: of.length };
    await raiseAlert(tx, { key, kind: alertKind, severity: "critical", data, at });
  }
  for (const key of open) {
    if (!byHost.has(key)) await resolveAlert(tx, { key, by: "scheduler", at });
  }
}

function keyOf({ hostId }: LeaseOnDown): string {
  return `host-down:${hostId}`;
}

/** That run, or are to. */
function leasesOnDown(db: Queryable, downBefore: number): Promise<LeaseOnDown[]> {
  return db.rows(
    sql`select p.tenant_id, p.request_id, r.name, h.id as host_id, h.name as host,
        h.state_since as since
      from host h join placement p on p.host_id = h.id and p.state <> 'none'
        join request r on r.tenant_id = p.tenant_id and r.id = p.request_id
      where h.state = 'down' and h.state_since <= ${new Date(downBefore)}
        and r.kind = 'lease' and r.wanted = 'running' and r.ended_at is null
      order by h.id, p.request_id limit ${rowsMax}`,
    leaseRow,
  );
}

async function openKeys(db: Queryable): Promise<string[]> {
  const rows = await db.rows(
    sql`select key from alert where kind = ${alertKind} and resolved_at is null`,
    z.object({ key: z.string() }),
  );
  return rows.map(({ key }) => key);
}
