/**
 * Whose an object is, on every object that we write: for the collector, which asks for all of ours with
 * one selector, for admission policies, and so that a pod's metrics find their tenant.
 */
import type { Owner } from "#providers/machine.ts";
import type { Labels } from "#providers/kubevirt/objects/meta.ts";

export const fieldManager = "millrace";

export const labelKeys = {
  controlPlane: "millrace.dev/control-plane",
  tenant: "millrace.dev/tenant",
  project: "millrace.dev/project",
  /** The lease or attempt. */
  resource: "millrace.dev/resource",
  machine: "millrace.dev/machine",
  network: "millrace.dev/network",
  /** Wants no other machine of its tenant with this label on its node. */
  apart: "millrace.dev/apart",
  serviceClass: "millrace.dev/service-class",
  flavor: "millrace.dev/flavor",
  group: "millrace.dev/group",
} as const;

/** Of everything that one control plane writes. */
export function ourLabels(controlPlaneId: string): Labels {
  return {
    "app.kubernetes.io/managed-by": fieldManager,
    [labelKeys.controlPlane]: controlPlaneId,
  };
}

export function ownerLabels(controlPlaneId: string, owner: Owner): Labels {
  return {
    ...ourLabels(controlPlaneId),
    [labelKeys.tenant]: owner.tenantId,
    [labelKeys.project]: owner.projectId,
    [labelKeys.resource]: owner.resourceId,
  };
}

export function machineLabels(
  controlPlaneId: string,
  machine: { readonly id: string; readonly owner: Owner },
): Labels {
  return { ...ownerLabels(controlPlaneId, machine.owner), [labelKeys.machine]: machine.id };
}

/** The pod in which a guest runs. CDI gives the pods that fill a disk the labels of that disk too. */
export function guestPodLabels(machineId: string): Labels {
  return { "kubevirt.io": "virt-launcher", [labelKeys.machine]: machineId };
}

/** Selects all objects of a control plane in lists and watches. */
export function ourSelector(controlPlaneId: string): string {
  return `${labelKeys.controlPlane}=${controlPlaneId}`;
}

/** Who an object says that it belongs to; `undefined` if it does not say it whole. */
export function ownerOf(labels: Labels | undefined): Owner | undefined {
  const tenantId = labels?.[labelKeys.tenant];
  const projectId = labels?.[labelKeys.project];
  const resourceId = labels?.[labelKeys.resource];
  if (tenantId === undefined || projectId === undefined || resourceId === undefined) {
    return undefined;
  }
  return { tenantId, projectId, resourceId };
}
