/**
 * Keeps one site as the rows want it. One process at a time works on a site (an advisory lock held
 * on a connection of its own); within it, instances are worked on side by side and each by one
 * hand. A pass asks the platform once for everything and hands it out; it waits for no instance,
 * so one that hangs holds up nobody. Events and timers look at single machines. Should two
 * processes work at the same time for a moment, versions and call keys keep that harmless.
 */
import { setTimeout as wait } from "node:timers/promises";

import pg from "pg";

import { siteSeenAt } from "#catalog/sites.ts";
import type { Db } from "#db/pool.ts";
import { restAfterMs } from "#loops/backoff.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import type { Observer } from "#observe/observer.ts";
import type { Listing, Machine, Provider } from "#providers/provider.ts";

import { adoptPlacements, type PrepareWorkload } from "./adopt.ts";
import { drainAlerts } from "./drains.ts";
import { handsOut, type Listed } from "./hand-out.ts";
import { startHands } from "./hands.ts";
import { refreshInventory } from "./inventory.ts";
import { followMoves } from "./moves.ts";
import { dueOrphans, removeOrphan } from "./orphans.ts";
import { reconcile, type ReconcileContext } from "./reconcile.ts";
import { endUnplaced } from "./unplaced.ts";
import { AtRest, digestOf } from "./at-rest.ts";
import { instancesOfSite } from "./instance-rows.ts";
import type { Sight } from "./view.ts";

export interface SiteContext {
  readonly db: Db;
  readonly provider: Provider;
  readonly observer: Observer;
  readonly now: () => number;
  readonly prepareWorkload: PrepareWorkload;
  /** Told when something at the platform may have changed, a log that grew included. */
  readonly changed?: () => void;
}

const handsMax = 16;
/** Removing orphans is never urgent. */
const orphanHandsMax = 2;
const siteLockClass = 7_274;
const lockConnectMs = 5_000;

export interface SiteWorker {
  readonly loop: LoopDefinition;
  readonly close: () => Promise<void>;
}

