/**
 * The local driver: real virtual machines on the machine where this runs, with QEMU and nothing
 * else. Any number of drivers may work on one data directory; machines outlive all of them.
 */
import type { Duplex, Readable } from "node:stream";

import {
  ProviderError,
  type Activity,
  type Call,
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

import { capabilitiesOf } from "./capabilities.ts";
import type { Changes } from "./changes.ts";
import { Keyboards, openSerial, openVnc } from "./console.ts";
import { createMachine, deleteMachine, demandOwner } from "./create.ts";
import type { Driver } from "./driver.ts";
import { describeHost } from "./host.ts";
import {
  DamagedError,
  instancePath,
  listInstances,
  readSpec,
  readState,
  runName,
} from "./instance.ts";
import { dropKept } from "./keep.ts";
import type { Keeper } from "./keeper.ts";
import {
  accept,
  acceptAndFinish,
  demandInterest,
  operationStatus,
  type Task,
} from "./operations.ts";
import { changePower, notFound, refused, type Guest } from "./power.ts";
import { isUuid, specSchema, type State } from "./records.ts";
import { resizeMachine } from "./resize.ts";
import { activityOf } from "./activity.ts";
import { demandPinning, isPinned } from "./pin.ts";
import { sampleOf } from "./samples.ts";
import { current } from "./settle.ts";
import { dropSnapshot, revertTo, showSnapshot, takeSnapshot } from "./snapshot.ts";
import { showMachine } from "./view.ts";
import { interruptWorkload } from "./interrupt.ts";
import { heardAt, logSize, readResults, readWorkloadLog } from "./workload.ts";

export interface Parts {
  readonly driver: Driver;
  readonly keeper: Keeper;
  readonly guest: Guest;
  readonly changes: Changes;
  /** Aborts when the driver closes. */
  readonly closing: AbortController;
  /** Stops what works in the background and waits for it. */
  readonly closeBackground: () => Promise<void>;
}

const guestsAskedAtOnceMax = 16;

export class LocalProvider implements Provider {
  readonly site: string;
  readonly #parts: Parts;
  readonly #driver: Driver;
  readonly #keyboards = new Keyboards();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#driver = parts.driver;
    this.site = parts.driver.site.name;
  }

  async info(call: ReadCall): Promise<ProviderInfo> {
    demandInterest(call);
    const accelerator = await this.#driver.accelerator();
    return {
      kind: "local",
      site: this.site,
      version: `QEMU ${(await this.#driver.qemu()).version}`,
      execution: accelerator.kind === "kvm" ? "kvm" : "emulated",
      executionReason: accelerator.reason,
      capabilities: capabilitiesOf(this.#driver),
    };
  }

  async hosts(call: ReadCall): Promise<Listing<Host>> {
    demandInterest(call);
    const { kind } = await this.#driver.accelerator();
    const host = await describeHost(this.#driver, kind === "kvm" ? "kvm" : "emulated");
    return { items: [host], complete: true, failedScopes: [] };
  }

  async machines(call: ReadCall): Promise<Listing<Machine>> {
    const items: Machine[] = [];
    const failedScopes: string[] = [];
    for (const id of await listInstances(this.#driver.site)) {
      demandInterest(call);
      try {
        const machine = await this.#show(id);
        if (machine !== undefined) items.push(machine);
      } catch (error) {
        this.#driver.site.log.error({ err: error, machineId: id }, "machine cannot be read");
        failedScopes.push(`instances/${id}`);
      }
    }
    return { items, complete: failedScopes.length === 0, failedScopes };
  }

  async machine(call: ReadCall, machineId: string): Promise<Machine | undefined> {
    demandInterest(call);
    if (!isUuid(machineId)) return undefined;
    try {
      return await this.#show(machineId);
    } catch (error) {
      throw damaged(error);
    }
  }

  changes(call: ReadCall): AsyncIterable<string> {
    return this.#parts.changes.listen([call.signal, this.#parts.closing.signal]);
  }

  async create(call: Call, spec: MachineSpec): Promise<OperationRef> {
    const parsed = specSchema.safeParse(spec);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw refused(
        `The spec is not valid: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}.`,
      );
    }
    // Nobody waits in a call for the boots of others.
    const boots = await this.#driver.boots();
    const ticket = boots.draw();
    const begin = boots.isFree ? acceptAndFinish : accept;
    return begin(this.#driver.site, call, {
      machineId: spec.id,
      kind: "create",
      request: parsed.data,
      check: () => this.#checkCreate(call, parsed.data),
      work: () => createMachine(this.#driver, parsed.data, ticket),
    });
  }

  async power(call: Call, machineId: string, action: PowerAction): Promise<OperationRef> {
    const work = (): Promise<string | undefined> =>
      changePower(this.#driver, this.#parts.guest, machineId, action);
    const task = this.#task(call, machineId, { kind: action.to, request: action, work });
    return action.to === "shutdown"
      ? accept(this.#driver.site, call, task)
      : acceptAndFinish(this.#driver.site, call, task);
  }

  async interrupt(call: Call, machineId: string, how: Interruption): Promise<OperationRef> {
    const work = (): Promise<string | undefined> =>
      interruptWorkload(this.#driver.site, this.#parts.guest, machineId, how);
    const task = this.#task(call, machineId, { kind: "interrupt", request: how, work });
    return acceptAndFinish(this.#driver.site, call, task);
  }

  async resize(call: Call, machineId: string, to: Resize): Promise<OperationRef> {
    const work = (): Promise<string | undefined> =>
      resizeMachine(this.#driver, this.#parts.guest, machineId, to);
    const task = this.#task(call, machineId, { kind: "resize", request: to, work });
    return acceptAndFinish(this.#driver.site, call, task);
  }

  move(): Promise<OperationRef> {
    return Promise.reject(refused("This site is one machine: there is nowhere to move to."));
  }

  async delete(call: Call, machineId: string, keep?: string): Promise<OperationRef> {
    if (!isUuid(machineId)) throw refused("A machine's id is a uuid.");
    return acceptAndFinish(this.#driver.site, call, {
      machineId,
      kind: "delete",
      request: keep === undefined ? null : { keep },
      check: () => Promise.resolve(),
      work: () => deleteMachine(this.#driver, machineId, call.owner, keep),
    });
  }

  async dropKept(call: Call, machineId: string, snapshotId: string): Promise<OperationRef> {
    if (!isUuid(snapshotId)) throw refused("A snapshot's id is a uuid.");
    return acceptAndFinish(this.#driver.site, call, {
      machineId,
      kind: "dropKept",
      request: snapshotId,
      check: () => Promise.resolve(),
      work: () => dropKept(this.#driver.site, snapshotId, call.owner),
    });
  }

  async snapshot(
    call: Call,
    machineId: string,
    snapshot: { readonly id: string; readonly name: string; readonly withMemory: boolean },
  ): Promise<OperationRef> {
    const work = (): Promise<string | undefined> =>
      takeSnapshot(this.#driver, this.#parts.guest, machineId, snapshot);
    const task = this.#task(call, machineId, { kind: "snapshot", request: snapshot, work });
    return acceptAndFinish(this.#driver.site, call, task);
  }

  async revert(call: Call, machineId: string, snapshotId: string): Promise<OperationRef> {
    const work = (): Promise<string | undefined> => revertTo(this.#driver, machineId, snapshotId);
    const task = this.#task(call, machineId, { kind: "revert", request: snapshotId, work });
    return acceptAndFinish(this.#driver.site, call, task);
  }

  async deleteSnapshot(call: Call, machineId: string, snapshotId: string): Promise<OperationRef> {
    const work = (): Promise<string | undefined> =>
      dropSnapshot(this.#driver, machineId, snapshotId);
    const task = this.#task(call, machineId, { kind: "deleteSnapshot", request: snapshotId, work });
    return acceptAndFinish(this.#driver.site, call, task);
  }

  async snapshots(_call: ReadCall, machineId: string): Promise<Listing<Snapshot>> {
    const { state } = await this.#demandMachine(machineId);
    return { items: state.snapshots.map(showSnapshot), complete: true, failedScopes: [] };
  }

  async operation(call: ReadCall, ref: OperationRef): Promise<OperationStatus> {
    demandInterest(call);
    return operationStatus(this.#driver.site, ref);
  }

  async console(call: ReadCall, machineId: string, kind: "serial" | "vnc"): Promise<Duplex> {
    await this.#demandMachine(machineId);
    const directory = instancePath(this.#driver.site, machineId);
    const run = async (): Promise<string | undefined> => {
      const state = await readState(directory);
      return state?.launch && state.power !== "stopped" ? runName(state.launch.number) : undefined;
    };
    if (kind === "serial") {
      const type = async (bytes: Buffer): Promise<void> => {
        const name = await run();
        await this.#keyboards.type(directory, name && `${name}/serial.sock`, bytes);
      };
      const signal = AbortSignal.any([call.signal, this.#parts.closing.signal]);
      return openSerial({ directory, type, signal });
    }
    const name = await run();
    if (name === undefined) throw refused("A stopped machine has no screen.");
    return openVnc(directory, `${name}/vnc.sock`, call.signal);
  }

  async workloadLog(
    call: ReadCall,
    machineId: string,
    range: { readonly offset: number; readonly bytesMax: number },
  ): Promise<Buffer> {
    demandInterest(call);
    await this.#demandWorkload(machineId);
    return readWorkloadLog(this.#driver.site, machineId, range);
  }

  async workloadResults(call: ReadCall, machineId: string): Promise<Readable> {
    demandInterest(call);
    const { state } = await this.#demandWorkload(machineId);
    if (state.workload?.state !== "ended") throw refused("The workload has not ended.");
    return readResults(this.#driver.site, machineId);
  }

  async samples(_call: ReadCall, machineIds: readonly string[]): Promise<readonly Sample[]> {
    const found: Sample[] = [];
    for (const id of machineIds) {
      if (!isUuid(id)) continue;
      const sample = await sampleOf(this.#driver, id).catch((error: unknown) => {
        this.#driver.site.log.warn({ err: error, machineId: id }, "no sample");
        return undefined;
      });
      if (sample !== undefined) found.push(sample);
    }
    return found;
  }

  async activity(call: ReadCall, machineIds: readonly string[]): Promise<readonly Activity[]> {
    const ids = machineIds.filter(isUuid);
    const found: (Activity | undefined)[] = [];
    for (let at = 0; at < ids.length; at += guestsAskedAtOnceMax) {
      const some = ids.slice(at, at + guestsAskedAtOnceMax);
      found.push(...(await Promise.all(some.map((id) => this.#activityOf(call, id)))));
    }
    return found.filter((each) => each !== undefined);
  }

  async close(): Promise<void> {
    this.#parts.closing.abort();
    this.#keyboards.close();
    await this.#parts.closeBackground();
    await this.#parts.keeper.close();
  }

  /** A mutation of a machine that must be there and belong to the caller. */
  #task(call: Call, machineId: string, what: Pick<Task, "kind" | "request" | "work">): Task {
    const check = async (): Promise<void> => {
      demandOwner((await this.#demandMachine(machineId)).spec, call.owner);
    };
    return { machineId, check, ...what };
  }

  async #activityOf(call: ReadCall, machineId: string): Promise<Activity | undefined> {
    try {
      return await activityOf(this.#driver.site, this.#parts.guest, machineId, call);
    } catch (error) {
      this.#driver.site.log.warn({ err: error, machineId }, "what a machine does is not seen");
      return undefined;
    }
  }

  async #checkCreate(call: Call, spec: MachineSpec): Promise<void> {
    demandOwner(spec, call.owner);
    const { hostId } = this.#driver.site;
    if (spec.hostId !== hostId) {
      throw refused(`Site ${this.site} has no host ${spec.hostId}, only ${hostId}.`);
    }
    if (spec.gpus.length > 0) throw refused(`Host ${hostId} has no GPUs.`);
    demandPinning(spec.pinning, capabilitiesOf(this.#driver));
    await this.#driver.qemu();
  }

  async #show(machineId: string): Promise<Machine | undefined> {
    const { site } = this.#driver;
    const path = instancePath(site, machineId);
    const spec = await readSpec(path);
    if (spec === undefined) return undefined;
    const state = await readState(path);
    const seen = {
      logBytes: await logSize(path),
      heardAt: await heardAt(path),
      isPinned: await isPinned(spec, state),
    };
    return showMachine(site, spec, state && (await current(site, path, state)), seen);
  }

  async #demandMachine(machineId: string): Promise<{ spec: MachineSpec; state: State }> {
    if (!isUuid(machineId)) throw notFound(machineId);
    const path = instancePath(this.#driver.site, machineId);
    try {
      const spec = await readSpec(path);
      const state = await readState(path);
      if (spec === undefined || state === undefined) throw notFound(machineId);
      return { spec, state: await current(this.#driver.site, path, state) };
    } catch (error) {
      throw damaged(error);
    }
  }

  async #demandWorkload(machineId: string): Promise<{ state: State }> {
    const { spec, state } = await this.#demandMachine(machineId);
    if (spec.workload === undefined) throw refused("The machine has no workload.");
    return { state };
  }
}

function damaged(error: unknown): unknown {
  if (!(error instanceof DamagedError)) return error;
  return new ProviderError("unavailable", error.message, { effect: "none", cause: error });
}
