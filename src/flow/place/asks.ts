/**
 * From entries that wait to what can be asked of the policy and the planner: stopped leases pinned to
 * the host of their disk, gangs together, affinity as hosts; and what only a site could carry that does
 * not answer. Pure.
 */
import { workOf } from "#flow/queue/snapshot.ts";
import type { WaitingEntry } from "#flow/queue/store.ts";
import type { QueuedWork } from "#flow/queue/work.ts";
import type { Reason } from "#kernel/reason.ts";

import type { PlaceAsk } from "./ask.ts";
import { Eligibility } from "./eligible.ts";
import { AwaySites, siteAway, type Away } from "./away.ts";
import { siteOf, type HostState } from "./host-state.ts";
import type { Neighbors } from "./neighbors.ts";
import { pinnedBy, type HeldPlacement } from "./store.ts";

/** What starts as a whole: one entry, or the members of a gang. */
export interface Group {
  readonly work: QueuedWork;
  readonly members: readonly Member[];
  /** Equal for groups that fit the same hosts at any moment. */
  readonly kind: string;
}

export interface Member {
  readonly entry: WaitingEntry;
  readonly ask: PlaceAsk;
}

export interface Unready {
  readonly entry: WaitingEntry;
  readonly reason: Reason;
}

export interface Asks {
  readonly groups: readonly Group[];
  /** That cannot be asked for yet. */
  readonly unready: readonly Unready[];
}

export interface AsksInput {
  readonly entries: readonly WaitingEntry[];
  readonly hosts: readonly HostState[];
  readonly held: ReadonlyMap<string, HeldPlacement>;
  /** Where that lies which some entry wants to be near to or apart from. */
  readonly neighbors: Neighbors;
}

export function asksOf(input: AsksInput): Asks {
  const eligibility = new Eligibility(input.hosts);
  const sites = new SiteHosts(input.hosts);
  const away = new AwayWork(input);
  const groups: Group[] = [];
  const unready: Unready[] = [];
  const add = (group: Group): void => {
    const kept = away.of(group);
    if (kept === undefined) groups.push(group);
    else unready.push(...kept);
  };
  const downHosts = new Map(input.hosts.flatMap(({ id, name, up }) => (up ? [] : [[id, name]])));
  const gangs = new Map<string, WaitingEntry[]>();
  for (const entry of input.entries) {
    // Asked to start while it is still stopping: its turn comes once it has given back the last.
    if (input.held.get(entry.requestId)?.state === "full") continue;
    if (entry.gangId !== null) {
      const gang = gangs.get(entry.gangId);
      if (gang === undefined) gangs.set(entry.gangId, [entry]);
      else gang.push(entry);
      continue;
    }
    const ask = askOf(entry, input, sites);
    const down = ask?.pinned === undefined ? undefined : downHosts.get(ask.pinned.hostId);
    if (ask === undefined) unready.push({ entry, reason: notThereYet });
    else if (down !== undefined) unready.push({ entry, reason: hostOfDiskIsDown(down) });
    else add(groupOf(entry.requestId, [{ entry, ask }], eligibility));
  }
  for (const [id, entries] of gangs) {
    const members = entries
      .toSorted((a, b) => (a.requestId < b.requestId ? -1 : 1))
      .flatMap((entry) => {
        const ask = askOf(entry, input, sites);
        return ask === undefined ? [] : [{ entry, ask }];
      });
    const size = entries[0]?.gangSize ?? 0;
    if (members.length === size) add(groupOf(id, members, eligibility));
    else {
      const reason = entries.length === size ? notThereYet : incomplete(entries.length, size);
      unready.push(...entries.map((entry) => ({ entry, reason })));
    }
  }
  return { groups, unready };
}

/** What waits for a site to answer is out of the line: nothing that ends would help it. */
class AwayWork {
  readonly #sites: AwaySites;
  readonly #held: AsksInput["held"];
  /** By kind of the group. */
  readonly #known = new Map<string, Away | undefined>();

