/** Brings the hosts and devices of a site into the catalog, where placement reads them. */
import type { Db } from "#db/pool.ts";
import { recordHosts, recordSite, siteUnreachable } from "#catalog/sites.ts";
import type { Observer } from "#observe/observer.ts";
import type { Provider } from "#providers/provider.ts";

import { watchInterference } from "./interference.ts";

export async function refreshInventory(
  context: {
    readonly db: Db;
    readonly provider: Provider;
    readonly observer: Observer;
    readonly now: () => number;
  },
  signal: AbortSignal,
): Promise<void> {
  const { db, provider, now } = context;
  try {
    const info = await provider.info({ signal });
    const hosts = await provider.hosts({ signal });
    const changed = await db.transaction(async (tx) => {
      const isBack = await recordSite(tx, info, now());
      const count = await recordHosts(tx, { site: provider.site, listing: hosts, at: now() });
      await watchInterference(tx, { site: provider.site, hosts: hosts.items, at: now() });
      if (isBack || count > 0) tx.nudge("capacity");
      return count;
    });
    if (changed > 0) {
      context.observer.log.info({ site: provider.site, changed }, "inventory changed");
    }
  } catch (error) {
    // A look that we gave up ourselves, as at our end, says nothing of the site.
    if (signal.aborted) throw error;
    const trouble = error instanceof Error ? error.message : String(error);
    await siteUnreachable(db, { site: provider.site, trouble });
    throw error;
  }
}
