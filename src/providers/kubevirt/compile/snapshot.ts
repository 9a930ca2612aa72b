/**
 * Snapshots and restores. KubeVirt saves a machine whose storage class has no VolumeSnapshotClass as
 * its configuration alone, and says nothing: such a snapshot is refused here beforehand, and one that
 * holds less than the machine's disks is not called done (`observe/snapshot.ts`).
 */
import type { Owner } from "#providers/machine.ts";
import type { MachineRestore, MachineSnapshot } from "#providers/kubevirt/objects/storage.ts";

import type { SiteFacts } from "./facts.ts";
import { labelKeys, ownerLabels } from "./labels.ts";
import { actName, machineName } from "./names.ts";
import type { Refusal } from "./refusal.ts";

export interface SnapshotAsk {
  readonly id: string;
  readonly machineId: string;
  readonly namespace: string;
  readonly owner: Owner;
  readonly site: Pick<SiteFacts, "controlPlaneId" | "storageClasses">;
}

export interface SnapshotDisk {
  readonly name: string;
  readonly storageClass: string;
}

/** How long KubeVirt tries before it gives one up. */
const deadline = "10m";

export function snapshotRefusals(
  disks: readonly SnapshotDisk[],
  { storageClasses }: Pick<SiteFacts, "storageClasses">,
): readonly Refusal[] {
  const without = disks.filter((disk) => storageClasses.get(disk.storageClass)?.snapshots !== true);
  if (disks.length > 0 && without.length === 0) return [];
  const names = without.map(({ name, storageClass }) => `${name} (${storageClass})`).join(", ");
  const what =
    disks.length === 0
      ? "The machine has no disk that could be in a snapshot."
      : `A snapshot would silently leave out ${names}: there is no VolumeSnapshotClass for that storage. Set one up, or keep the machine on storage that has one.`;
  return [
    {
      code: "snapshot_without_disk",
      for: "operator",
      message: what,
      details: { disks: without.map(({ name }) => name) },
    },
  ];
}

export function machineSnapshot(ask: SnapshotAsk): MachineSnapshot {
  return {
    apiVersion: "snapshot.kubevirt.io/v1beta1",
    kind: "VirtualMachineSnapshot",
    metadata: {
      name: actName("snapshot", ask.id),
      namespace: ask.namespace,
      labels: actLabels(ask),
    },
    spec: {
      source: machineReference(ask.machineId),
      deletionPolicy: "Delete",
      failureDeadline: deadline,
    },
  };
}

/** Back to a snapshot; the machine is stopped for it. `operationId` names the restore. */
export function machineRestore(
  ask: SnapshotAsk & { readonly operationId: string },
): MachineRestore {
  return {
    apiVersion: "snapshot.kubevirt.io/v1beta1",
    kind: "VirtualMachineRestore",
    metadata: {
      name: actName("restore", ask.operationId),
      namespace: ask.namespace,
      labels: actLabels(ask),
    },
    spec: {
      target: machineReference(ask.machineId),
      virtualMachineSnapshotName: actName("snapshot", ask.id),
      targetReadinessPolicy: "StopTarget",
    },
  };
}

export function machineReference(machineId: string) {
  return { apiGroup: "kubevirt.io", kind: "VirtualMachine", name: machineName(machineId) } as const;
}

export function actLabels({
  site,
  owner,
  machineId,
}: Pick<SnapshotAsk, "machineId" | "owner"> & {
  readonly site: Pick<SiteFacts, "controlPlaneId">;
}) {
  return { ...ownerLabels(site.controlPlaneId, owner), [labelKeys.machine]: machineId };
}
