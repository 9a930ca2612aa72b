/**
 * Work that only a site could carry that does not answer: what it is told while it waits. Pure. What must
 * stay true: whoever fits elsewhere, however full that is now, is none of it; nor is what fits nowhere.
 */
import type { Reason } from "#kernel/reason.ts";

import type { PlaceAsk } from "./ask.ts";
import { couldEverFitTogether } from "./decide.ts";
import { siteOf, type HostState } from "./host-state.ts";

export interface Away {
  /** In order of their names. */
  readonly sites: readonly string[];
  /** Since when the first of them has not been seen. */
  readonly since: number;
}

export class AwaySites {
  readonly #hosts: readonly HostState[];
  /** Hosts that answer. */
  readonly #here: readonly HostState[];
  readonly #since = new Map<string, number>();
  /** By site: with the hosts that answer, as if only this one of those that are away did. */
  readonly #with = new Map<string, readonly HostState[]>();

  constructor(hosts: readonly HostState[]) {
    this.#hosts = hosts;
    for (const host of hosts) {
      if (host.awaySince !== null) this.#since.set(siteOf(host), host.awaySince);
    }
    this.#here = this.#since.size === 0 ? hosts : hosts.filter(({ awaySince: at }) => at === null);
  }

  /** Undefined where it might run at a site that answers, or nowhere at all. */
  onlyWay(asks: readonly PlaceAsk[], how: "spread" | "pack"): Away | undefined {
    if (this.#since.size === 0) return undefined;
    if (couldEverFitTogether(this.#here, asks, how).placed) return undefined;
    const answer = couldEverFitTogether(this.#hosts, asks, how);
    if (!answer.placed) return undefined;
    const names = [...this.#since.keys()].filter((site) => this.#carries(site, asks, how));
    // Several together, where none of them alone has enough.
    const sites = (names.length === 0 ? [...this.#since.keys()] : names).toSorted();
    return { sites, since: Math.min(...sites.map((site) => this.#since.get(site) ?? Infinity)) };
  }

  #carries(site: string, asks: readonly PlaceAsk[], how: "spread" | "pack"): boolean {
    if (this.#since.size === 1) return true;
    const hosts =
      this.#with.get(site) ??
      this.#hosts.filter((host) => host.awaySince === null || siteOf(host) === site);
    this.#with.set(site, hosts);
    return couldEverFitTogether(hosts, asks, how).placed;
  }
}

export function siteAway(
  { sites, since }: Away,
  of: {
    readonly requestId: string;
    readonly kind: "lease" | "job";
    /** Its disk is there already. */
    readonly hasDisk: boolean;
  },
): Reason {
  const at = new Date(since).toISOString();
  const names = sites.join(", ");
  const details = { sites, since: at };
  if (of.hasDisk) {
    return {
      code: "site_away",
      message: `Its disk is at the site ${names}, which has not answered since ${at}. It starts by itself once the site answers; until then it is billed as stopped.`,
      details,
    };
  }
  const where =
    sites.length === 1
      ? `The site ${names} has not answered since ${at}, and what this needs is only there.`
      : `What this needs is only at the sites ${names}; none of them answers, the first since ${at}.`;
  const giveUp =
    of.kind === "lease"
      ? `millrace lease delete ${of.requestId}`
      : `millrace job cancel ${of.requestId}`;
  return {
    code: "site_away",
    message: `${where} It is placed by itself once that answers; no running time is billed before it starts. To give it up: ${giveUp}`,
    details,
  };
}
