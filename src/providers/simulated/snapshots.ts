/**
 * Snapshots of simulated machines. There is no content to bring back, so a revert shows in what a
 * real one shows too: with memory the machine runs on at once, without it the guest boots again.
 */
import {
  ProviderError,
  type Capabilities,
  type MachineSpec,
  type Owner,
  type Snapshot,
} from "#providers/provider.ts";

import { powerOn, print } from "./advance.ts";
import { demand, refused, sameOwner } from "./guard.ts";
import type { Changed, Latencies } from "./mutate.ts";
import type { KeptSnapshot, MachineState, World } from "./world.ts";

export const snapshotsMax = 32;

export function takeSnapshot(
  machine: MachineState,
  wanted: { readonly id: string; readonly name: string; readonly withMemory: boolean },
  now: number,
  can: Capabilities,
): Changed {
  const what = wanted.withMemory ? "snapshot with memory" : "snapshot of the disk";
  demand(wanted.withMemory ? can.snapshotWithMemory : can.snapshotDiskOnly, what);
  const existing = machine.snapshots.find((each) => each.id === wanted.id);
  if (existing !== undefined) return changed(machine, "[simulated] was taken already");
  if (machine.snapshots.length >= snapshotsMax) {
    throw refused(`at most ${snapshotsMax} snapshots of one machine`);
  }
  if (wanted.withMemory && machine.power === "stopped") {
    throw refused("a stopped machine has no memory to keep: take a snapshot of its disk");
  }
  const snapshot: Snapshot = {
    ...wanted,
    takenAt: now,
    bytes: wanted.withMemory ? machine.memoryBytes : 0,
  };
  return changed({ ...machine, snapshots: [...machine.snapshots, snapshot] }, "[simulated]");
}

export function revert(
  machine: MachineState,
  snapshotId: string,
  now: number,
  latencies: Latencies,
): Changed {
  const snapshot = machine.snapshots.find((each) => each.id === snapshotId);
  if (snapshot === undefined) throw noSnapshot(snapshotId);
  const noted = print(machine, `[simulated] reverted to snapshot ${snapshot.name}`);
  if (snapshot.withMemory) return changed(runningAsThen(noted, now), "[simulated]");
  return machine.power === "stopped"
    ? changed(noted, "[simulated]")
    : changed({ ...noted, bootsAt: now + latencies.bootMs, readyAt: null }, "[simulated]");
}

export function deleteSnapshot(machine: MachineState, snapshotId: string): Changed {
  const snapshots = machine.snapshots.filter((each) => each.id !== snapshotId);
  return snapshots.length === machine.snapshots.length
    ? changed(machine, "[simulated] was not there")
    : changed({ ...machine, snapshots }, "[simulated]");
}

/** The snapshot that is to outlive its machine, as it is kept. */
export function keptOf(machine: MachineState, snapshotId: string): KeptSnapshot {
  const snapshot = machine.snapshots.find((each) => each.id === snapshotId);
  if (snapshot === undefined) throw noSnapshot(snapshotId);
  const { owner, id: machineId } = machine.spec;
  return { owner, machineId, diskBytes: machine.diskBytes, snapshot };
}

/** Throws unless the machine may be made from it. */
export function demandSnapshot(
  spec: MachineSpec,
  world: Pick<World, "kept" | "machines">,
  can: Capabilities,
): void {
  const { fromSnapshot } = spec;
  if (fromSnapshot === undefined) return;
  const there = [...world.machines.values()].find(({ snapshots }) =>
    snapshots.some(({ id }) => id === fromSnapshot),
  );
  const isTheirs = there?.spec.owner.tenantId === spec.owner.tenantId;
  if (isTheirs) demand(can.clone, "a machine made of a snapshot whose machine is still there");
  const found = there === undefined ? world.kept.get(fromSnapshot) : keptOf(there, fromSnapshot);
  // Another tenant's is not there for this one.
  if (found?.owner.tenantId !== spec.owner.tenantId) throw noSnapshot(fromSnapshot);
  if (spec.diskBytes < found.diskBytes) {
    throw refused(`the snapshot needs a disk of ${found.diskBytes} bytes`);
  }
}

export function withoutKept(
  kept: World["kept"],
  snapshotId: string,
  owner: Owner,
): { readonly kept: World["kept"]; readonly note: string } {
  const found = kept.get(snapshotId);
  if (found === undefined) return { kept, note: "[simulated] was not there" };
  if (!sameOwner(found.owner, owner)) throw refused(`snapshot ${snapshotId} has another owner`);
  const left = new Map(kept);
  left.delete(snapshotId);
  return { kept: left, note: "[simulated]" };
}

function noSnapshot(snapshotId: string): ProviderError {
  return new ProviderError("not_found", `no snapshot ${snapshotId}`, { effect: "none" });
}

function runningAsThen(machine: MachineState, now: number): MachineState {
  if (machine.power === "running") return { ...machine, bootsAt: null, readyAt: now };
  const on =
    machine.power === "stopped"
      ? powerOn(machine, now, 0)
      : { ...machine, power: "running" as const, powerSince: now };
  return { ...on, bootsAt: null, readyAt: now };
}

function changed(machine: MachineState, note: string): Changed {
  return { machine, takesMs: 0, note };
}
