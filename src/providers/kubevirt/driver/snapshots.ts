/** Snapshots of a machine's disks, and the way back to one. */
import { z } from "zod";

import type { Kind } from "#providers/kubevirt/client/kind.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { actName } from "#providers/kubevirt/compile/names.ts";
import { machineSnapshot, snapshotRefusals } from "#providers/kubevirt/compile/snapshot.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import {
  restoreFailed,
  restoreProgress,
  snapshotProgress,
  type Progress,
} from "#providers/kubevirt/observe/snapshot.ts";
import { read } from "#providers/kubevirt/observe/seen.ts";
import {
  ProviderError,
  type Call,
  type Listing,
  type OperationRef,
  type ReadCall,
  type Snapshot,
} from "#providers/provider.ts";

import { isConflict, missing, refused, refusedBecause } from "./errors.ts";
import type { Hands } from "./hands.ts";
import { bytesOf, topologyOf, type KeptMachine } from "./kept.ts";
import { halt } from "./power.ts";
import type { OperationRecord } from "./records.ts";
import { revertRecord, revertState } from "./reverts.ts";

const nameKey = "millrace.dev/snapshot-name";
const prefix = "snapshot-";

export function takeSnapshot(
  hands: Hands,
  call: Call,
  machineId: string,
  wanted: { readonly id: string; readonly name: string; readonly withMemory: boolean },
): Promise<OperationRef> {
  if (wanted.withMemory) throw refused("KubeVirt's snapshots hold disks, not memory");
  const kind = `snapshot ${wanted.id}`;
  return hands.operate(call, { machineId, kind }, async ({ machine }) => {
    const { facts } = await hands.site();
    const refusals = snapshotRefusals(machine.disks, facts);
    if (refusals.length > 0) throw refusedBecause(refusals);
    const { namespace } = machine;
    const { owner } = call;
    const object = machineSnapshot({ id: wanted.id, machineId, namespace, owner, site: facts });
    const named = {
      ...object,
      metadata: { ...object.metadata, annotations: { [nameKey]: wanted.name } },
    };
    return { act: () => createOnce(hands, call, kinds.snapshot, named), of: object.metadata.name };
  });
}

export function revert(
  hands: Hands,
  call: Call,
  machineId: string,
  snapshotId: string,
): Promise<OperationRef> {
  const kind = `revert ${snapshotId}`;
  return hands.operate(call, { machineId, kind }, async (found) => {
    const { machine, instance } = found;
    if ((await snapshotOf(hands, call, machine, snapshotId)) === undefined) {
      throw missingSnapshot(snapshotId);
    }
    const restore = actName("restore", call.operationId);
    const isLive = instance !== undefined && machine.seen.spec.runStrategy !== "Halted";
    const { cpu, memory } = machine.seen.spec.template.spec.domain;
    const size = { cpu: topologyOf(cpu), memoryBytes: bytesOf(memory.guest) };
    // KubeVirt puts back only what is off; reverts.ts makes the restore, and switches it on again.
    if (!isLive) return { of: revertRecord({ restore, size }) };
    return { ...halt(hands, call, found, 0), of: revertRecord({ restore, power: "start", size }) };
  });
}

export function deleteSnapshot(
  hands: Hands,
  call: Call,
  machineId: string,
  snapshotId: string,
): Promise<OperationRef> {
  const kind = `deleteSnapshot ${snapshotId}`;
  return hands.operate(call, { machineId, kind }, ({ machine: { namespace } }) => {
    const name = { namespace, name: actName("snapshot", snapshotId) };
    return { act: () => hands.client.delete(call, kinds.snapshot, name) };
  });
}

export async function listSnapshots(
  hands: Hands,
  call: ReadCall,
  machineId: string,
): Promise<Listing<Snapshot>> {
  const machine = await hands.find(call, machineId);
  if (machine === undefined) throw missing(machineId);
  const labels = `${labelKeys.machine}=${machineId}`;
  const { namespace } = machine;
  const { items } = await hands.client.list(call, kinds.snapshot, { namespace, labels });
  const ready = items.filter((item) => progressOf(item, machine).state === "done");
  return {
    items: ready.flatMap((item) => showSnapshot(item, machine) ?? []),
    complete: true,
    failedScopes: [],
  };
}

/** `undefined`: it is not there. */
export async function snapshotStatus(
  hands: Hands,
  call: ReadCall,
  { machine, name }: { readonly machine: KeptMachine; readonly name: string },
): Promise<Progress | undefined> {
  const at = { namespace: machine.namespace, name };
  const object = await hands.client.get(call, kinds.snapshot, at);
  return object && progressOf(object, machine);
}

async function restoreStatus(
  hands: Hands,
  call: ReadCall,
  { machine, name }: { readonly machine: KeptMachine; readonly name: string },
): Promise<Progress | undefined> {
  const at = { namespace: machine.namespace, name };
  const object = await hands.client.get(call, kinds.restore, at);
  return object && restoreProgress(read.restore(object));
}

/** What was on before is on again when it is over, also where it failed: reverts.ts sees to it. */
export async function revertStatus(
  hands: Hands,
  call: ReadCall,
  { machine, record }: { readonly machine: KeptMachine; readonly record: OperationRecord },
): Promise<Progress | undefined> {
  const { restore: name, power, why, size } = revertState(record);
  if (power === undefined) {
    if (size !== undefined) return { state: "running" };
    if (why !== undefined) return restoreFailed(why);
    return restoreStatus(hands, call, { machine, name });
  }
  const phase = hands.view.instances.get(machine.machineId)?.seen.status?.phase;
  const isUp = phase === "Running" || machine.seen.spec.runStrategy === "Halted";
  if (power === "start" || !isUp) return { state: "running" };
  return power === "on" ? { state: "done", at: undefined } : restoreFailed(why ?? "");
}

function progressOf(object: KubeObject, machine: KeptMachine): Progress {
  const volumes = machine.disks.map(({ volume }) => volume);
  return snapshotProgress(read.snapshot(object), volumes);
}

const annotated = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
});

function showSnapshot(object: KubeObject, machine: KeptMachine): Snapshot | undefined {
  const { metadata, status } = read.snapshot(object);
  if (!metadata.name.startsWith(prefix)) return undefined;
  return {
    id: metadata.name.slice(prefix.length),
    name: annotated.parse(object).metadata.annotations[nameKey] ?? "",
    takenAt: status?.creationTime ?? metadata.creationTimestamp ?? 0,
    withMemory: false,
    // What it may come to: storage tells no more before it is restored.
    bytes: machine.diskBytes,
  };
}

async function snapshotOf(
  hands: Hands,
  call: ReadCall,
  { namespace }: KeptMachine,
  snapshotId: string,
): Promise<KubeObject | undefined> {
  const name = { namespace, name: actName("snapshot", snapshotId) };
  return hands.client.get(call, kinds.snapshot, name);
}

function missingSnapshot(snapshotId: string): ProviderError {
  return new ProviderError("not_found", `there is no snapshot ${snapshotId}`, { effect: "none" });
}

/** Its name is its identity: that it is there already is as good. */
async function createOnce(
  hands: Hands,
  call: Call,
  kind: Kind,
  object: Parameters<Hands["client"]["create"]>[2],
): Promise<void> {
  try {
    await hands.client.create(call, kind, object);
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}
