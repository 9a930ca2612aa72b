/**
 * Random histories of a small cloud on paper: hosts of all sorts, asks, ends, stopped leases that come
 * back, lost and changed hosts. After each step the planner must agree with the plainest reading of
 * the same rules (place-oracle.ts), and nothing may be oversold.
 */
import { deepEqual, equal } from "node:assert/strict";

import type { PlaceAsk } from "#flow/place/ask.ts";
import type { HostState } from "#flow/place/host-state.ts";
import { Planner } from "#flow/place/planner.ts";

import { fits, isRight, oversold, statesOf, type Standing } from "./place-oracle.ts";
import { askOf, hostOf, type AskChoice, type HostChoice, type Step } from "./place-random.ts";

/** The planner with what it must agree with: the hosts, and all that stands on them. */
class World {
  hosts: HostState[];
  standing: Standing[] = [];
  readonly answers: unknown[] = [];
  /** What ended and may come back to where its disk is. */
  readonly #stopped: Standing[] = [];
  readonly #planner: Planner;
  /** Few, so that the same is asked for again after changes. */
  readonly #asks: readonly PlaceAsk[];

  constructor(hosts: readonly HostState[], asks: readonly PlaceAsk[]) {
    this.#asks = asks;
    this.hosts = [...hosts];
    this.#planner = new Planner(hosts);
  }

  do(next: Step, number: number): void {
    switch (next.do) {
      case "place":
        return this.#place(this.#ask(next.which));
      case "gang":
        return this.#gang(this.#ask(next.which), next.size, next.how);
      case "end":
        return this.#end(next.which);
      case "again":
        return this.#again(next.which);
      case "lose":
        return this.#lose(next.which);
      case "change":
        return this.#change(next.which, hostOf(next.host, `new${number}`));
      case "look":
        return this.#look();
    }
  }

  #ask(which: number): PlaceAsk {
    const of = this.#asks[which % this.#asks.length];
    if (of === undefined) throw new Error("there is something to ask for");
    return of;
  }

  expectSound(): void {
    deepEqual(oversold(statesOf(this.hosts, this.standing), this.standing), []);
  }

  #place(of: PlaceAsk): void {
    const before = statesOf(this.hosts, this.standing);
    const possible = before.some((each) => fits(before, each, of));
    const explained = this.#planner.explain(of);
    const answer = this.#planner.place(of);
    this.answers.push(answer.placed ? [answer.hostId, answer.deviceIds] : answer.reason);
    equal(answer.placed, possible);
    if (answer.placed) {
      equal(explained.code, "fits");
      equal(isRight(before, of, answer), true);
      this.standing.push({ ask: of, placed: answer });
      return;
    }
    deepEqual(answer.reason, explained);
    const counts = Object.values(explained.details?.["obstacles"] ?? {});
    equal(
      counts.reduce((sum: number, count) => sum + Number(count), 0),
      this.hosts.length,
    );
  }

  #gang(of: PlaceAsk, size: number, how: "spread" | "pack"): void {
    const asks = Array.from({ length: size }, () => of);
    const before = statesOf(this.hosts, this.standing);
    const answer = this.#planner.placeAll(asks, how);
    this.answers.push(answer.placed ? answer.members : answer);
    // With several slices each, which devices the first take decides about the last.
    const simple = (of.shape.gpu?.count ?? 1) === 1 || of.shape.gpu?.slice === 1;
    if (!answer.placed) {
      equal(answer.fitting < size, true);
      if (simple) equal(this.#gangSize(before, of, how) < size, true);
      return;
    }
    equal(answer.members.length, size);
    for (const placed of answer.members) {
      equal(isRight(statesOf(this.hosts, this.standing), of, placed), true);
      this.standing.push({ ask: of, placed });
    }
    const hostIds = new Set(answer.members.map(({ hostId }) => hostId));
    if (how === "spread") equal(hostIds.size, size);
    const pools = this.hosts.filter(({ id }) => hostIds.has(id)).map((each) => each.pool?.id);
    equal(new Set(pools).size, 1);
  }

  /** How many equal members find a place in one pool, on hosts where they cost the same, one after the other. */
  #gangSize(before: readonly HostState[], of: PlaceAsk, how: "spread" | "pack"): number {
    let most = 0;
    for (const members of Map.groupBy(before, partOf).values()) {
      const poolId = members[0]?.pool?.id;
      const alone = new Planner(before.filter(({ pool }) => pool?.id === poolId));
      const only = members.map(({ id }) => id);
      const standing: Standing[] = [];
      const not = new Set(of.not);
      for (let count = 1; ; count += 1) {
        const one = alone.place({ ...of, only, not: [...not] });
        if (!one.placed) break;
        standing.push({ ask: of, placed: one });
        if (how === "spread") not.add(one.hostId);
        most = Math.max(most, count);
      }
    }
    return most;
  }

  /** It gives back what it held; what the planner does not hold any more it sees at the next look. */
  #end(which: number): void {
    const [gone] = this.standing.splice(which % Math.max(1, this.standing.length), 1);
    if (gone === undefined) return;
    this.#stopped.push(gone);
    if (!this.#planner.release(gone.placed)) this.#look();
    equal(this.#planner.release(gone.placed), false);
  }

  /** A stopped lease starts where its disk is; its disk is held by nobody meanwhile, in this test. */
  #again(which: number): void {
    const [back] = this.#stopped.splice(which % Math.max(1, this.#stopped.length), 1);
    if (back === undefined) return;
    const { hostId, deviceIds } = back.placed;
    const { not: _, ...of } = back.ask;
    this.#place({
      ...of,
      shape: { ...of.shape, diskGiB: 0 },
      pinned: { hostId, deviceIds },
    });
  }

  #lose(which: number): void {
    const [lost] = this.hosts.splice(which % Math.max(1, this.hosts.length), 1);
    this.standing = this.standing.filter(({ placed }) => placed.hostId !== lost?.id);
    this.#look();
  }

  /** A host's settings change under what stands on it, or a host comes. */
  #change(which: number, to: HostState): void {
    const at = which % (this.hosts.length + 1);
    const old = this.hosts[at];
    if (old === undefined) this.hosts.push(to);
    else {
      const { up, schedulable, labels } = to;
      const sick = old.devices.map((each, i) => ({
        ...each,
        healthy: to.devices[i]?.healthy ?? each.healthy,
      }));
      this.hosts[at] = { ...old, up, schedulable, labels, devices: sick };
    }
    this.#look();
  }

  #look(): void {
    this.#planner.refresh(statesOf(this.hosts, this.standing));
  }
}

/** The answers, in order; throws where they are wrong. */
export function play(
  hosts: readonly HostChoice[],
  asks: readonly AskChoice[],
  steps: readonly Step[],
): readonly unknown[] {
  const world = new World(
    hosts.map((choice, i) => hostOf(choice, `h${i}`)),
    asks.map(askOf),
  );
  for (const [i, next] of steps.entries()) {
    world.do(next, i);
    world.expectSound();
  }
  return world.answers;
}

function partOf({ pool, machineCosts }: HostState): string {
  return JSON.stringify([pool?.id, machineCosts]);
}
