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

export async function collectOrphans(
  context: {
    readonly db: Db;
    readonly provider: Provider;
    readonly observer: Observer;
    readonly now: () => number;
  },
  listing: Listing<Machine>,
  signal: AbortSignal,
): Promise<void> {
  const { db, provider, observer, now } = context;
  if (listing.items.length === 0) return;
  const ids = listing.items.map((machine) => machine.id);
  const wanted = await db.rows(
    sql`select id from instance where id = any(${ids}::uuid[]) and state <> 'gone'`,
    z.object({ id: z.string() }),
  );
  const wantedIds = new Set(wanted.map((row) => row.id));
  for (const machine of listing.items) {
    if (wantedIds.has(machine.id)) continue;
    const { first_seen_at: firstSeenAt } = await db.one(
      sql`insert into orphan (site, machine_id, first_seen_at, detail)
        values (${provider.site}, ${machine.id}, ${new Date(now())},
          ${json({ owner: machine.owner ?? null, locator: machine.locator })})
        on conflict (site, machine_id) do update set detail = excluded.detail
        returning first_seen_at`,
      z.object({ first_seen_at: instant }),
    );
    if (now() - firstSeenAt < orphanGraceMs || machine.owner === undefined) continue;
    observer.log.warn(
      { site: provider.site, machineId: machine.id, owner: machine.owner },
      "removing a machine that no row wants",
    );
    await provider.delete(
      { signal, operationId: `${machine.id}:orphan`, owner: machine.owner },
      machine.id,
    );
    await db.execute(sql`
      update orphan set removed_at = ${new Date(now())}
      where site = ${provider.site} and machine_id = ${machine.id}`);
  }
}