  constructor({ hosts, held }: AsksInput) {
    this.#sites = new AwaySites(hosts);
    this.#held = held;
  }

  of({ members, kind }: Group): readonly Unready[] | undefined {
    if (!this.#known.has(kind)) {
      const how = members[0]?.entry.gangHow ?? "pack";
      const asks = members.map(({ ask }) => ask);
      this.#known.set(kind, this.#sites.onlyWay(asks, how));
    }
    const away = this.#known.get(kind);
    if (away === undefined) return undefined;
    return members.map(({ entry }) => {
      const { requestId, kind: of } = entry;
      const hasDisk = this.#held.has(requestId);
      return { entry, reason: siteAway(away, { requestId, kind: of, hasDisk }) };
    });
  }
}

const notThereYet: Reason = {
  code: "near_not_placed",
  message: "It is to run beside work that has no host now.",
};

function hostOfDiskIsDown(host: string): Reason {
  return {
    code: "host_down",
    message: `Its disk is on ${host}, which is out of service; it cannot go elsewhere, and starts when the host is back.`,
    details: { host },
  };
}

function incomplete(there: number, size: number): Reason {
  return {
    code: "gang_incomplete",
    message: `Its ${size} members start together; ${there} of them are in line, the others have not given back yet what they had.`,
    details: { members: size, ready: there },
  };
}

/** Undefined as long as what it wants to be near to is nowhere. */
function askOf(
  entry: WaitingEntry,
  { held, neighbors }: Pick<AsksInput, "held" | "neighbors">,
  sites: SiteHosts,
): PlaceAsk | undefined {
  const { tenantId, kind, shape, image, afterFault } = entry;
  const holds = held.get(entry.requestId);
  const around = neighbors.around(entry);
  if (around === undefined) return undefined;
  const { not } = around;
  const only = holds?.anywhere === true ? within(sites.of(holds.site), around.only) : around.only;
  return {
    tenantId,
    kind,
    shape,
    ...(image === undefined || holds !== undefined ? {} : { image }),
    ...pinnedBy(holds),
    ...(only === undefined ? {} : { only }),
    ...(not.length === 0 ? {} : { not }),
    ...(afterFault ? { afterFault } : {}),
  };
}

/** Ids of the hosts of a site, made once for each that is asked for. */
class SiteHosts {
  readonly #hosts: readonly HostState[];
  readonly #known = new Map<string, readonly string[]>();

  constructor(hosts: readonly HostState[]) {
    this.#hosts = hosts;
  }

  of(site: string): readonly string[] {
    const known = this.#known.get(site);
    if (known !== undefined) return known;
    const ids = this.#hosts.filter((host) => siteOf(host) === site).map(({ id }) => id);
    this.#known.set(site, ids);
    return ids;
  }
}

function within(ids: readonly string[], only: readonly string[] | undefined): readonly string[] {
  return only === undefined ? ids : ids.filter((id) => only.includes(id));
}

function groupOf(id: string, members: readonly Member[], eligibility: Eligibility): Group {
  const [first] = members;
  if (first === undefined) throw new RangeError("a group has members");
  const where = eligibility.of(first.ask);
  const pinned = first.ask.pinned !== undefined;
  const work = workOf({ id, entries: members.map(({ entry }) => entry), where, pinned });
  const shapes = members.map(({ ask }) => `${numberOf(ask.shape)}`).join(" ");
  const alone = pinned ? id : "";
  return { work, members, kind: `${where.key} ${shapes} ${first.ask.afterFault ?? ""} ${alone}` };
}

/** Equal shapes are one object (queue/store.ts), so its number is a short key. */
const numbers = new WeakMap<object, number>();
let numbered = 0;

function numberOf(shape: object): number {
  let number = numbers.get(shape);
  if (number === undefined) {
    numbered += 1;
    number = numbered;
    numbers.set(shape, number);
  }
  return number;
}
