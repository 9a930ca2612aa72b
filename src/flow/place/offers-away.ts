/**
 * What is free nowhere because the sites that have room for it are away: an offer says so instead of none.
 * Pure. Nothing is promised: what such a site held when it was seen last may have changed.
 */
import type { Reason } from "#kernel/reason.ts";

import type { PlaceAsk } from "./ask.ts";
import { howManyFit } from "./free.ts";
import { siteOf, type HostState } from "./host-state.ts";

/** Asked of what does not fit now. */
export function awayOffers(hosts: readonly HostState[]): (ask: PlaceAsk) => Reason | undefined {
  const since = new Map<string, number>();
  for (const host of hosts) if (host.awaySince !== null) since.set(siteOf(host), host.awaySince);
  if (since.size === 0) return () => undefined;
  const sites = new Map(hosts.map((host) => [host.id, siteOf(host)]));
  const back = hosts.map((host): HostState => ({ ...host, awaySince: null }));
  return (ask) => {
    const { hostIds } = howManyFit(back, ask);
    const names = [...new Set(hostIds.map((id) => sites.get(id) ?? ""))].toSorted();
    const first = Math.min(...names.map((name) => since.get(name) ?? Infinity));
    if (!Number.isFinite(first)) return undefined;
    const at = new Date(first).toISOString();
    return {
      code: "site_away",
      message: `The room for it is at the site ${names.join(", ")}, which has not answered since ${at}. It may be ordered: it waits for that, and no running time is billed before it starts.`,
      details: { sites: names, since: at },
    };
  };
}
