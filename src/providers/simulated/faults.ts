/**
 * What can go wrong on demand, as a test or a demonstration asks for it. Everything here happens
 * once and then is over; what lasts (a host that is down, a machine that crashed) is in the world.
 */
import { ProviderError, type ProviderErrorCode } from "#providers/provider.ts";

export type Mutation =
  | "create"
  | "power"
  | "interrupt"
  | "resize"
  | "move"
  | "delete"
  | "snapshot"
  | "revert"
  | "deleteSnapshot"
  | "dropKept";

/** `info` is what the platform says of itself, `read` any other look. */
export type CallName = Mutation | "info" | "read";

export interface NextFailure {
  readonly code: ProviderErrorCode;
  /**
   * `none`: it did not happen and the driver knows. `done`: it happened and the driver knows.
   * `maybe_none`, `maybe_done`: the driver cannot tell (effect `maybe`) and it did not, or did.
   * `accepted`: the call succeeds and the operation then fails, with nothing to show for it.
   */
  readonly effect: "none" | "done" | "maybe_none" | "maybe_done" | "accepted";
}

export class Faults {
  readonly #failures = new Map<CallName, NextFailure[]>();
  readonly #delays = new Map<CallName, number[]>();
  #incomplete: (readonly string[])[] = [];
  #eventsToLose = 0;

  failNext(call: CallName, failure: NextFailure): void {
    queue(this.#failures, call).push(failure);
  }

  /** The next such call takes that much longer before anything happens. */
  slowNext(call: CallName, ms: number): void {
    queue(this.#delays, call).push(ms);
  }

  /** The next listing cannot read these hosts: it leaves out what is there, and says so. */
  incompleteNext(hostIds: readonly string[]): void {
    this.#incomplete.push(hostIds);
  }

  /** The next so many changes are told to nobody. */
  loseEvents(count: number): void {
    this.#eventsToLose += count;
  }

  takeFailure(call: CallName): NextFailure | undefined {
    return this.#failures.get(call)?.shift();
  }

  takeDelayMs(call: CallName): number {
    return this.#delays.get(call)?.shift() ?? 0;
  }

  takeIncomplete(): readonly string[] {
    return this.#incomplete.shift() ?? [];
  }

  takeLostEvent(): boolean {
    if (this.#eventsToLose === 0) return false;
    this.#eventsToLose -= 1;
    return true;
  }
}

export function thrown({ code, effect }: NextFailure): ProviderError {
  const told = effect === "none" || effect === "done" ? effect : "maybe";
  return new ProviderError(code, `[simulated] fault on demand: ${code}, effect ${effect}`, {
    effect: told,
  });
}

function queue<T>(queues: Map<CallName, T[]>, call: CallName): T[] {
  const existing = queues.get(call);
  if (existing !== undefined) return existing;
  const fresh: T[] = [];
  queues.set(call, fresh);
  return fresh;
}
