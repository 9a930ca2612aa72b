/**
 * What must go when a project goes. Deleting its namespace takes all that is in it, in Kubernetes' own
 * time; what stands outside of it does not go with it, and what storage keeps on purpose is left over.
 * Machines are ended first, each by itself, so that their last second is metered.
 */
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { namespaceName } from "#providers/kubevirt/compile/names.ts";

import { cloneBindings } from "./access.ts";
import type { ProjectAsk } from "./facts.ts";

export interface Doomed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  /** One by name, or all of the kind that this selects. */
  readonly name?: string;
  readonly selector?: string;
  /** The next step begins when these are gone, not when they are told to go. */
  readonly wait: boolean;
}

/** In order; each step is harmless the second time. */
export function projectRemoval(ask: ProjectAsk): readonly Doomed[] {
  const namespace = namespaceName(ask.projectId);
  const selector = `${labelKeys.controlPlane}=${ask.site.controlPlaneId}`;
  const within = (apiVersion: string, kind: string): Doomed => ({
    apiVersion,
    kind,
    namespace,
    selector,
    wait: true,
  });
  return [
    within("pool.kubevirt.io/v1beta1", "VirtualMachinePool"),
    within("batch/v1", "Job"),
    within("kubevirt.io/v1", "VirtualMachine"),
    within("snapshot.kubevirt.io/v1beta1", "VirtualMachineSnapshot"),
    ...cloneBindings(ask).map(({ apiVersion, kind, metadata }): Doomed => ({
      apiVersion,
      kind,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      name: metadata.name,
      wait: false,
    })),
    { apiVersion: "v1", kind: "Namespace", name: namespace, wait: true },
  ];
}

/** Cluster-wide objects that may still point at the namespace when it is gone. */
export interface Leftover {
  readonly apiVersion: string;
  readonly kind: string;
  /** The field that names the namespace. */
  readonly field: string;
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
      namespace,
      why: "Its storage class keeps volumes (reclaimPolicy Retain): the tenant's data is still there.",
    },
    {
      apiVersion: "snapshot.storage.k8s.io/v1",
      kind: "VolumeSnapshotContent",
      field: "spec.volumeSnapshotRef.namespace",
      namespace,
      why: "Its snapshot class keeps snapshots (deletionPolicy Retain): the tenant's data is still there.",
    },
  ];
}
