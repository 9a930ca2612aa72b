/**
 * Machines that carry our ids and that no row wants. They are recorded when first seen, and
 * removed after a grace period, because a row may be about to be written (or restored).
 */
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Db } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import type { Observer } from "#observe/observer.ts";
import type { Listing, Machine, Provider } from "#providers/provider.ts";

export const orphanGraceMs = 60_000;
/** A removal that the platform refused is asked for anew after so long. */
const removalKeyMs = 60_000;

interface OrphanContext {
  readonly db: Db;
  readonly provider: Provider;
  readonly observer: Observer;
  readonly now: () => number;
}

const idRow = z.object({ id: z.string() });

/** Writes down what nobody wants, and gives what has been unwanted for long enough. */
export async function dueOrphans(
  { db, provider, now }: OrphanContext,
  listing: Listing<Machine>,
): Promise<Machine[]> {
  if (listing.items.length === 0) return [];
  const ids = listing.items.map((machine) => machine.id);
  const wanted = new Set(await wantedOf(db, ids));
  await db.execute(sql`
    delete from orphan where site = ${provider.site} and machine_id = any(${[...wanted]}::uuid[])`);
  const due: Machine[] = [];
  for (const machine of listing.items) {
    if (wanted.has(machine.id)) continue;
    const at = new Date(now());
    // A clock that was set back starts the grace period anew, rather than make it an hour.
    const { first_seen_at: firstSeenAt } = await db.one(
      sql`insert into orphan (site, machine_id, first_seen_at, detail)
        values (${provider.site}, ${machine.id}, ${at},
          ${json({ owner: machine.owner ?? null, locator: machine.locator })})
        on conflict (site, machine_id) do update set detail = excluded.detail,
          first_seen_at = least(orphan.first_seen_at, excluded.first_seen_at)
        returning first_seen_at`,
      z.object({ first_seen_at: instant }),
    );
    if (now() - firstSeenAt >= orphanGraceMs && machine.owner !== undefined) due.push(machine);
  }
  return due;
}

/** Looks once more whether a row wants it: rows may have come back with a restore. */
export async function removeOrphan(
  { db, provider, observer, now }: OrphanContext,
  machine: Machine,
  signal: AbortSignal,
): Promise<void> {
  const { owner } = machine;
  if (owner === undefined || (await wantedOf(db, [machine.id])).length > 0) return;
  observer.log.warn(
    { site: provider.site, machineId: machine.id, owner },
    "removing a machine that no row wants",
  );
  const operationId = `${machine.id}:orphan:${Math.floor(now() / removalKeyMs)}`;
  await provider.delete({ signal, operationId, owner }, machine.id);
  await db.execute(sql`
    update orphan set removed_at = ${new Date(now())}
    where site = ${provider.site} and machine_id = ${machine.id}`);
}

async function wantedOf(db: Db, ids: readonly string[]): Promise<string[]> {
  const rows = await db.rows(
    sql`select id from instance where id = any(${[...ids]}::uuid[]) and state <> 'gone'`,
    idRow,
  );
  return rows.map(({ id }) => id);
}
