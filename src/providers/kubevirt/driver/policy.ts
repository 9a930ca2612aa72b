/** What a site's settings say of machines of a class, as the compiler takes it; and where a machine goes. Pure. */
import {
  plainPolicy,
  type CpuModel,
  type MachinePolicy,
} from "#providers/kubevirt/compile/facts.ts";
import type { MachineSpec } from "#providers/machine.ts";

import type { ClusterSettings, MachineClass } from "./settings.ts";

export function policyOf(
  settings: ClusterSettings,
  { serviceClass, gpus }: Pick<MachineSpec, "serviceClass" | "gpus">,
): MachinePolicy {
  const wanted = settings.classes[serviceClass];
  const { overcommitPercent, hugePages, numa, isolateEmulator, ioThreads } = wanted;
  const { nodeLabels, tolerations, storageClass, priorityClass, secondNetwork } = wanted;
  return {
    ...plainPolicy,
    cpu: cpuModel(wanted),
    overcommitPercent,
    hugePages,
    numa,
    isolateEmulator,
    ioThreads,
    nodeLabels,
    tolerations,
    // A device that placement counted is on that node; what can move is not nailed down.
    node: gpus.length > 0 ? "pinned" : "preferred",
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(priorityClass === undefined ? {} : { priorityClass }),
    ...(secondNetwork === undefined ? {} : { secondNetwork }),
  };
}

function cpuModel({ cpuModel: model, cpuFeatures: features }: MachineClass): CpuModel {
  return model === "host-model" || model === "host-passthrough"
    ? { model }
    : { model: "named", name: model, features };
}
