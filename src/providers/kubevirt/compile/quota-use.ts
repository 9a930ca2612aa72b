/**
 * What a machine is charged by its namespace's quotas, by their keys. A VirtualMachine is accepted over
 * quota and then waits for ever, because only its pod is charged: so it is counted before it is sent.
 */
import type { MachineBody } from "#providers/kubevirt/objects/machine.ts";

import type { PodSize, Sizes } from "./pod-size.ts";
import { parseUnits } from "./quantity.ts";

export const countKey = "count/virtualmachines.kubevirt.io";

export function storageClassKey(storageClass: string): string {
  return `${storageClass}.storageclass.storage.k8s.io/requests.storage`;
}

/** CPU in thousandths, all else in bytes or pieces. */
export function quotaUse(body: MachineBody, { total }: Pick<PodSize, "total">): Sizes {
  const use = new Map<string, bigint>([
    [countKey, 1n],
    ["pods", 1n],
  ]);
  const add = (key: string, amount: bigint) => use.set(key, (use.get(key) ?? 0n) + amount);
  for (const [name, amount] of total.requests) {
    add(`requests.${name}`, amount);
    // The short form of quotas means requests.
    if (!name.includes("/")) add(name, amount);
  }
  for (const name of ["cpu", "memory"]) {
    const amount = total.limits.get(name);
    if (amount !== undefined) add(`limits.${name}`, amount);
  }
  for (const { spec } of body.dataVolumeTemplates ?? []) {
    const { storageClassName, resources } = spec.storage;
    const bytes = parseUnits(resources.requests.storage) ?? 0n;
    add("requests.storage", bytes);
    add("persistentvolumeclaims", 1n);
    if (storageClassName !== undefined) add(storageClassKey(storageClassName), bytes);
  }
  return use;
}

export interface Shortfall {
  readonly key: string;
  readonly asked: bigint;
  readonly left: bigint;
}

/** What is asked beyond what is left, by key. */
export function shortfalls(use: Sizes, left: Sizes): readonly Shortfall[] {
  return [...left].flatMap(([key, amount]) => {
    const asked = use.get(key) ?? 0n;
    return asked > amount ? [{ key, asked, left: amount }] : [];
  });
}
