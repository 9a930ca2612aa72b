/**
 * The platform behind the simulated driver: the one place that reads and writes the world. It
 * stands for the vCenter or the cluster that goes on while the control plane restarts, so a driver
 * may be closed and another opened on the same platform (or on the same directory).
 *
 * Every change is one transaction over the whole world: two callers can never be given one GPU.
 */
import {
  ProviderError,
  type EvictedBy,
  type OperationRef,
  type Owner,
} from "#providers/provider.ts";

import { advance, nextChangeAt } from "./advance.ts";
import { holdsCompute } from "./capacity.ts";
import { systemClock, type Clock } from "./clock.ts";
import { Conditions } from "./conditions.ts";
import { Faults } from "./faults.ts";
import type { SimulatedHost } from "./hosts.ts";
import { refused } from "./guard.ts";
import { Loads, type Load } from "./loads.ts";
import { crashed, evicted, hung, programEnded, shutDownByGuest, type Latencies } from "./mutate.ts";
import { DirectoryStore, MemoryStore, type Store } from "./store.ts";
import { operationsMax, type MachineState, type OperationState, type World } from "./world.ts";

export interface PlatformOptions {
  readonly site: string;
  readonly hosts: readonly SimulatedHost[];
  /** Where the world is kept; without it, in memory, and gone with this object. */
  readonly directory?: string;
  readonly clock?: Clock;
  readonly latencies?: Partial<Latencies>;
}

export interface Asked {
  readonly operationId: string;
  readonly machineId: string;
  readonly owner: Owner;
  /** What is asked, in words; a repeat of the operation id must ask the same. */
  readonly kind: string;
}

export interface Decided {
  /** `undefined` takes the machine away. */
  readonly machine: MachineState | undefined;
  readonly takesMs: number;
  readonly note: string;
  readonly failure?: OperationState["failure"];
  /** All snapshots that outlived their machines, where that changes. */
  readonly kept?: World["kept"];
}

/** The world as a decision sees it: all of one version, which is what it is then applied to. */
export interface View {
  readonly now: number;
  readonly machine: MachineState | undefined;
  readonly hostDown: (hostId: string) => boolean;
  /** The other machines of a host. */
  readonly beside: (hostId: string) => readonly MachineState[];
  readonly kept: World["kept"];
  /** As they were when each was last acted on. */
  readonly machines: World["machines"];
}

export class SimulatedPlatform {
  readonly site: string;
  readonly hosts: readonly SimulatedHost[];
  readonly latencies: Latencies;
  readonly clock: Clock;
  readonly faults = new Faults();
  readonly conditions = new Conditions();
  readonly loads = new Loads();
  /** Whether another process may change the world behind our back. */
  readonly shared: boolean;
  readonly #store: Store;
  #skewMs = 0;
  #latest = 0;
  #changed = new AbortController();

  constructor(options: PlatformOptions) {
    this.site = options.site;
    this.hosts = options.hosts;
    this.clock = options.clock ?? systemClock;
    this.latencies = { createMs: 200, bootMs: 600, shutdownMs: 300, ...options.latencies };
    this.shared = options.directory !== undefined;
    this.#store =
      options.directory === undefined ? new MemoryStore() : new DirectoryStore(options.directory);
  }

  /** Aborts at the next change that this object makes. */
  get changed(): AbortSignal {
    return this.#changed.signal;
  }

  now(): number {
    return this.#nowOf(this.#world);
  }

