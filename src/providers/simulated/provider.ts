/**
 * The simulated driver: the whole contract over hosts and GPUs that do not exist, for tests,
 * demonstrations and planning. Nothing of a customer's is ever executed, and everything that a
 * person may see says that it is simulated.
 */
import { Readable, type Duplex } from "node:stream";

import {
  ProviderError,
  type Activity,
  type Call,
  type Capabilities,
  type Host,
  type Interruption,
  type Listing,
  type Machine,
  type MachineSpec,
  type OperationRef,
  type OperationStatus,
  type PowerAction,
  type Provider,
  type ProviderInfo,
  type ReadCall,
  type Resize,
  type Sample,
  type Snapshot,
} from "#providers/provider.ts";

import { onlyOneHost, simulatedCapabilities } from "./capabilities.ts";
import { demandOf, shortage } from "./capacity.ts";
import { changes, mayHaveChanged } from "./changes.ts";
import { thrown, type CallName, type Mutation } from "./faults.ts";
import { demand, demandOwner, missing, refused, sameOwner, takesMore } from "./guard.ts";
import { moved } from "./move.ts";
import { checkGpus, checkSpec, created, interrupt, power, resize, type Changed } from "./mutate.ts";
import { SimulatedPlatform, type Decided, type PlatformOptions, type View } from "./platform.ts";
import { SerialConsole } from "./serial.ts";
import { showMachine, showOperation, showSample } from "./show.ts";
import {
  deleteSnapshot,
  demandSnapshot,
  keptOf,
  revert,
  takeSnapshot,
  withoutKept,
} from "./snapshots.ts";
import { workloadLog, workloadResults } from "./workload.ts";
import type { MachineState } from "./world.ts";

export interface DriverOptions {
  /** To play a platform that can do less. */
  readonly capabilities?: Partial<Capabilities>;
}

/** A platform and a driver on it, in one step. */
export function openSimulated(options: PlatformOptions & DriverOptions): SimulatedProvider {
  return new SimulatedProvider(new SimulatedPlatform(options), options);
}

export class SimulatedProvider implements Provider {
  readonly site: string;
  /** Where faults are asked for. */
  readonly platform: SimulatedPlatform;
  readonly #capabilities: Capabilities;
  readonly #closed = new AbortController();

  constructor(platform: SimulatedPlatform, options: DriverOptions = {}) {
    this.site = platform.site;
    this.platform = platform;
    const moveLive = platform.hosts.length > 1 ? simulatedCapabilities.moveLive : onlyOneHost;
    this.#capabilities = { ...simulatedCapabilities, moveLive, ...options.capabilities };
  }

  async info(call: ReadCall): Promise<ProviderInfo> {
    await this.#enter("info", call);
    return {
      kind: "simulated",
      site: this.site,
      version: "1",
      execution: "simulated",
      executionReason: "The hosts and GPUs of this site do not exist; nothing runs.",
      capabilities: this.#capabilities,
    };
  }

  async hosts(call: ReadCall): Promise<Listing<Host>> {
    await this.#enter("read", call);
    const failed = this.platform.faults.takeIncomplete();
    const items = this.platform.hosts
      .filter((host) => !failed.includes(host.id))
      .map((host): Host => {
        const down = this.platform.hostDownSince(host.id) !== undefined;
        const condition = this.platform.conditions.shown(host.id, host.gpus);
        return { hugePages: {}, labels: {}, ...host, ...condition, state: down ? "down" : "up" };
      });
    return { items, complete: failed.length === 0, failedScopes: failed };
  }

