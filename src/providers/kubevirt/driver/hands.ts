/**
 * How anything is done to a machine that is there: its owner is checked, an operation that is written on
 * it is not done again, and what is written is written against the version that was looked at.
 */
import { setTimeout as rest } from "node:timers/promises";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { backoffMs } from "#providers/kubevirt/client/retry.ts";
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { machineName } from "#providers/kubevirt/compile/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import {
  ProviderError,
  type Call,
  type OperationRef,
  type Owner,
  type ReadCall,
} from "#providers/provider.ts";

import type { ClusterView } from "./cluster-view.ts";
import { isConflict, missing, providerError, refused } from "./errors.ts";
import { keptMachine, type KeptInstance, type KeptMachine } from "./kept.ts";
import { Furnished } from "./namespaces.ts";
import { recordOf, withRecord, type OperationRecord } from "./records.ts";
import type { Site } from "./site.ts";
import type { ClusterSettings } from "./settings.ts";
import { ToldProjects } from "./told-projects.ts";
import type { Claim } from "./upkeep/claim.ts";
import type { Standing } from "./upkeep/standing.ts";

/** KubeVirt writes to a machine many times in its first second; not for ever. */
const triesMax = 8;
const pauses = { firstDelayMs: 25, delayMaxMs: 1_000 };

export interface Found {
  readonly machine: KeptMachine;
  readonly instance: KeptInstance | undefined;
}

/** What an operation comes to: a patch of the machine with its record in it, and what is no field. */
export interface Doing {
  /** `spec` and the like, in the same patch as the record. */
  readonly patch?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Done before the record is written as done. */
  readonly act?: () => Promise<unknown>;
  /** Done when all is written; nothing is lost if it never is. */
  readonly afterwards?: () => Promise<unknown>;
  /** Twice is not the same as once: it is written down before it is done, and then not done again. */
  readonly onceOnly?: true;
  readonly of?: string;
}

export class Hands {
  readonly client: KubeClient;
  readonly view: ClusterView;
  readonly settings: ClusterSettings;
  readonly now: () => number;
  readonly furnished = new Furnished();
  readonly told = new ToldProjects();
  readonly site: () => Promise<Site>;
  readonly standing: Standing;
  /** Absent where nobody else can have the name: in tests, and where nothing is written. */
  readonly claim: Claim | undefined;

  constructor(options: {
    readonly client: KubeClient;
    readonly view: ClusterView;
    readonly settings: ClusterSettings;
    readonly now: () => number;
    readonly site: () => Promise<Site>;
    readonly standing: Standing;
    readonly claim?: Claim | undefined;
  }) {
    this.client = options.client;
    this.view = options.view;
    this.settings = options.settings;
    this.now = options.now;
    this.site = options.site;
    this.standing = options.standing;
    this.claim = options.claim;
  }

  /** Before anything is written, or concluded from a listing: that the cluster's name is ours. */
  async demandClaim(call: ReadCall): Promise<void> {
    await this.claim?.demand(call);
  }

  /** `undefined` only if the cluster answered and does not have it. */
  async find({ signal }: ReadCall, machineId: string): Promise<KeptMachine | undefined> {
    await this.demandClaim({ signal });
    await this.view.whole(signal);
    const known = this.view.machines.get(machineId);
    if (known !== undefined && this.view.lostSince === undefined) return known;
    // By its name, because anybody may have edited its labels.
    const fields = `metadata.name=${machineName(machineId)}`;
    const { items } = await this.client.list({ signal }, kinds.machine, { fields });
    const ours = items.filter((item) => isOurs(item, this.settings.controlPlane));
    for (const item of ours) this.view.machines.put(item);
    const [found] = ours;
    const machine = this.view.machines.get(machineId) ?? (found && keptMachine(found));
    if (machine !== undefined && this.view.lostSince !== undefined) {
      await this.#lookAtRun({ signal }, machine);
    }
    return machine;
  }

