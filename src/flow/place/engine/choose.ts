/**
 * Which host? For each kind of request the scores of all hosts stand in a tournament; a decision
 * brings it up to date with the hosts that changed since this kind was asked for last, and reads off
 * the winner. So a decision costs the changes since, not the hosts, and the answer is the one of a
 * full scan: the highest score, the first slot among equals. The scores are those of a stranger; the
 * few hosts where this tenant finds more or less than one (tenants.ts) are looked at on their own.
 */
import { obstacleOn, spotOn } from "./feasible.ts";
import type { Fleet, Held, Spot } from "./fleet.ts";
import type { Kind } from "./kind.ts";
import type { Policy } from "./policy.ts";
import { stranger } from "./tenants.ts";
import { Tournament, unfit } from "./tournament.ts";

export interface Choice extends Spot {
  readonly slot: number;
  readonly score: number;
  /** The kind as this tenant's. */
  readonly kind: Kind;
}

export interface Where {
  /** Slots that are out of the question, or the only ones in question. Few. */
  readonly not?: readonly number[];
  readonly only?: readonly number[];
  readonly tenantId?: string | undefined;
}

type IsOut = (slot: number) => boolean;

interface Board {
  readonly scores: Tournament;
  /** Changes of the fleet that are in the scores. */
  read: number;
}

/** Kinds with a board, 8 bytes a host each; the one that is there longest gives way to a new one. */
const boardsMax = 512;

const none: readonly number[] = [];

export class Chooser {
  readonly #fleet: Fleet;
  readonly #policy: Policy;
  readonly #boards = new Map<Kind, Board>();
  /** Per slot the last round of catching up that looked at it. */
  #looked = new Uint32Array(0);
  #round = 0;

  constructor(fleet: Fleet, policy: Policy) {
    this.#fleet = fleet;
    this.#policy = policy;
  }

  /** Undefined where it fits nowhere now; `explain` says why. */
  choose(kind: Kind, where: Where = {}): Choice | undefined {
    const { tenants } = this.#fleet;
    const tenant = where.tenantId === undefined ? stranger : tenants.known(where.tenantId);
    const own = tenant === stranger ? kind : { ...kind, tenant };
    const begun = kind.gpuCount === 0 ? none : tenants.begun.of(tenant);
    const isOut = this.#isOut(own, where.not ?? none);
    let best =
      where.only === undefined
        ? this.#first(kind, either(isOut, begun))
        : { slot: -1, score: unfit };
    for (const slot of where.only ?? begun) {
      if (isOut?.(slot) === true) continue;
      const score = this.scoreOf(slot, own);
      if (score === unfit || score < best.score) continue;
      if (score > best.score || slot < best.slot) best = { slot, score };
    }
    return best.slot === -1 ? undefined : this.choiceOn(best.slot, own, best.score);
  }

  /** Chooses and takes it. */
  place(kind: Kind, where: Where = {}): Held | undefined {
    const choice = this.choose(kind, where);
    return choice && this.take(choice, where.tenantId);
  }

  take({ slot, kind, ...spot }: Choice, tenantId: string | undefined): Held {
    const { tenants } = this.#fleet;
    // From now on it holds something, so it has a number.
    const tenant = tenantId === undefined ? stranger : tenants.number(tenantId);
    return this.#fleet.place(slot, kind.tenant === tenant ? kind : { ...kind, tenant }, spot);
  }

  /** `unfit` where it does not fit. */
  scoreOf(slot: number, kind: Kind): number {
    // Most hosts of a full fleet fail here already; it is no rule of its own.
    const { free, gpus } = this.#fleet;
    if ((free.cpuMilli[slot] ?? 0) < kind.cpuMilli) return unfit;
    if ((gpus.freeSum[slot] ?? 0) < kind.gpuCount * kind.gpuMilli) return unfit;
    return obstacleOn(this.#fleet, slot, kind) === undefined
      ? this.#policy.score(slot, kind)
      : unfit;
  }

  choiceOn(slot: number, kind: Kind, score: number): Choice {
    const spot = spotOn(this.#fleet, slot, kind);
    const free = kind.gpuCount > 0 && !kind.linked && !kind.oneNode;
    const gpus = free ? this.#policy.gpus?.(slot, kind) : undefined;
    return { slot, score, kind, node: spot.node, gpus: gpus ?? spot.gpus };
  }

  /** Undefined where nothing is out of the question. */
  #isOut(kind: Kind, not: readonly number[]): IsOut | undefined {
    const { apart } = this.#fleet.tenants;
    const alone = kind.apart && apart.any(kind.tenant);
    if (!alone && not.length === 0) return undefined;
    return (slot) => not.includes(slot) || (alone && apart.has(kind.tenant, slot));
  }

  /** What is out of the question is hidden for one look at the board, as far as it comes up. */
  #first(kind: Kind, isOut: IsOut | undefined): { readonly slot: number; readonly score: number } {
    const { scores } = this.#upToDate(kind);
    const hidden: { readonly slot: number; readonly score: number }[] = [];
    let slot = scores.first();
    while (slot !== -1 && isOut?.(slot) === true) {
      hidden.push({ slot, score: scores.at(slot) });
      scores.set(slot, unfit);
      slot = scores.first();
    }
    const score = slot === -1 ? unfit : scores.at(slot);
    for (const each of hidden) scores.set(each.slot, each.score);
    return { slot, score };
  }

  #upToDate(kind: Kind): Board {
    const { changes, slots } = this.#fleet;
    let board = this.#boards.get(kind);
    if (board === undefined) {
      const [longest] = this.#boards.keys();
      if (longest !== undefined && this.#boards.size >= boardsMax) this.#boards.delete(longest);
      board = { scores: new Tournament(), read: -1 };
      this.#boards.set(kind, board);
    }
    const behind = changes.count - board.read;
    if (board.read < 0 || slots > board.scores.room || !changes.reaches(board.read)) {
      board.scores.fill(slots, (slot) => this.scoreOf(slot, kind));
    } else if (behind > 0) {
      this.#catchUp(board, kind);
    }
    board.read = changes.count;
    return board;
  }

  #catchUp({ scores, read }: Board, kind: Kind): void {
    const { changes } = this.#fleet;
    if (this.#looked.length < scores.room) {
      this.#looked = new Uint32Array(scores.room);
      this.#round = 0;
    }
    this.#round += 1;
    const [looked, round] = [this.#looked, this.#round];
    for (let number = read; number < changes.count; number += 1) {
      const slot = changes.at(number);
      if (looked[slot] === round) continue;
      looked[slot] = round;
      scores.set(slot, this.scoreOf(slot, kind));
    }
  }
}

function either(isOut: IsOut | undefined, slots: readonly number[]): IsOut | undefined {
  if (slots.length === 0) return isOut;
  return (slot) => slots.includes(slot) || isOut?.(slot) === true;
}
