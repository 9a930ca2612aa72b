/**
 * Machines that carry our ids and that no row wants. They are recorded when first seen.
 *
 * What must stay true: only what a row of this database tells to be gone is removed, after a grace
 * period. Rows are written before machines are made and are never deleted, so a machine that no row
 * ever named was made in a history that this database does not have: it was restored from a backup
 * that is older, or the machine is another installation's. It is kept and said, until the operator
 * adopts or removes it (orphan-asks.ts). A mark that a restore left behind would say less: a
 * database can be set back in ways that leave none.
 */
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Db, Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { raiseAlert, resolveAlert } from "#notices/store.ts";
import type { Observer } from "#observe/observer.ts";
import type { Listing, Machine, Provider } from "#providers/provider.ts";

import { askedAt, orphanAlert, type OrphanDetail } from "./orphan-rows.ts";

export const orphanGraceMs = 60_000;
/** A removal that the platform refused is asked for anew after so long. */
const removalKeyMs = 60_000;

interface OrphanContext {
  readonly db: Db;
  readonly provider: Provider;
  readonly observer: Observer;
  readonly now: () => number;
}

/** Writes down what nobody wants, and gives what is to be removed now. `known`: rows wanted them just now. */
export async function dueOrphans(
  context: OrphanContext,
  listing: Listing<Machine>,
  known: ReadonlySet<string>,
): Promise<Machine[]> {
  const others = listing.items.filter(({ id }) => !known.has(id));
  const rows = await rowsOf(context.db, { items: others });
  const unwanted = others.filter((machine) => rows.get(machine.id) !== "wanted");
  await forget(context, listing, unwanted);
  const due: Machine[] = [];
  for (const machine of unwanted) {
    const row = rows.get(machine.id);
    const isNamed = row !== undefined;
    const orphan = await record(context, machine, isNamed);
    if (machine.owner === undefined || row === "out-of-reach") continue;
    if (context.now() - orphan.first_seen_at < orphanGraceMs) continue;
    if (isNamed || orphan.decision === "remove") due.push(machine);
    else if (!orphan.said) await say(context, machine);
  }
  return due;
}

/** Looks once more whether it may go: rows may have come, or come back with a restore. */
export async function removeOrphan(
  { db, provider, observer, now }: OrphanContext,
  machine: Machine,
  signal: AbortSignal,
): Promise<void> {
  const { owner } = machine;
  if (owner === undefined) return;
  const row = (await rowsOf(db, { items: [machine] })).get(machine.id);
  if (row === "wanted" || row === "out-of-reach") return;
  if (row === undefined && !(await isToBeRemoved(db, provider.site, machine.id))) return;
  observer.log.warn(
    { site: provider.site, machineId: machine.id, owner },
    "removing a machine that no row wants",
  );
  const operationId = `${machine.id}:orphan:${Math.floor(now() / removalKeyMs)}`;
  await provider.delete({ signal, operationId, owner }, machine.id);
  await db.execute(sql`
    update orphan set removed_at = ${new Date(now())}
    where site = ${provider.site} and machine_id = ${machine.id}`);
  await resolveAlert(db, {
    key: orphanAlert(provider.site, machine.id),
    by: "provision",
    at: now(),
  });
}

async function isToBeRemoved(db: Db, site: string, machineId: string): Promise<boolean> {
  const found = await db.maybe(
    sql`select machine_id from orphan where site = ${site} and machine_id = ${machineId}
      and decision = 'remove'`,
    z.object({ machine_id: z.string() }),
  );
  return found !== undefined;
}

const instanceRow = z.object({ id: z.string(), said: z.enum(["wanted", "gone", "out-of-reach"]) });
type Said = z.output<typeof instanceRow>["said"];

/**
 * What the rows say of each machine; nothing of one that no row ever named. What was given up on a host
 * that is down goes when the host is back.
 */
async function rowsOf(
  db: Queryable,
  { items }: Pick<Listing<Machine>, "items">,
): Promise<ReadonlyMap<string, Said>> {
  if (items.length === 0) return new Map();
  const rows = await db.rows(
    sql`select i.id, case when i.state <> 'gone' then 'wanted' when h.state = 'down'
        then 'out-of-reach' else 'gone' end as said
      from instance i join host h on h.id = i.host_id
      where i.id = any(${items.map(({ id }) => id)}::uuid[])`,
    instanceRow,
  );
  return new Map(rows.map(({ id, said }) => [id, said]));
}

const gonePlace = z.object({ machine_id: z.string(), known: z.boolean() });

/** What is wanted (again), or is not there any more, is no orphan. */
async function forget(
  { db, provider, now }: OrphanContext,
  listing: Listing<Machine>,
  unwanted: readonly Machine[],
): Promise<void> {
  const { site } = provider;
  // Of a complete listing all but these are no orphans, whoever they are.
  const ids = listing.complete ? [] : listing.items.map(({ id }) => id);
  const unwantedIds = unwanted.map(({ id }) => id);
  const over = await db.rows(
    sql`delete from orphan
      where site = ${site} and not machine_id = any(${unwantedIds}::uuid[])
        and removed_at is null
        and (machine_id = any(${ids}::uuid[]) or ${listing.complete})
      returning machine_id, known`,
    gonePlace,
  );
  for (const { machine_id: id, known } of over) {
    if (known) continue;
    await resolveAlert(db, { key: orphanAlert(site, id), by: "provision", at: now() });
  }
}

const recordedRow = z.object({
  first_seen_at: instant,
  decision: z.enum(["remove"]).nullable(),
  said: z.boolean(),
});

async function record(
  { db, provider, now }: OrphanContext,
  machine: Machine,
  known: boolean,
): Promise<z.output<typeof recordedRow>> {
  const detail: OrphanDetail = {
    owner: machine.owner ?? null,
    locator: machine.locator,
    hostId: machine.hostId,
    power: machine.power.value,
    cpu: machine.cpu,
    memoryBytes: machine.memoryBytes,
    diskBytes: machine.diskBytes,
    isJob: machine.workload !== undefined,
  };
  const at = new Date(now());
  // A clock that was set back starts the grace period anew, rather than make it an hour.
  return db.one(
    sql`insert into orphan (site, machine_id, first_seen_at, seen_at, known, detail)
      values (${provider.site}, ${machine.id}, ${at}, ${at}, ${known}, ${json(detail)})
      on conflict (site, machine_id) do update set detail = excluded.detail,
        known = excluded.known, seen_at = excluded.seen_at,
        removed_at = case when orphan.removed_at > excluded.seen_at - interval '1 minute'
          then orphan.removed_at end,
        first_seen_at = least(orphan.first_seen_at, excluded.first_seen_at)
      returning first_seen_at, decision, said_at is not null as said`,
    recordedRow,
  );
}

/** Once; an alert that the operator closed is not opened again. */
async function say(
  { db, provider, observer, now }: OrphanContext,
  machine: Machine,
): Promise<void> {
  const asked = askedAt(machine.owner ?? null);
  const made = asked === undefined ? "?" : new Date(asked).toISOString();
  const { site } = provider;
  const at = now();
  await db.transaction(async (tx) => {
    const data = { site, machine: machine.id, made };
    const key = orphanAlert(site, machine.id);
    await raiseAlert(tx, { key, kind: "orphan_kept", severity: "critical", data, at });
    await tx.execute(sql`
      update orphan set said_at = ${new Date(at)}
      where site = ${site} and machine_id = ${machine.id}`);
  });
  observer.log.error(
    { site, machineId: machine.id, owner: machine.owner, made },
    "a machine that no row ever named is kept",
  );
}
