/**
 * Keeps one site as the rows want it. One process at a time works on a site (an advisory lock held
 * on a connection of its own); within it, instances are worked on side by side and each by one
 * hand. A pass asks the platform once for everything; events and timers look at single machines.
 */
import { setTimeout as wait } from "node:timers/promises";

import pg from "pg";

import type { Db } from "#db/pool.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import type { Observer } from "#observe/observer.ts";
import type { Listing, Machine, Provider } from "#providers/provider.ts";

import { adoptPlacements, type PrepareWorkload } from "./adopt.ts";
import { refreshInventory } from "./inventory.ts";
import { collectOrphans } from "./orphans.ts";
import { reconcile, type ReconcileContext } from "./reconcile.ts";
import { endUnplaced } from "./unplaced.ts";
import { instancesOfSite } from "./store.ts";
import type { Sight } from "./view.ts";

export interface SiteContext {
  readonly db: Db;
  readonly provider: Provider;
  readonly observer: Observer;
  readonly now: () => number;
  readonly prepareWorkload: PrepareWorkload;
}

const parallelMax = 16;
const siteLockClass = 7_274;

export interface SiteWorker {
  readonly loop: LoopDefinition;
  readonly close: () => Promise<void>;
}

export function siteWorker(context: SiteContext): SiteWorker {
  const { db, provider, observer, now } = context;
  const closing = new AbortController();
  const busy = new Map<string, Promise<void>>();
  const timers = new Map<string, NodeJS.Timeout>();
  let holder: pg.Client | undefined;
  let watching: Promise<void> | undefined;

  const reconcileContext: ReconcileContext = {
    db,
    provider,
    observer,
    now,
    signal: closing.signal,
  };

  /** One hand per instance: a second look waits for the first and then looks for itself. */
  const work = async (id: string, listed?: Parameters<typeof reconcile>[2]): Promise<void> => {
    const before = busy.get(id);
    if (before !== undefined) {
      await before;
      if (busy.has(id)) return;
    }
    const run = (async (): Promise<void> => {
      try {
        schedule(
          id,
          await reconcile(reconcileContext, id, before === undefined ? listed : undefined),
        );
      } catch (error) {
        if (closing.signal.aborted) return;
        observer.log.error({ site: provider.site, instanceId: id, err: error }, "reconcile failed");
        schedule(id, now() + 1_000);
      }
    })();
    busy.set(id, run);
    try {
      await run;
    } finally {
      busy.delete(id);
    }
  };

  const schedule = (id: string, at: number | undefined): void => {
    clearTimeout(timers.get(id));
    timers.delete(id);
    if (at === undefined || closing.signal.aborted) return;
    const timer = setTimeout(() => void work(id), Math.max(10, at - now()));
    timer.unref();
    timers.set(id, timer);
  };

  const watch = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        for await (const id of provider.changes({ signal: closing.signal })) void work(id);
      } catch (error) {
        if (closing.signal.aborted) return;
        observer.log.warn({ site: provider.site, err: error }, "event stream broke");
      }
      await wait(500, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  };

  const pass = async (): Promise<"rest" | "again"> => {
    if (!(await holdSite())) return "rest";
    watching ??= watch();
    await refreshInventory(context, closing.signal);
    await endUnplaced(db, now());
    const adopted = await adoptPlacements(db, {
      site: provider.site,
      prepareWorkload: context.prepareWorkload,
      now: now(),
    });
    // Rows first, then the platform: a machine made in between is seen by neither and waits.
    const rows = await instancesOfSite(db, provider.site);
    const listing = await provider.machines({ signal: closing.signal });
    const seen = new Map(listing.items.map((machine) => [machine.id, machine]));
    const queue = [...rows];
    const hands = Array.from({ length: Math.min(parallelMax, queue.length) }, async () => {
      for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
        await work(row.id, { row, sight: sightOf(row.id, seen, listing) });
      }
    });
    await Promise.all(hands);
    await collectOrphans(context, listing, closing.signal);
    return adopted > 0 ? "again" : "rest";
  };

  const holdSite = async (): Promise<boolean> => {
    if (holder !== undefined) return true;
    const client = new pg.Client({ connectionString: db.url, application_name: "millrace site" });
    client.on("error", () => {
      if (holder === client) holder = undefined;
    });
    client.on("end", () => {
      if (holder === client) holder = undefined;
    });
    await client.connect();
    const { rows } = await client.query<{ held: boolean }>(
      "select pg_try_advisory_lock($1, hashtext($2)) as held",
      [siteLockClass, provider.site],
    );
    if (rows[0]?.held === true) holder = client;
    else await client.end();
    return holder !== undefined;
  };

  return {
    loop: {
      name: `site ${provider.site}`,
      periodMs: 5_000,
      channels: ["provision", "request", "operation-asked"],
      pass,
    },
    close: async () => {
      closing.abort();
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.allSettled(busy.values());
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
