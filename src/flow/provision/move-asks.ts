/** What a move is asked of: where the machine is, whether its platform can, and the host that is named. */
import { z } from "zod";

import { askMove, type Asked } from "#flow/admit/lease.ts";
import type { OperationRow } from "#flow/admit/operations.ts";
import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { shapeRow } from "#flow/admit/rows.ts";
import { siteLabel } from "#flow/place/host-state.ts";
import { Failure } from "#kernel/failure.ts";

import { moveArguments } from "./arguments.ts";
import { capabilityRow } from "./capability.ts";
import { movesLive, startsElsewhere } from "./movable.ts";
import { remarkRow } from "./remarks.ts";

const placed = z.object({
  name: z.string(),
  site: z.string(),
  shape: shapeRow,
  notes: z.array(remarkRow).nullable(),
  move_live: capabilityRow.nullable(),
  start_elsewhere: capabilityRow.nullable(),
});

export async function askMoveTo(
  tx: Tx,
  ask: {
    readonly tenantId: string;
    readonly leaseId: string;
    readonly hostId: string | undefined;
    readonly at: number;
  },
): Promise<Asked> {
  const { tenantId, leaseId, hostId, at } = ask;
  const there = await tx.maybe(
    sql`select r.name, h.site, r.shape, i.notes, s.capabilities->'moveLive' as move_live,
        s.capabilities->'startElsewhere' as start_elsewhere
      from request r join placement p on p.tenant_id = r.tenant_id and p.request_id = r.id
          and p.state = 'full'
        join host h on h.id = p.host_id join site s on s.name = h.site
        left join instance i on i.tenant_id = p.tenant_id and i.id = p.instance_id
      where r.tenant_id = ${tenantId} and r.id = ${leaseId} and r.kind = 'lease'`,
    placed,
  );
  const live = there === undefined ? undefined : movesLive(there);
  if (there !== undefined && live?.can === false) {
    const instead = startsElsewhere(there).can
      ? "Stop it and start it again: it can come up on another host."
      : "Stop it, and start it when its host is back.";
    throw new Failure(
      "unsupported",
      `The lease ${there.name} cannot move while it runs: ${live.because}. ${instead}`,
    );
  }
  const nativeHostId =
    hostId === undefined || there === undefined
      ? await hostToMoveTo(tx, { tenantId, leaseId })
      : await nativeOf(tx, hostId, there.site);
  return askMove(tx, { tenantId, leaseId, nativeHostId, at });
}

/** The name of the host that a move goes to, also one that was under way; null where its platform chooses. */
export async function hostOfMove(
  tx: Tx,
  { tenant_id: tenantId, request_id: requestId, arguments: given }: OperationRow,
): Promise<string | null> {
  const { hostId } = moveArguments(given);
  if (hostId === undefined) return null;
  const found = await tx.maybe(
    sql`select t.name from placement p join host h on h.id = p.host_id
        join host t on t.site = h.site and t.native_id = ${hostId}
      where p.tenant_id = ${tenantId} and p.request_id = ${requestId} and p.state <> 'none'`,
    z.object({ name: z.string() }),
  );
  return found?.name ?? hostId;
}

/**
 * A platform chooses the host itself and knows nothing of those that take nothing new by our operator's
 * word alone: it would take a machine from one host in maintenance to the next. Where a site has such a
 * host, one that takes work and has the room is named; undefined where it may choose.
 */
export async function hostToMoveTo(
  tx: Tx,
  { tenantId, leaseId }: { readonly tenantId: string; readonly leaseId: string },
): Promise<string | undefined> {
  const found = await tx.maybe(
    sql`select t.native_id
      from placement p join host h on h.id = p.host_id
        join host t on t.site = h.site and t.id <> h.id and t.state = 'up' and t.schedulable
          and t.maintenance_since is null and t.pool_id is not distinct from h.pool_id
          and not coalesce(t.refuses ? (p.shape->>'serviceClass'), false)
          and t.labels @> ((p.shape->'hostLabels') - ${siteLabel}::text)
        left join placement_load u on u.host_id = t.id
      where p.tenant_id = ${tenantId} and p.request_id = ${leaseId} and p.state = 'full'
        and exists (select from host c where c.site = h.site and c.id <> h.id and c.state = 'up'
          and (not c.schedulable or c.maintenance_since is not null))
        and t.cpus * 1000 - coalesce(u.milli_cpus_used, 0) >= p.milli_cpus
        and t.memory_bytes - coalesce(u.memory_used, 0) >= p.memory_bytes
      order by t.cpus * 1000 - coalesce(u.milli_cpus_used, 0) desc, t.id limit 1`,
    z.object({ native_id: z.string() }),
  );
  return found?.native_id;
}

async function nativeOf(tx: Tx, hostId: string, site: string): Promise<string> {
  const host = await tx.maybe(
    sql`select name, native_id, site from host where id = ${hostId}`,
    z.object({ name: z.string(), native_id: z.string(), site: z.string() }),
  );
  if (host === undefined) throw new Failure("not_found", `There is no host ${hostId}.`);
  if (host.site !== site) {
    throw new Failure(
      "unsupported",
      `${host.name} is of the site ${host.site}; a machine moves within its own, ${site}.`,
    );
  }
  return host.native_id;
}