  /** While no watch tells of it: it may be another run by now. That there is none is not concluded here. */
  async #lookAtRun(call: ReadCall, { namespace, name }: KeptMachine): Promise<void> {
    const object = await this.client.get(call, kinds.machineInstance, { namespace, name });
    if (object !== undefined) this.view.instances.put(object);
  }

  async owned(call: Call, machineId: string): Promise<Found> {
    const machine = await this.find(call, machineId);
    if (machine === undefined) throw missing(machineId);
    demandOwner(machine, call.owner);
    return { machine, instance: this.view.instances.get(machineId) };
  }

  /** `decide` is asked again when somebody else wrote meanwhile. */
  async operate(
    call: Call,
    target: { readonly machineId: string; readonly kind: string },
    decide: (found: Found) => Doing | Promise<Doing>,
  ): Promise<OperationRef> {
    const { machineId, kind } = target;
    const ref = { id: call.operationId, machineId, native: kind };
    const progress = { acted: false };
    for (let tries = 1; ; tries += 1) {
      const found = await this.owned(call, machineId);
      const record = recordOf(found.machine.records, call.operationId);
      if (record?.state === "done") return ref;
      try {
        await this.#do(call, { found, record, kind, progress }, decide);
        return ref;
      } catch (error) {
        if (!isConflict(error) || tries === triesMax) throw progress.acted ? maybe(error) : error;
        await rest(backoffMs(pauses, tries, Math.random()));
        await this.look(call, found.machine);
      }
    }
  }

  /** Reads it anew, past the watch. */
  async look({ signal }: ReadCall, { namespace, name }: KeptMachine): Promise<void> {
    const object = await this.client.get({ signal }, kinds.machine, { namespace, name });
    if (object !== undefined) this.view.machines.put(object);
  }

  /** Written past any operation; with `metadata.resourceVersion` only if nobody else wrote since. */
  async patchMachine(
    { signal }: ReadCall,
    { namespace, name, machineId }: KeptMachine,
    patch: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const at = { namespace, name };
    const written = await this.client.patch({ signal }, kinds.machine, { name: at, patch });
    if (written === undefined) throw missing(machineId);
    this.view.machines.put(written.object);
  }

  async #do(
    call: Call,
    at: {
      readonly found: Found;
      readonly record: OperationRecord | undefined;
      readonly kind: string;
      readonly progress: { acted: boolean };
    },
    decide: (found: Found) => Doing | Promise<Doing>,
  ): Promise<void> {
    const { found, record, kind, progress } = at;
    const doing = await decide(found);
    const { act, onceOnly, of } = doing;
    const written = { id: call.operationId, kind, ...(of === undefined ? {} : { of }) };
    let { machine } = found;
    if (act !== undefined && onceOnly === true) {
      // Asked before, and nobody knows whether it was done: it is not done twice.
      if (record?.state === "asked")
        return this.#write(call, machine, { ...written, state: "done" });
      await this.#write(call, machine, { ...written, state: "asked" });
      machine = this.view.machines.get(machine.machineId) ?? machine;
    }
    if (act !== undefined) {
      await act();
      progress.acted = true;
      // What was done changed the machine, so the version that was looked at is old by now.
      await this.look(call, machine);
      machine = this.view.machines.get(machine.machineId) ?? machine;
    }
    await this.#write(call, machine, { ...written, state: "done" }, doing);
    progress.acted = true;
    await doing.afterwards?.();
  }

  #write(
    call: ReadCall,
    machine: KeptMachine,
    record: OperationRecord,
    { patch = {}, annotations = {} }: Doing = {},
  ): Promise<void> {
    const { resourceVersion } = machine.seen.metadata;
    const metadata = {
      resourceVersion,
      annotations: { ...annotations, ...withRecord(machine.records, record) },
    };
    return this.patchMachine(call, machine, { ...patch, metadata });
  }
}

/** Something was done already: what failed after it does not undo that. */
function maybe(error: unknown): ProviderError {
  const { code, message, effect, cause } = providerError(error);
  return new ProviderError(code, message, { effect: effect === "none" ? "maybe" : effect, cause });
}

/** Not of another control plane; one whose label was taken off is ours by its name. */
function isOurs({ metadata }: KubeObject, controlPlane: string): boolean {
  return (metadata.labels?.[labelKeys.controlPlane] ?? controlPlane) === controlPlane;
}

export function demandOwner({ machineId, owner }: KeptMachine, expected: Owner): void {
  if (owner !== undefined && sameOwner(owner, expected)) return;
  throw refused(`machine ${machineId} belongs to somebody else`);
}

export function sameOwner(a: Owner, b: Owner): boolean {
  return a.tenantId === b.tenantId && a.projectId === b.projectId && a.resourceId === b.resourceId;
}

/** Of a call whose caller has given up before anything was sent. */
export function demandPatience({ signal }: ReadCall): void {
  if (!signal.aborted) return;
  throw new ProviderError("unavailable", "the caller gave up", {
    effect: "none",
    cause: signal.reason,
  });
}
