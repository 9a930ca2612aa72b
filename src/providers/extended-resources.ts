/**
 * GPUs as Kubernetes counts them (R-GPU-03): a device plugin advertises so many units of an extended
 * resource on a node, and the pod that runs a machine (virt-launcher) requests units of it. Which name
 * that is differs by vendor, model and how the device is cut, so it is the platform's to say
 * (`GpuDevice.resource`, `sliceResource`) and travels with each assignment. Pure.
 */
import type { GpuDevice } from "./host.ts";
import type { GpuAssignment } from "./machine.ts";

/** The resource that a part of this size of the device is requested as; `undefined`: not on Kubernetes. */
export function resourceOf(
  device: Pick<GpuDevice, "resource" | "sliceResource">,
  slice: number,
): string | undefined {
  return slice === 1 ? device.resource : device.sliceResource;
}

/** Units by resource, in the order of their names: what stands in the pod's `resources.limits`. */
export function requestedResources(
  gpus: readonly GpuAssignment[],
): Readonly<Record<string, number>> {
  const units = new Map<string, number>();
  for (const { resource } of gpus) {
    if (resource !== undefined) units.set(resource, (units.get(resource) ?? 0) + 1);
  }
  return Object.fromEntries([...units].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
