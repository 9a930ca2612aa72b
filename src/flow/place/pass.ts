/**
 * One pass over the queue on paper: the policy says who may start, the planner finds where. Pure but
 * for the planner, which holds what it places. What must stay true: what the policy lets start and
 * no host takes (another dimension is short) keeps nobody else from starting; the policy is asked
 * again without it, a bounded number of times.
 */
import { reasonOf } from "#flow/queue/explain.ts";
import { spent } from "#flow/queue/limits.ts";
import { milliRules, plan } from "#flow/queue/policy.ts";
import { unitsOf, unitsPerWhole } from "#flow/queue/snapshot.ts";
import type { Plan, RunningWork, Snapshot, Start, Waiting, Where } from "#flow/queue/work.ts";
import type { Reason } from "#kernel/reason.ts";

import type { GangAnswer, PlaceAsk, Placed } from "./ask.ts";
import type { Group, Member } from "./asks.ts";
import { isSocial, Neighbors, placedAs } from "./neighbors.ts";
import type { Planner } from "./planner.ts";

/** Each excludes one kind of work at least, or is the last. */
const roundsMax = 24;

export interface Found {
  readonly group: Group;
  readonly starts: readonly { readonly member: Member; readonly placed: Placed }[];
  readonly aroundReservationAt: number | undefined;
  readonly dueAt: number | undefined;
}

export interface Passed {
  readonly found: readonly Found[];
  /** Everything that does not start. */
  readonly waiting: readonly { readonly group: Group; readonly reason: Reason }[];
  /** The last plan, and what it was made from: nothing in it starts any more. */
  readonly plan: Plan;
  readonly snapshot: Snapshot;
  /** Some may start yet: the rounds were over. */
  readonly cut: boolean;
}

/** The product's own policy. */
export function usualPlan(snapshot: Snapshot): Plan {
  return plan(snapshot, milliRules);
}

export interface PassHow {
  /** Another policy, for comparison. */
  readonly planned?: (snapshot: Snapshot) => Plan;
  /** What lies where; those that are placed on paper are added. */
  readonly neighbors?: Neighbors;
}

export function planPass(
  groups: readonly Group[],
  snapshot: Omit<Snapshot, "waiting">,
  planner: Planner,
  { planned = usualPlan, neighbors = new Neighbors() }: PassHow = {},
): Passed {
  const pass = new Pass(groups, snapshot, { planner, planned, neighbors });
  for (let round = 1; ; round += 1) {
    const { misfits } = pass.round();
    if (misfits === 0 || round === roundsMax) return pass.result(misfits > 0);
  }
}

class Pass {
  readonly #planner: Planner;
  readonly #planned: (snapshot: Snapshot) => Plan;
  readonly #neighbors: Neighbors;
  readonly #base: Omit<Snapshot, "waiting">;
  readonly #groups: ReadonlyMap<string, Group>;
  readonly #found: Found[] = [];
  readonly #started = new Set<string>();
  readonly #running: RunningWork[];
  /** Kinds that no host takes now: room only shrinks during a pass. */
  readonly #unfit = new Map<string, Reason>();
  /** Work that found no host because of what was placed in this pass: its kind may have one. */
  readonly #crowded = new Map<string, Reason>();
  /** How many of a gang fit, by kind, once nothing starts any more. */
  readonly #fits = new Map<string, Fitting>();
  /** Hosts that did not take a kind though the policy saw room there, and how often. */
  readonly #missed = new Map<string, Map<string, number>>();
  #made: Plan = { starts: [], reservations: [], waiting: [] };
  #snapshot: Snapshot;

  constructor(
    groups: readonly Group[],
    snapshot: Omit<Snapshot, "waiting">,
    by: Required<PassHow> & { readonly planner: Planner },
  ) {
    this.#planner = by.planner;
    this.#neighbors = by.neighbors;
    this.#planned = by.planned;
    this.#base = snapshot;
    this.#groups = new Map(groups.map((group) => [group.work.id, group]));
    this.#running = [...snapshot.running];
    this.#snapshot = { ...snapshot, waiting: [] };
  }

