/**
 * The hosts on paper: places asks one after the other and holds what it placed, so that a whole pass
 * over the queue is planned without a look at the database. What must stay true: it holds no more
 * than the hosts have; the same hosts and asks give the same answers; what it answers is a plan, and
 * the commit checks again. Hosts of a pool on which a machine costs another amount beside what it was
 * sold are looked at as a pool of their own: an engine knows one size for each kind.
 */
import type { Reason } from "#kernel/reason.ts";

import type { GangAnswer, PlaceAnswer, PlaceAsk, Placed, Refused } from "./ask.ts";
import { askedOf } from "./asked.ts";
import type { Asked } from "./demand.ts";
import type { Choice } from "./engine/choose.ts";
import type { Held } from "./engine/fleet.ts";
import type { PolicyName } from "./engine/policies.ts";
import type { HostState } from "./host-state.ts";
import { Pool } from "./pool.ts";
import { refusalOf, senseless } from "./refusal.ts";
import { ordinaryRoom } from "./reserve.ts";
import { rankOf, wallOf } from "./walls.ts";

export const gangMax = 1024;

/** The key of hosts that are in no pool. */
const outside = "";

export class Planner {
  readonly policy: PolicyName;
  readonly #history: readonly Asked[];
  readonly #pools = new Map<string, Pool>();
  readonly #held = new Map<
    Placed,
    { readonly pool: Pool; readonly held: Held; readonly ask: PlaceAsk }
  >();

  /** `history`: shapes of requests of the past, for policies that ask what is usual. */
  constructor(
    hosts: readonly HostState[],
    policy: PolicyName = "balance",
    history: readonly Asked[] = [],
  ) {
    this.policy = policy;
    this.#history = history;
    this.refresh(hosts);
  }

  /**
   * The hosts are as given; what was held on paper is in them or forgotten. What is as it was costs
   * nothing: hosts keep their places and their scores.
   */
  refresh(hosts: readonly HostState[]): void {
    this.#held.clear();
    const rooms = ordinaryRoom(hosts);
    const parts = Map.groupBy(hosts, partOf);
    for (const [part, pool] of this.#pools) {
      if (!parts.has(part)) pool.refresh(pool.state, [], undefined);
    }
    for (const [part, members] of parts) {
      const { pool: state = null, machineCosts: costs = null } = members[0] ?? {};
      const pool = this.#pools.get(part) ?? new Pool({ state, costs }, this.policy, this.#history);
      this.#pools.set(part, pool);
      pool.refresh(state, members, rooms.get(state?.id ?? outside));
    }
  }

  /** Decides, and holds it. */
  place(ask: PlaceAsk): PlaceAnswer {
    const problem = problemOf(ask);
    if (problem !== undefined) return { placed: false, reason: problem };
    const best = this.#choose(ask);
    if (best === undefined) return this.#refused(ask);
    return this.#take(best.pool, best.choice, ask);
  }

  /**
   * All or none, and all in one part of a pool: `spread` puts each on a host of its own, `pack` keeps to hosts
   * that the others have, as long as they have room.
   */
  placeAll(asks: readonly PlaceAsk[], how: "spread" | "pack"): GangAnswer {
    const [first] = asks;
    if (first === undefined || asks.length > gangMax) {
      const reason = senseless(`A gang has 1 to ${gangMax} members, not ${asks.length}.`);
      return { placed: false, reason, fitting: 0 };
    }
    const problem = asks.map(problemOf).find((each) => each !== undefined);
    if (problem !== undefined) return { placed: false, reason: problem, fitting: 0 };
    let most: { readonly fitting: number; readonly reason: Reason } | undefined;
    for (const pool of [...this.#pools.values()].toSorted(
      (a, b) => rankOf(a.state) - rankOf(b.state),
    )) {
      if (asks.some((ask) => wallOf(pool.state, ask) !== undefined)) continue;
      const tried = this.#placeAllIn(pool, asks, how);
      if ("members" in tried) return { placed: true, members: tried.members };
      if (tried.fitting > (most?.fitting ?? -1)) most = tried;
    }
    return { placed: false, fitting: 0, reason: this.explain(first), ...most };
  }

