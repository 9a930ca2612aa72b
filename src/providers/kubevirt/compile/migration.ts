/** Moving a machine to another node while it runs; and why some cannot. */
import type { Migration } from "#providers/kubevirt/objects/storage.ts";

import type { SiteFacts } from "./facts.ts";
import { actName, machineName } from "./names.ts";
import type { Refusal } from "./refusal.ts";
import { actLabels, type SnapshotAsk, type SnapshotDisk } from "./snapshot.ts";

export interface MigrationAsk extends Pick<SnapshotAsk, "machineId" | "namespace" | "owner"> {
  readonly operationId: string;
  readonly site: Pick<SiteFacts, "controlPlaneId">;
  /** Where to; absent: wherever there is room. */
  readonly hostId?: string;
}

export function migrationRefusals(
  { gpus }: { readonly gpus: readonly unknown[] },
  disks: readonly SnapshotDisk[],
  { storageClasses }: Pick<SiteFacts, "storageClasses">,
): readonly Refusal[] {
  const found: Refusal[] = [];
  if (gpus.length > 0) {
    found.push({
      code: "gpu_cannot_migrate",
      for: "customer",
      message:
        "A machine with a GPU cannot move while it runs: stop it and start it again, it may then come up on another node.",
    });
  }
  const single = disks.filter(
    ({ storageClass }) => storageClasses.get(storageClass)?.accessMode !== "ReadWriteMany",
  );
  if (single.length > 0) {
    found.push({
      code: "disk_on_one_node",
      for: "operator",
      message: `The machine cannot move while it runs, since only one node may open ${single.map(({ name, storageClass }) => `${name} (${storageClass})`).join(", ")}: keep such disks on storage with ReadWriteMany.`,
      details: { disks: single.map(({ name }) => name) },
    });
  }
  return found;
}

export function migration(ask: MigrationAsk): Migration {
  const { hostId } = ask;
  return {
    apiVersion: "kubevirt.io/v1",
    kind: "VirtualMachineInstanceMigration",
    metadata: {
      name: actName("migration", ask.operationId),
      namespace: ask.namespace,
      labels: actLabels(ask),
    },
    spec: {
      vmiName: machineName(ask.machineId),
      ...(hostId === undefined ? {} : { addedNodeSelector: { "kubernetes.io/hostname": hostId } }),
    },
  };
}