  async machines(call: ReadCall): Promise<Listing<Machine>> {
    await this.#enter("read", call);
    const failed = this.platform.faults.takeIncomplete();
    const items = this.platform
      .machines()
      .filter((machine) => !failed.includes(machine.spec.hostId))
      .map((machine) => this.#show(machine));
    return { items, complete: failed.length === 0, failedScopes: failed };
  }

  async machine(call: ReadCall, machineId: string): Promise<Machine | undefined> {
    await this.#enter("read", call);
    const machine = this.platform.machine(machineId);
    return machine === undefined ? undefined : this.#show(machine);
  }

  changes(call: ReadCall): AsyncIterable<string> {
    return changes(this.platform, AbortSignal.any([call.signal, this.#closed.signal]));
  }

  create(call: Call, spec: MachineSpec): Promise<OperationRef> {
    return this.#mutate("create", call, { machineId: spec.id, kind: "create" }, (view) => {
      if (view.machine !== undefined) {
        demandOwner(view.machine, call.owner);
        const takesMs = Math.max(0, (view.machine.startsAt ?? view.now) - view.now);
        return { machine: view.machine, takesMs, note: "[simulated] was there already" };
      }
      if (!sameOwner(spec.owner, call.owner)) throw refused("the spec names another owner");
      const host = this.platform.hosts.find((each) => each.id === spec.hostId);
      if (host === undefined) throw refused(`no host ${spec.hostId} at site ${this.site}`);
      if (view.hostDown(host.id)) {
        throw new ProviderError("unavailable", `host ${host.id} is down`, { effect: "none" });
      }
      checkSpec(spec, host);
      demandSnapshot(spec, view, this.#capabilities);
      const { pinning = {} } = spec;
      if (pinning.numaNode !== undefined) demand(this.#capabilities.numaPinning, "a NUMA node");
      if (pinning.exclusive === true) demand(this.#capabilities.exclusiveCpus, "CPUs of its own");
      if (spec.gpus.length > 0) demand(this.#capabilities.gpus, "GPUs");
      if (spec.workload !== undefined) demand(this.#capabilities.workloads, "workloads");
      const machine = created(spec, view.now, this.platform.latencies);
      this.#demandRoom(machine, view);
      return { machine, takesMs: this.platform.latencies.createMs, note: "[simulated]" };
    });
  }

  power(call: Call, machineId: string, action: PowerAction): Promise<OperationRef> {
    const kind = `power ${JSON.stringify(action)}`;
    return this.#mutateExisting("power", call, { machineId, kind }, (machine, view) => {
      const { latencies } = this.platform;
      return power(machine, action, view.now, { latencies, capabilities: this.#capabilities });
    });
  }

  interrupt(call: Call, machineId: string, how: Interruption): Promise<OperationRef> {
    const kind = `interrupt ${JSON.stringify(how)}`;
    return this.#mutateExisting("interrupt", call, { machineId, kind }, (machine, view) =>
      interrupt(machine, how, view.now),
    );
  }

  resize(call: Call, machineId: string, to: Resize): Promise<OperationRef> {
    const kind = `resize ${JSON.stringify(to)}`;
    return this.#mutateExisting("resize", call, { machineId, kind }, (machine, view) => {
      const host = this.platform.hosts.find((each) => each.id === machine.spec.hostId);
      if (to.gpus !== undefined && host !== undefined) checkGpus(to.gpus, host);
      return resize(machine, to, view.now, this.#capabilities);
    });
  }

  move(call: Call, machineId: string, hostId?: string): Promise<OperationRef> {
    const kind = `move ${hostId ?? "anywhere"}`;
    return this.#mutateExisting("move", call, { machineId, kind }, (machine, view) => {
      demand(this.#capabilities.moveLive, "a move while it runs");
      return moved(machine, { view, hosts: this.platform.hosts, hostId });
    });
  }

  delete(call: Call, machineId: string, keep?: string): Promise<OperationRef> {
    const kind = keep === undefined ? "delete" : `delete keeping ${keep}`;
    return this.#mutate("delete", call, { machineId, kind }, ({ machine, kept }) => {
      if (machine === undefined) {
        return { machine, takesMs: 0, note: "[simulated] was not there" };
      }
      demandOwner(machine, call.owner);
      const gone = { machine: undefined, takesMs: 0, note: "[simulated]" };
      if (keep === undefined) return gone;
      demand(this.#capabilities.keepSnapshot, "a snapshot that outlives its machine");
      return { ...gone, kept: new Map(kept).set(keep, keptOf(machine, keep)) };
    });
  }

  snapshot(
    call: Call,
    machineId: string,
    snapshot: { readonly id: string; readonly name: string; readonly withMemory: boolean },
  ): Promise<OperationRef> {
    const kind = `snapshot ${snapshot.id}`;
    return this.#mutateExisting("snapshot", call, { machineId, kind }, (machine, view) =>
      takeSnapshot(machine, snapshot, view.now, this.#capabilities),
    );
  }

  revert(call: Call, machineId: string, snapshotId: string): Promise<OperationRef> {
    const kind = `revert ${snapshotId}`;
    return this.#mutateExisting("revert", call, { machineId, kind }, (machine, view) =>
      revert(machine, snapshotId, view.now, this.platform.latencies),
    );
  }

  deleteSnapshot(call: Call, machineId: string, snapshotId: string): Promise<OperationRef> {
    const kind = `deleteSnapshot ${snapshotId}`;
    return this.#mutateExisting("deleteSnapshot", call, { machineId, kind }, (machine) =>
      deleteSnapshot(machine, snapshotId),
    );
  }

  dropKept(call: Call, machineId: string, snapshotId: string): Promise<OperationRef> {
    const kind = `dropKept ${snapshotId}`;
    return this.#mutate("dropKept", call, { machineId, kind }, ({ machine, kept }) => ({
      machine,
      takesMs: 0,
      ...withoutKept(kept, snapshotId, call.owner),
    }));
  }

  async snapshots(call: ReadCall, machineId: string): Promise<Listing<Snapshot>> {
    await this.#enter("read", call);
    return { items: this.#existing(machineId).snapshots, complete: true, failedScopes: [] };
  }

  async operation(call: ReadCall, ref: OperationRef): Promise<OperationStatus> {
    await this.#enter("read", call);
    return showOperation(this.platform.operation(ref.id), this.platform.now());
  }

  async console(call: ReadCall, machineId: string, kind: "serial" | "vnc"): Promise<Duplex> {
    await this.#enter("read", call);
    const { serialConsole, vncConsole } = this.#capabilities;
    demand(kind === "serial" ? serialConsole : vncConsole, `${kind} console`);
    this.#existing(machineId);
    const until = AbortSignal.any([call.signal, this.#closed.signal]);
    return new SerialConsole(
      {
        lines: (from) => {
          const machine = this.platform.machine(machineId);
          if (machine === undefined) return undefined;
          const next = machine.serialDropped + machine.serial.length;
          return { lines: machine.serial.slice(Math.max(0, from - machine.serialDropped)), next };
        },
        more: (signal) => mayHaveChanged(this.platform, signal),
      },
      until,
    );
  }

  async workloadLog(
    call: ReadCall,
    machineId: string,
    range: { readonly offset: number; readonly bytesMax: number },
  ): Promise<Buffer> {
    await this.#enter("read", call);
    const log = workloadLog(this.#existing(machineId), this.platform.now());
    return log.subarray(range.offset, range.offset + range.bytesMax);
  }

  async workloadResults(call: ReadCall, machineId: string): Promise<Readable> {
    await this.#enter("read", call);
    const machine = this.#existing(machineId);
    return Readable.from([workloadResults(machine, this.platform.now())]);
  }

  async samples(call: ReadCall, machineIds: readonly string[]): Promise<readonly Sample[]> {
    await this.#enter("read", call);
    const now = this.platform.now();
    return machineIds.flatMap((id) => {
      const machine = this.platform.machine(id);
      return machine === undefined ? [] : [showSample(machine, now)];
    });
  }

  async activity(call: ReadCall, machineIds: readonly string[]): Promise<readonly Activity[]> {
    await this.#enter("read", call);
    const now = this.platform.now();
    return machineIds.flatMap((id) => {
      const machine = this.platform.machine(id);
      if (machine?.power !== "running") return [];
      if (this.platform.hostDownSince(machine.spec.hostId) !== undefined) return [];
      return [this.platform.loads.activityOf(machine, now)];
    });
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.resolve();
  }

  #mutateExisting(
    name: Mutation,
    call: Call,
    target: { readonly machineId: string; readonly kind: string },
    change: (machine: MachineState, view: View) => Changed,
  ): Promise<OperationRef> {
    return this.#mutate(name, call, target, (view) => {
      const { machine } = view;
      if (machine === undefined) throw missing(target.machineId);
      demandOwner(machine, call.owner);
      const changed = change(machine, view);
      if (takesMore(machine, changed.machine)) this.#demandRoom(changed.machine, view);
      return changed;
    });
  }

  async #mutate(
    name: Mutation,
    call: Call,
    target: { readonly machineId: string; readonly kind: string },
    decide: (view: View) => Decided,
  ): Promise<OperationRef> {
    await this.#enter(name, call);
    const failure = this.platform.faults.takeFailure(name);
    if (failure?.effect === "none" || failure?.effect === "maybe_none") throw thrown(failure);
    const ref = this.platform.operate(
      { ...target, operationId: call.operationId, owner: call.owner },
      (view) => {
        const decided = decide(view);
        if (failure?.effect !== "accepted") return decided;
        const { message } = thrown(failure);
        return { ...decided, machine: view.machine, failure: { code: "unavailable", message } };
      },
    );
    if (failure !== undefined && failure.effect !== "accepted") throw thrown(failure);
    return ref;
  }

  /** What every call does first. Nothing has happened yet, so whatever it throws has no effect. */
  async #enter(name: CallName, call: ReadCall): Promise<void> {
    const delayMs = this.platform.faults.takeDelayMs(name);
    const until = AbortSignal.any([call.signal, this.#closed.signal]);
    if (delayMs > 0) await this.platform.clock.wait(delayMs, until);
    if (name === "read" || name === "info") {
      const failure = this.platform.faults.takeFailure(name);
      if (failure !== undefined) throw thrown(failure);
    }
    if (!until.aborted) return;
    const why = call.signal.aborted ? "the caller gave up" : "the driver is closed";
    throw new ProviderError("unavailable", why, { effect: "none", cause: until.reason });
  }

  #existing(machineId: string): MachineState {
    const machine = this.platform.machine(machineId);
    if (machine === undefined) throw missing(machineId);
    return machine;
  }

  #demandRoom(machine: MachineState, view: View): void {
    const host = this.platform.hosts.find((each) => each.id === machine.spec.hostId);
    if (host === undefined) throw refused(`host ${machine.spec.hostId} is not there any more`);
    const because = shortage(host, view.beside(host.id), demandOf(machine));
    if (because !== undefined) {
      throw new ProviderError("capacity", because, { effect: "none" });
    }
  }

  #show(machine: MachineState): Machine {
    const down = this.platform.hostDownSince(machine.spec.hostId);
    return showMachine(machine, this.platform.now(), down);
  }
}
