/**
 * Which host? For each kind of request the scores of all hosts stand in a tournament; a decision
 * brings it up to date with the hosts that changed since this kind was asked for last, and reads off
 * the winner. So a decision costs the changes since, not the hosts, and the answer is the one of a
 * full scan: the highest score, the first slot among equals.
 */
import { obstacleOn, tightestGpus } from "./feasible.ts";
import type { Fleet, Held } from "./fleet.ts";
import type { Kind } from "./kind.ts";
import type { Policy } from "./policy.ts";
import { Tournament, unfit } from "./tournament.ts";

export interface Choice {
  readonly slot: number;
  readonly gpus: readonly number[];
}

/** Between requests: slots that are out of the question, or the only ones in question. Few. */
export interface Where {
  readonly not?: readonly number[];
  readonly only?: readonly number[];
}

interface Board {
  readonly scores: Tournament;
  /** Changes of the fleet that are in the scores. */
  read: number;
}

/** Kinds with a board, 8 bytes a host each; the one that is there longest gives way to a new one. */
const boardsMax = 512;

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
  choose(kind: Kind, { not = [], only }: Where = {}): Choice | undefined {
    const { scores } = this.#upToDate(kind);
    const slot = only === undefined ? firstWithout(scores, not) : firstAmong(scores, only, not);
    return slot === -1 ? undefined : { slot, gpus: this.#gpus(slot, kind) };
  }

  /** Chooses and takes it. */
  place(kind: Kind, where?: Where): Held | undefined {
    const choice = this.choose(kind, where);
    return choice && this.#fleet.place(choice.slot, kind, choice.gpus);
  }

  #gpus(slot: number, kind: Kind): number[] {
    if (kind.gpuCount === 0) return [];
    return this.#policy.gpus?.(slot, kind) ?? tightestGpus(this.#fleet, slot, kind);
  }

  #score(slot: number, kind: Kind): number {
    // Most hosts of a full fleet fail here already; it is no rule of its own.
    const { free, gpuFreeSum } = this.#fleet;
    if ((free.cpuMilli[slot] ?? 0) < kind.cpuMilli) return unfit;
    if ((gpuFreeSum[slot] ?? 0) < kind.gpuCount * kind.gpuMilli) return unfit;
    return obstacleOn(this.#fleet, slot, kind) === undefined
      ? this.#policy.score(slot, kind)
      : unfit;
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
      board.scores.fill(slots, (slot) => this.#score(slot, kind));
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
      scores.set(slot, this.#score(slot, kind));
    }
  }
}

/** The slots are hidden for one look at the board. */
function firstWithout(scores: Tournament, not: readonly number[]): number {
  const hidden = [...new Set(not)].map((slot) => ({ slot, score: scores.at(slot) }));
  for (const { slot } of hidden) scores.set(slot, unfit);
  const first = scores.first();
  for (const { slot, score } of hidden) scores.set(slot, score);
  return first;
}

function firstAmong(scores: Tournament, only: readonly number[], not: readonly number[]): number {
  let first = -1;
  for (const slot of only.toSorted((a, b) => a - b)) {
    if (not.includes(slot) || scores.at(slot) === unfit) continue;
    if (first === -1 || scores.at(slot) > scores.at(first)) first = slot;
  }
  return first;
}
