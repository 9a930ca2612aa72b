/**
 * What must go when a project goes. Deleting its namespace takes all that is in it, in Kubernetes' own
 * time; what stands outside of it does not go with it, and what storage keeps on purpose is left over.
 * Machines and jobs are ended before, each by itself, so that their last second is metered: here they
 * are only waited for.
 */
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { namespaceName } from "#providers/kubevirt/compile/names.ts";

import type { ProjectAsk } from "./facts.ts";

interface Group {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  /** All of the kind there if absent, whoever made them. */
  readonly selector?: string;
}

export type RemovalStep =
  /** None of these may be left; nobody deletes them here. */
  | ({ readonly do: "wait" } & Group)
  /** These go, and are waited for. */
  | ({ readonly do: "delete" } & Group)
  /** What still holds on to a record of when it ran lets go: all runs are recorded by now. */
  | ({ readonly do: "release" } & Group)
  | { readonly do: "delete-namespace"; readonly name: string };

/** In order; each step is harmless the second time. */
export function projectRemoval(
  ask: Pick<ProjectAsk, "projectId"> & {
    readonly site: Pick<ProjectAsk["site"], "controlPlaneId">;
  },
): readonly RemovalStep[] {
  const namespace = namespaceName(ask.projectId);
  const ours = `${labelKeys.controlPlane}=${ask.site.controlPlaneId}`;
  const within = (apiVersion: string, kind: string) =>
    ({ apiVersion, kind, namespace, selector: ours }) as const;
  const anyones = (apiVersion: string, kind: string) =>
    ({ do: "wait", apiVersion, kind, namespace }) as const;
  return [
    // A machine that somebody made there past us would go with the namespace: it is his to remove.
    anyones("pool.kubevirt.io/v1beta1", "VirtualMachinePool"),
    anyones("kubevirt.io/v1", "VirtualMachine"),
    anyones("kubevirt.io/v1", "VirtualMachineInstance"),
    { do: "wait", ...within("batch/v1", "Job") },
    { do: "wait", ...within("batch.volcano.sh/v1alpha1", "Job") },
    { do: "delete", ...within("snapshot.kubevirt.io/v1beta1", "VirtualMachineSnapshot") },
    { do: "release", ...within("v1", "Pod") },
    { do: "delete-namespace", name: namespace },
    // Last: as long as the namespace stands, what stands outside for it is put back.
    {
      do: "delete",
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      selector: `${ours},${labelKeys.project}=${ask.projectId}`,
    },
  ];
}

/** Cluster-wide objects that may still point at the namespace when it is gone. */
export interface Leftover {
  readonly apiVersion: string;
  readonly kind: string;
  /** The field that names the namespace, and the one that says what becomes of it. */
  readonly field: string;
  readonly policy: string;
  readonly namespace: string;
  readonly why: string;
}

export function removalLeftovers(ask: Pick<ProjectAsk, "projectId">): readonly Leftover[] {
  const namespace = namespaceName(ask.projectId);
  return [
    {
      apiVersion: "v1",
      kind: "PersistentVolume",
      field: "spec.claimRef.namespace",
      policy: "spec.persistentVolumeReclaimPolicy",
      namespace,
      why: "Its storage class keeps volumes (reclaimPolicy Retain): the tenant's data is still there.",
    },
    {
      apiVersion: "snapshot.storage.k8s.io/v1",
      kind: "VolumeSnapshotContent",
      field: "spec.volumeSnapshotRef.namespace",
      policy: "spec.deletionPolicy",
      namespace,
      why: "Its snapshot class keeps snapshots (deletionPolicy Retain): the tenant's data is still there.",
    },
  ];
}
