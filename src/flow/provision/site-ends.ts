/**
 * A site that the operator calls gone for good. What must stay true: nothing of a customer is there any
 * more, for only the site itself can say that a machine is gone; and a site that answers is not gone: its
 * next look takes the word back (catalog/sites.ts).
 */
import { z } from "zod";

import { siteAwayAfterMs } from "#catalog/sites.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { lockHosts } from "#flow/place/hosts-read.ts";
import { Failure } from "#kernel/failure.ts";
import { resolveAlert } from "#notices/store.ts";

/** Named in a refusal; the rest is counted. */
const namedMax = 10;

export interface RetiredSite {
  readonly site: string;
  readonly retiredAt: number;
  readonly hosts: number;
  /** It was said before. */
  readonly unchanged: boolean;
}

const siteRow = z.object({ inventory_at: instant.nullable(), retired_at: instant.nullable() });
const idRow = z.object({ id: z.string() });

export async function retireSite(tx: Tx, site: string, at: number): Promise<RetiredSite> {
  // A look that succeeds waits for this, or this for it.
  const found = await tx.maybe(
    sql`select inventory_at, retired_at from site where name = ${site} for update`,
    siteRow,
  );
  if (found === undefined) throw new Failure("not_found", `There is no site ${site}.`);
  const hostIds = await tx.rows(sql`select id from host where site = ${site} order by id`, idRow);
  const hosts = hostIds.length;
  if (found.retired_at !== null) {
    return { site, retiredAt: found.retired_at, hosts, unchanged: true };
  }
  const seenAt = found.inventory_at;
  if (seenAt !== null && seenAt >= at - siteAwayAfterMs) {
    throw new Failure(
      "wrong_state",
      `The site ${site} answers: it was seen at ${new Date(seenAt).toISOString()}. Take it out of the settings (such as --clusters) and start Millrace again; half a minute later it can be retired.`,
    );
  }
  // Whoever places there holds these, and finds the hosts gone afterwards.
  await lockHosts(
    tx,
    hostIds.map(({ id }) => id),
  );
  await demandNothingHeld(tx, site);
  await tx.execute(sql`update site set retired_at = ${new Date(at)} where name = ${site}`);
  await tx.execute(sql`
    update host set state_since = case when state = 'down' then state_since else ${new Date(at)} end,
      state = 'down', cpu_pressure_percent = null
    where site = ${site}`);
  await tx.execute(sql`
    update gpu_device d set present = false, throttled = false from host h
    where h.id = d.host_id and h.site = ${site} and d.present`);
  await resolveAlertsOf(tx, site, at);
  tx.nudge("capacity");
  return { site, retiredAt: at, hosts, unchanged: false };
}

const heldRow = z.object({
  kind: z.enum(["lease", "job", "snapshot"]),
  id: z.string(),
  name: z.string(),
  tenant: z.string(),
  count: z.int(),
});
type Held = z.output<typeof heldRow>;

/** Machines in our rows, places that no machine has yet, and snapshots that outlive their machines. */
function heldBy(db: Queryable, site: string): Promise<Held[]> {
  return db.rows(
    sql`with held as (
      select r.kind, r.id, r.name, r.tenant_id from request r
      where exists (select from instance i where i.tenant_id = r.tenant_id and i.request_id = r.id
          and i.site = ${site} and i.state <> 'gone')
        or exists (select from placement p join host h on h.id = p.host_id
          where p.tenant_id = r.tenant_id and p.request_id = r.id and p.state <> 'none'
            and h.site = ${site})
      union all
      select 'snapshot', s.id, s.name, s.tenant_id from snapshot s
        join instance i on i.tenant_id = s.tenant_id and i.id = s.instance_id
      where i.site = ${site} and i.state = 'gone' and s.kept_until is not null
        and s.state in ('creating', 'ready', 'deleting')
    )
    select held.kind, held.id, held.name, t.name as tenant, count(*) over ()::int as count
    from held join tenant t on t.id = held.tenant_id
    order by held.kind, t.name, held.name, held.id limit ${namedMax}`,
    heldRow,
  );
}

async function demandNothingHeld(tx: Tx, site: string): Promise<void> {
  const held = await heldBy(tx, site);
  const [first] = held;
  if (first === undefined) return;
  const named = held.map(({ kind, name, tenant }) => `${kind} ${name} of ${tenant}`);
  const more = first.count > held.length ? [`${first.count - held.length} more`] : [];
  throw new Failure(
    "wrong_state",
    `The site ${site} holds what is not ended: ${[...named, ...more].join(", ")}. Only the site can say that it is gone: put it back into the settings, end these once it answers, and retire it then.`,
    {
      details: {
        count: first.count,
        held: held.map(({ kind, id, name, tenant }) => ({ kind, id, name, tenant })),
      },
    },
  );
}

/** By how their keys begin; those that name no site end with the machines that they are about. */
const alertKeys = ["contended", "throttled", "drain", "project-stays", "project-left", "orphan"];

async function resolveAlertsOf(tx: Tx, site: string, at: number): Promise<void> {
  const open = await tx.rows(
    sql`select key from alert where resolved_at is null
      and key ^@ any(${alertKeys.map((kind) => `${kind}:${site}:`)}::text[])`,
    z.object({ key: z.string() }),
  );
  for (const { key } of open) {
    // oxlint-disable-next-line no-await-in-loop -- one connection
    await resolveAlert(tx, { key, by: "provision", at });
  }
}