  round(): { misfits: number } {
    const waiting = [...this.#groups.values()].filter(
      ({ work, kind }) =>
        !this.#started.has(work.id) && !this.#unfit.has(kind) && !this.#crowded.has(work.id),
    );
    this.#snapshot = {
      ...this.#base,
      waiting: waiting.map(({ work, kind }) => this.#narrowed(work, kind)),
      running: this.#running,
      limits: spent(
        this.#base,
        this.#found.map(({ group }) => group.work),
      ),
    };
    this.#made = this.#planned(this.#snapshot);
    let misfits = 0;
    for (const start of this.#made.starts) {
      const group = this.#groups.get(start.id);
      if (group === undefined || this.#unfit.has(group.kind)) continue;
      if (!this.#start(group, start)) misfits += 1;
    }
    return { misfits };
  }

  result(cut: boolean): Passed {
    const planned = new Map(this.#made.waiting.map((one) => [one.id, one]));
    const explained = new Map<string, Reason>();
    const waiting = [...this.#groups.values()]
      .filter(({ work }) => !this.#started.has(work.id))
      .map((group) => ({
        group,
        reason: this.#reason(group, planned.get(group.work.id), explained),
      }));
    return { found: this.#found, waiting, plan: this.#made, snapshot: this.#snapshot, cut };
  }

  /** Work that passes a reservation takes the hosts that the policy chose; other work any. */
  #start(group: Group, { parts, aroundReservationAt, dueAt }: Start): boolean {
    const hostIds = parts.map(({ hostId }) => hostId);
    const only = aroundReservationAt === undefined ? undefined : hostIds;
    const asked = group.members.map((member) => this.#askOf(member));
    const asks = asked.map((ask) => ({
      ...ask,
      ...(only === undefined
        ? {}
        : { only: ask.only === undefined ? only : only.filter((id) => ask.only?.includes(id)) }),
    }));
    const isChanged = asked.some((ask, at) => ask !== group.members[at]?.ask);
    const [first] = asks;
    if (first === undefined) return true;
    const how = group.members[0]?.entry.gangHow ?? "pack";
    const answer = asks.length === 1 ? this.#planner.place(first) : this.#planTogether(asks, how);
    if (!answer.placed) {
      const { reason } = answer;
      if (isChanged) this.#crowded.set(group.work.id, reason);
      else if (only === undefined) this.#unfit.set(group.kind, reason);
      else this.#miss(group.kind, hostIds);
      return false;
    }
    const placed = "members" in answer ? answer.members : [answer];
    const starts = group.members.flatMap((member, i) => {
      const where = placed[i];
      return where === undefined ? [] : [{ member, placed: where }];
    });
    this.#found.push({ group, starts, aroundReservationAt, dueAt });
    this.#started.add(group.work.id);
    for (const { member, placed: where } of starts) {
      if (isSocial(member.entry)) this.#neighbors.add(placedAs(member.entry, where.hostId));
    }
    const { work } = group;
    this.#running.push({
      id: work.id,
      tenantId: work.tenantId,
      projectId: work.projectId,
      pool: work.pool,
      parts: starts.map(({ member, placed: { hostId } }) => ({
        hostId,
        units: unitsOf(member.ask.shape),
      })),
      endsAt: this.#base.now + work.estimateMs,
    });
    return true;
  }

  #planTogether(asks: readonly PlaceAsk[], how: "spread" | "pack"): GangAnswer {
    const answer = this.#planner.placeAll(asks, how);
    return answer.placed ? answer : { ...answer, reason: together(answer, asks.length) };
  }

  /** How many of its members would fit now, and why not more. */
  #fitting({ members, kind }: Group): Fitting {
    const known = this.#fits.get(kind);
    if (known !== undefined) return known;
    const asks = members.map((member) => this.#askOf(member));
    const answer = this.#planner.placeAll(asks, members[0]?.entry.gangHow ?? "pack");
    const fitting = answer.placed
      ? { fitting: asks.length, reason: undefined }
      : { fitting: answer.fitting, reason: together(answer, asks.length) };
    if (answer.placed) {
      for (const placed of answer.members.toReversed()) this.#planner.release(placed);
    }
    this.#fits.set(kind, fitting);
    return fitting;
  }

  /** As it was asked, unless a neighbor of it was placed since. */
  #askOf({ entry, ask }: Member): PlaceAsk {
    if (!isSocial(entry)) return ask;
    const around = this.#neighbors.around(entry);
    if (around === undefined) return ask;
    const { only, not } = around;
    if (alike(only, ask.only) && alike(not, ask.not ?? [])) return ask;
    return { ...ask, not, ...(only === undefined ? {} : { only }) };
  }

  #miss(kind: string, hostIds: readonly string[]): void {
    const missed = this.#missed.get(kind) ?? new Map<string, number>();
    this.#missed.set(kind, missed);
    for (const id of hostIds) missed.set(id, (missed.get(id) ?? 0) + 1);
  }

  /** The first miss may come of a plan that others have overtaken; the second is the host's. */
  #narrowed(work: Group["work"], kind: string): Group["work"] {
    const missed = this.#missed.get(kind);
    const out = [...(missed ?? [])].filter(([, times]) => times > 1).map(([id]) => id);
    if (work.where === undefined || out.length === 0) return work;
    const hostIds = new Set(work.where.hostIds);
    for (const id of out) hostIds.delete(id);
    return {
      ...work,
      where: { key: `${work.where.key} without ${out.join()}`, hostIds } satisfies Where,
    };
  }

