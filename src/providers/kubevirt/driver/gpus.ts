/** Which GPUs of a node are given already, as far as this control plane gave them. Pure. */
import type { GpuAssignment } from "#providers/machine.ts";
import { ProviderError } from "#providers/provider.ts";

import { refused } from "./errors.ts";
import type { SeenNode } from "./inventory.ts";
import type { KeptMachine } from "./kept.ts";

/** `nvidia.com/GA100_A100_PCIE_80GB/0` is one place in the count of that resource. */
export function resourceOfDevice({ resource, deviceId }: GpuAssignment): string {
  return resource ?? deviceId.replace(/\/[0-9]+$/u, "");
}

/** With the resource that each is requested as, or refused if the node has none such. */
export function named(gpus: readonly GpuAssignment[], node: SeenNode): readonly GpuAssignment[] {
  return gpus.map((gpu) => {
    const resource = resourceOfDevice(gpu);
    const there = node.host.gpus.some(
      (device) => device.resource === resource || device.sliceResource === resource,
    );
    if (there) return { ...gpu, resource };
    throw refused(`node ${node.host.id} offers no ${resource} (asked for as ${gpu.deviceId})`);
  });
}

/** Throws `capacity` if the node's devices are all with other machines. */
export function demandGpus(
  gpus: readonly GpuAssignment[],
  node: SeenNode,
  others: Iterable<KeptMachine>,
): void {
  if (gpus.length === 0) return;
  const wanted = countBy(gpus.map(resourceOfDevice));
  const given = countBy(
    [...others].flatMap((machine) => (machine.hostId === node.host.id ? machine.gpus : [])),
  );
  for (const [resource, count] of wanted) {
    const healthy = node.host.gpus.filter(({ healthy: is }) => is !== false);
    const all = healthy.reduce((sum, { resource: whole, sliceResource, slicesMax }) => {
      if (whole === resource) return sum + 1;
      return sliceResource === resource ? sum + slicesMax : sum;
    }, 0);
    const left = all - (given.get(resource) ?? 0);
    if (count <= left) continue;
    throw new ProviderError(
      "capacity",
      `node ${node.host.id} has ${Math.max(0, left)} of ${all} ${resource} left; ${count} are asked for`,
      { effect: "none" },
    );
  }
}

function countBy(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
