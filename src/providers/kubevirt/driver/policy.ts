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
  { serviceClass, gpus, wants = {} }: Pick<MachineSpec, "serviceClass" | "gpus" | "wants">,
): MachinePolicy {
  const wanted = settings.classes[serviceClass];
  const { overcommitPercent, hugePages, numa, isolateEmulator, ioThreads } = wanted;
  const { nodeLabels, tolerations, storageClass, priorityClass, secondNetwork } = wanted;
  return {
    ...plainPolicy,
    cpu: cpuModel(wanted, wants.cpuModel),
    overcommitPercent,
    // The class's own pages, where it has some: so its machines are counted on nodes.
    hugePages: hugePages === "none" ? (wants.hugePages ?? "none") : hugePages,
    numa,
    isolateEmulator,
    ioThreads,
    nodeLabels: { ...wants.hostLabels, ...nodeLabels },
    tolerations: [...new Set([...tolerations, ...(wants.tolerations ?? [])])],
    antiAffinity: wants.apart === true,
    // A device that placement counted is on that node; what can move is not nailed down.
    node: gpus.length > 0 ? "pinned" : "preferred",
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(priorityClass === undefined ? {} : { priorityClass }),
    ...(secondNetwork === undefined ? {} : { secondNetwork }),
  };
}

/** A flavor's wish for the host's own model; a model that the class names is for machines that move, and holds. */
function cpuModel(
  { cpuModel: model, cpuFeatures: features }: MachineClass,
  wish: "host-passthrough" | undefined,
): CpuModel {
  return model === "host-model" || model === "host-passthrough"
    ? { model: wish ?? model }
    : { model: "named", name: model, features };
}