  machines(): readonly MachineState[] {
    return [...this.#caughtUp([...this.#world.machines.keys()]).values()];
  }

  machine(id: string): MachineState | undefined {
    return this.#caughtUp([id]).get(id);
  }

  operation(id: string): OperationState | undefined {
    const operation = this.#world.operations.get(id);
    // With its machine, so that the two never tell different stories.
    if (operation !== undefined) this.#caughtUp([operation.machineId]);
    return operation;
  }

  hostDownSince(hostId: string): number | undefined {
    return this.#world.hostsDown.get(hostId);
  }

  /** Milliseconds until some machine changes by itself. */
  quietMs(): number {
    const world = this.#world;
    const now = this.#nowOf(world);
    const times = [...world.machines.values()]
      .filter((machine) => !world.hostsDown.has(machine.spec.hostId))
      .map((machine) => nextChangeAt(this.#seen(machine, world, now)) ?? Infinity);
    return times.reduce((a, b) => Math.min(a, b), Infinity) - now;
  }

  /**
   * Carries out an operation once: the same operation id again returns the same handle and asks
   * `decide` nothing. What `decide` throws leaves the world as it was. It may be asked again if
   * another process was faster.
   */
  operate(asked: Asked, decide: (view: View) => Decided): OperationRef {
    return this.#transact((world, now) => {
      const known = world.operations.get(asked.operationId);
      if (known !== undefined) return { world, result: repeated(known, asked) };
      const machine = world.machines.get(asked.machineId);
      this.#demandReachable(machine, world);
      const decided = decide({
        now,
        machine: machine === undefined ? undefined : this.#seen(machine, world, now),
        hostDown: (hostId) => world.hostsDown.has(hostId),
        beside: (hostId) =>
          [...world.machines.values()]
            .filter((each) => each.spec.hostId === hostId && each.spec.id !== asked.machineId)
            .map((each) => this.#seen(each, world, now)),
        kept: world.kept,
        machines: world.machines,
      });
      const machines = new Map(world.machines);
      if (decided.machine === undefined) machines.delete(asked.machineId);
      else machines.set(asked.machineId, decided.machine);
      const operation: OperationState = {
        id: asked.operationId,
        machineId: asked.machineId,
        kind: asked.kind,
        owner: asked.owner,
        acceptedAt: now,
        doneAt: now + decided.takesMs,
        note: decided.note,
        failure: decided.failure ?? null,
      };
      const operations = new Map(
        [...world.operations, [operation.id, operation] as const].slice(-operationsMax),
      );
      const kept = decided.kept ?? world.kept;
      return { world: { ...world, machines, operations, kept }, result: refOf(operation) };
    });
  }

  /** What a machine is busy with from now on. */
  setLoad(machineId: string, load: Partial<Load>): void {
    const machine = this.machine(machineId);
    if (machine !== undefined) this.loads.set(machine, this.now(), load);
  }

  /** The machine's process dies, as under `kill -9`. */
  crash(machineId: string): void {
    this.#happen(machineId, (machine, now) =>
      crashed(machine, now, "[simulated] crashed on demand"),
    );
  }

  /** Its program is taken off, as the queue of a cluster does for other work or for its own reasons. */
  evict(machineId: string, by: EvictedBy, detail = `[simulated] ${by} on demand`): void {
    this.#happen(machineId, (machine, now) => evicted(machine, now, { by, detail }));
  }

  /** Its program ends by itself before its time. */
  endProgram(machineId: string, exitCode: number): void {
    this.#happen(machineId, (machine, now) => programEnded(machine, now, exitCode));
  }

  /** Somebody types `poweroff` in the guest. */
  shutDownByGuest(machineId: string): void {
    this.#happen(machineId, shutDownByGuest);
  }

  /** Its guest does nothing any more and answers nobody, while the machine stays on. */
  hang(machineId: string): void {
    this.#happen(machineId, hung);
  }

  /** The host loses power. Nothing is known of its machines until it is back. */
  hostDown(hostId: string): void {
    this.#transact((world, now) => {
      if (world.hostsDown.has(hostId)) return { world, result: undefined };
      const hostsDown = new Map(world.hostsDown).set(hostId, now);
      return { world: { ...world, hostsDown }, result: undefined };
    });
  }

  /** What was on when the host went down is found to have stopped then. */
  hostUp(hostId: string): void {
    this.#transact((world, now) => {
      const since = world.hostsDown.get(hostId);
      if (since === undefined) return { world, result: undefined };
      const machines = new Map(world.machines);
      for (const [id, machine] of world.machines) {
        const then = this.#seen(machine, world, now);
        if (machine.spec.hostId === hostId && holdsCompute(then)) {
          machines.set(id, crashed(then, since, `[simulated] host ${hostId} went down`));
        }
      }
      const hostsDown = new Map(world.hostsDown);
      hostsDown.delete(hostId);
      return { world: { ...world, machines, hostsDown }, result: undefined };
    });
  }

  /** As a platform does that keeps tasks for a while only, or in memory. */
  forgetOperations(): void {
    this.#transact((world) => ({ world: { ...world, operations: new Map() }, result: undefined }));
  }

  get #world(): World {
    return this.#store.read().world;
  }

  #happen(id: string, change: (machine: MachineState, now: number) => MachineState): void {
    this.#transact((world, now) => {
      const stored = world.machines.get(id);
      const machine = stored === undefined ? undefined : this.#seen(stored, world, now);
      if (machine === undefined || !holdsCompute(machine)) return { world, result: undefined };
      const machines = new Map(world.machines).set(id, change(machine, now));
      return { world: { ...world, machines }, result: undefined };
    });
  }

  /**
   * The machines as they are now. What they did by themselves is stored before it is shown, so that
   * nobody sees it undone, not even a process that starts after the clock was set back.
   */
  #caughtUp(ids: readonly string[]): ReadonlyMap<string, MachineState> {
    return this.#transact((world, now) => {
      const stepped = ids.flatMap((id): (readonly [string, MachineState])[] => {
        const stored = world.machines.get(id);
        const seen = stored === undefined ? undefined : this.#seen(stored, world, now);
        return seen === undefined || seen === stored ? [] : [[id, seen]];
      });
      if (stepped.length === 0) return { world, result: world.machines };
      const machines = new Map([...world.machines, ...stepped]);
      return { world: { ...world, machines }, result: machines };
    });
  }

  #transact<T>(
    decide: (world: World, now: number) => { readonly world: World; readonly result: T },
  ): T {
    for (;;) {
      const before = this.#store.read();
      const now = this.#nowOf(before.world);
      const { world, result } = decide(before.world, now);
      if (world === before.world) return result;
      if (!this.#store.replace(before, { ...world, at: now })) continue;
      const told = this.#changed;
      this.#changed = new AbortController();
      told.abort();
      return result;
    }
  }

  #demandReachable(machine: MachineState | undefined, world: World): void {
    if (machine === undefined || !world.hostsDown.has(machine.spec.hostId)) return;
    throw new ProviderError("unavailable", `host ${machine.spec.hostId} is down`, {
      effect: "none",
    });
  }

  /** As it is now; on a host that is down, as it was when that happened. */
  #seen(machine: MachineState, world: World, now: number): MachineState {
    const until = world.hostsDown.get(machine.spec.hostId) ?? now;
    return advance(machine, until, this.latencies.bootMs);
  }

  /**
   * Time as the platform counts it, which never goes back: when the clock of this machine steps
   * back an hour, the platform is an hour ahead from then on, as a remote one would be. It stands
   * still from the last look before the step to the first one after it.
   */
  #nowOf(world: World): number {
    const floor = Math.max(this.#latest, world.at);
    const behind = floor - (this.clock.now() + this.#skewMs);
    if (behind > 0) this.#skewMs += behind;
    this.#latest = this.clock.now() + this.#skewMs;
    return this.#latest;
  }
}

function repeated(known: OperationState, asked: Asked): OperationRef {
  if (known.machineId === asked.machineId && known.kind === asked.kind) return refOf(known);
  throw refused(`operation ${known.id} was "${known.kind}" of machine ${known.machineId}`);
}

function refOf(operation: OperationState): OperationRef {
  const word = operation.kind.split(" ", 1)[0] ?? "task";
  return { id: operation.id, machineId: operation.machineId, native: `simulated-${word}` };
}