  /** Gives back what `place` or `placeAll` answered; false where it is not held any more. */
  release(placed: Placed): boolean {
    const known = this.#held.get(placed);
    if (known === undefined) return false;
    this.#held.delete(placed);
    return known.pool.release(known.held, known.ask);
  }

  /** Why nowhere: the obstacles with their counts, and what the nearest host lacks. */
  explain(ask: PlaceAsk): Reason {
    const problem = problemOf(ask);
    if (problem !== undefined) return problem;
    if (this.#choose(ask) !== undefined) {
      return { code: "fits", message: "There is room for it now." };
    }
    return refusalOf([...this.#pools.values()], ask);
  }

  /** A reason is a look at all hosts, so it is made when somebody reads it. */
  #refused(ask: PlaceAsk): Refused {
    const explained = (): Reason => this.explain(ask);
    let reason: Reason | undefined;
    return {
      placed: false,
      get reason() {
        reason ??= explained();
        return reason;
      },
    };
  }

  #choose(ask: PlaceAsk): { readonly pool: Pool; readonly choice: Choice } | undefined {
    let best: { readonly pool: Pool; readonly choice: Choice; readonly rank: number } | undefined;
    for (const pool of this.#pools.values()) {
      const rank = rankOf(pool.state);
      if (best !== undefined && rank > best.rank) continue;
      if (wallOf(pool.state, ask) !== undefined) continue;
      const choice = pool.choose(pool.look(ask));
      if (choice === undefined) continue;
      const better =
        rank < (best?.rank ?? Infinity) || choice.score > (best?.choice.score ?? -Infinity);
      if (better) best = { pool, choice, rank };
    }
    return best;
  }

  #take(pool: Pool, choice: Choice, ask: PlaceAsk): Placed {
    const held = pool.take(choice, ask);
    const { hostId, deviceIds } = pool.idsOf(held);
    const numaNode = held.node === -1 ? null : held.node;
    const placed: Placed = { placed: true, hostId, deviceIds, numaNode };
    this.#held.set(placed, { pool, held, ask });
    return placed;
  }

  #placeAllIn(
    pool: Pool,
    asks: readonly PlaceAsk[],
    how: "spread" | "pack",
  ): { readonly members: Placed[] } | { readonly fitting: number; readonly reason: Reason } {
    const members: Placed[] = [];
    const hostIds = new Set<string>();
    for (const ask of asks) {
      const choice = how === "spread" ? apart(ask) : (beside(ask) ?? pool.choose(pool.look(ask)));
      if (choice === undefined) {
        const reason = refusalOf([pool], how === "spread" ? without(ask) : ask);
        for (const member of members.toReversed()) this.release(member);
        return { fitting: members.length, reason };
      }
      const placed = this.#take(pool, choice, ask);
      hostIds.add(placed.hostId);
      members.push(placed);
    }
    return { members };

    function without(ask: PlaceAsk): PlaceAsk {
      return { ...ask, not: [...(ask.not ?? []), ...hostIds] };
    }
    function apart(ask: PlaceAsk): Choice | undefined {
      return pool.choose(pool.look(without(ask)));
    }
    function beside(ask: PlaceAsk): Choice | undefined {
      const only = [...hostIds].filter((id) => ask.only?.includes(id) ?? true);
      return pool.choose(pool.look({ ...ask, only }));
    }
  }
}

/** Hosts of one pool on which a machine costs the same. */
function partOf({ pool, machineCosts }: HostState): string {
  const id = pool?.id ?? outside;
  return machineCosts === null ? id : `${id} ${JSON.stringify(machineCosts)}`;
}

/** What is senseless about it, whatever the hosts are. */
function problemOf(ask: PlaceAsk): Reason | undefined {
  const { problem } = askedOf(ask);
  if (problem !== undefined) return senseless(problem);
  const { only, not = [], pinned } = ask;
  if (only !== undefined && only.every((id) => not.includes(id))) {
    return senseless("Every host that it may go to is one that it must keep away from.");
  }
  if (pinned !== undefined && not.includes(pinned.hostId)) {
    return senseless("It must keep away from the host of its disk.");
  }
  return undefined;
}