export function siteWorker(context: SiteContext): SiteWorker {
  const { db, provider, observer, now } = context;
  const { site } = provider;
  const closing = new AbortController();
  const { signal } = closing;
  let holder: pg.Client | undefined;
  let watching: Promise<void> | undefined;

  /** When each machine was listed last; what was never listed by us, was at best when we began. */
  const listedAt = new Map<string, number>();
  let sinceWhen: number | null = null;
  const lastSeenAt = (id: string): number | null => listedAt.get(id) ?? sinceWhen;

  const reconcileContext: ReconcileContext = {
    db,
    provider,
    observer,
    now,
    signal,
    lastSeenAt,
  };

  const tellOfDrains = drainAlerts({ db, site, now });

  const atRest = new AtRest(now);

  const instances = startHands<Listed>({
    handsMax,
    work: async (id, listed) => {
      if (holder === undefined || signal.aborted) return undefined;
      const again = await reconcile(reconcileContext, id, listed);
      if (again !== undefined) atRest.remove(id);
      else if (listed?.digest !== undefined) atRest.add(id, listed.digest);
      return again === undefined ? undefined : again - now();
    },
    failed: (instanceId, error) => {
      observer.log.error({ site, instanceId, err: error }, "reconcile failed");
    },
  });

  const handOut = handsOut({ db, site, signal, hands: instances });

  const orphans = startHands<Machine>({
    handsMax: orphanHandsMax,
    work: async (_id, machine) => {
      if (holder !== undefined && machine !== undefined) {
        await removeOrphan(context, machine, signal);
      }
      return undefined;
    },
    failed: (machineId, error) => {
      observer.log.warn({ site, machineId, err: error }, "an orphan could not be removed");
    },
  });

  const watch = async (): Promise<void> => {
    let brokenInRow = 0;
    while (!signal.aborted) {
      try {
        for await (const id of provider.changes({ signal })) {
          brokenInRow = 0;
          instances.ask(id);
          context.changed?.();
        }
      } catch (error) {
        if (signal.aborted) return;
        // Events only nudge; that the site is away is said by its loop.
        if (brokenInRow === 0) observer.log.warn({ site, err: error }, "event stream broke");
      }
      brokenInRow += 1;
      await wait(restAfterMs(brokenInRow), undefined, { signal }).catch(() => undefined);
    }
  };

  const pass = async (): Promise<"rest" | "again"> => {
    // Needs no platform: what was given up while it waited ends also while a site is away.
    await endUnplaced(db, now());
    if (!(await holdSite())) return "rest";
    watching ??= watch();
    // A host that cannot be described (no QEMU any more) may still have machines that must stop.
    const described = await refreshInventory(context, signal).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    const adopted = await adoptPlacements(db, {
      site,
      prepareWorkload: context.prepareWorkload,
      now: now(),
      failed: (instanceId, error) => {
        observer.log.error({ site, instanceId, err: error }, "placement could not be adopted");
      },
    });
    // Rows first, then the platform: a machine made in between is seen by neither and waits.
    const rows = await instancesOfSite(db, site);
    const listing = await provider.machines({ signal });
    const seen = new Map(listing.items.map((machine) => [machine.id, machine]));
    const known = new Set(rows.map(({ id }) => id));
    for (const id of listedAt.keys()) if (!known.has(id)) listedAt.delete(id);
    for (const [id, { power }] of seen) {
      // Where nobody answers, the listing is of what was known before.
      const seenAt = listing.seenUntil ?? (listing.complete ? now() : power.at);
      if (known.has(id)) listedAt.set(id, Math.min(now(), seenAt));
    }
    await tellOfDrains(rows, seen);
    await followMoves({ db, site, observer, now }, rows, seen);
    atRest.keep(known);
    const digests = new Map<string, string>();
    for (const { id, digest } of rows) {
      const machine = seen.get(id);
      if (machine !== undefined) digests.set(id, digestOf(digest, machine));
    }
    const stirring = rows.filter(({ id }) => !atRest.has(id, digests.get(id) ?? ""));
    const allOut = await handOut(stirring, (id) => ({
      sight: sightOf(id, seen, listing),
      digest: digests.get(id),
    }));
    for (const machine of await dueOrphans(context, listing, known))
      orphans.ask(machine.id, machine);
    if (described !== undefined) throw described.error;
    return allOut ? adopted : "again";
  };

  const holdSite = async (): Promise<boolean> => {
    if (holder !== undefined) return true;
    const client = new pg.Client({
      connectionString: db.url,
      application_name: "millrace site",
      connectionTimeoutMillis: lockConnectMs,
      keepAlive: true,
    });
    const lost = (): void => {
      if (holder === client) holder = undefined;
    };
    client.on("error", lost);
    client.on("end", lost);
    try {
      await client.connect();
      const { rows } = await client.query<{ held: boolean }>(
        "select pg_try_advisory_lock($1, hashtext($2)) as held",
        [siteLockClass, site],
      );
      // Before the first look makes it now.
      const seenAt = rows[0]?.held === true ? await siteSeenAt(db, site) : null;
      if (rows[0]?.held === true && !signal.aborted) {
        sinceWhen = seenAt;
        holder = client;
        return true;
      }
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    await client.end();
    return false;
  };

  return {
    loop: {
      name: `site ${site}`,
      periodMs: 5_000,
      channels: ["provision", "request", "operation-asked"],
      pass,
    },
    close: async () => {
      closing.abort();
      await Promise.all([instances.close(), orphans.close()]);
      await watching;
      await holder?.end();
    },
  };
}

function sightOf(id: string, seen: ReadonlyMap<string, Machine>, listing: Listing<Machine>): Sight {
  const machine = seen.get(id);
  if (machine !== undefined) return { seen: "machine", machine };
  return listing.complete ? { seen: "absent" } : { seen: "unknown" };
}