  #reason(group: Group, planned: Waiting | undefined, explained: Map<string, Reason>): Reason {
    const unfit = this.#crowded.get(group.work.id) ?? this.#unfit.get(group.kind);
    if (unfit !== undefined) return unfit;
    if (planned === undefined) return beingPlanned;
    const { kind } = planned.obstacle;
    const [first] = group.members;
    if (group.members.length > 1 && kind !== "limit" && kind !== "senseless") {
      const { fitting, reason } = this.#fitting(group);
      if (reason !== undefined && kind === "full") return reason;
      return withFitting(reasonOf(planned, unitsPerWhole), group.members.length, fitting);
    }
    // Of what has no room, the planner knows which of its dimensions is short where.
    if ((kind === "full" || kind === "never") && group.members.length === 1 && first) {
      let reason = explained.get(group.kind);
      if (reason === undefined) {
        reason = this.#planner.explain(first.ask);
        explained.set(group.kind, reason);
      }
      if (reason.code !== "fits") return reason;
    }
    return reasonOf(planned, unitsPerWhole);
  }
}

interface Fitting {
  readonly fitting: number;
  /** Undefined if all of them would fit. */
  readonly reason: Reason | undefined;
}

function withFitting({ code, message, details }: Reason, members: number, fitting: number): Reason {
  return {
    code,
    message: `${message} Of its ${members} members ${fitting} would fit now.`,
    details: { ...details, members, fitting },
  };
}

/** Why a gang found no room, with how many of it did. */
function together(
  { reason, fitting }: { readonly reason: Reason; readonly fitting: number },
  members: number,
): Reason {
  const { code, message, details } = reason;
  return {
    code,
    message: `Its ${members} members start together, and ${fitting} of them would fit now. ${message}`,
    details: { ...details, members, fitting },
  };
}

function alike(one: readonly string[] | undefined, two: readonly string[] | undefined): boolean {
  return one?.length === two?.length && (one ?? []).every((id) => two?.includes(id) === true);
}

const beingPlanned: Reason = {
  code: "being_planned",
  message: "It may start in a moment: the last look at the queue ended before its turn.",
};
