/** GPUs by claim instead of by a device plug-in: one request each, so that each is a device of its own. */
import type { ResourceClaimTemplate } from "#providers/kubevirt/objects/claim.ts";

import { claimName } from "./domain.ts";
import type { MachineAsk } from "./facts.ts";
import { machineLabels } from "./labels.ts";
import { machineName, partName } from "./names.ts";

/** `undefined` if none of its GPUs is claimed. */
export function claimTemplate({
  spec,
  site,
  namespace,
}: MachineAsk): ResourceClaimTemplate | undefined {
  const requests = spec.gpus.flatMap((gpu, index) => {
    const by = site.gpus.get(gpu.resource ?? "")?.by;
    if (by === undefined || !("deviceClass" in by)) return [];
    const allocationMode = "ExactCount" as const;
    const exactly = { deviceClassName: by.deviceClass, allocationMode, count: 1 };
    return [{ name: `gpu-${index}`, exactly }];
  });
  if (requests.length === 0) return undefined;
  return {
    apiVersion: "resource.k8s.io/v1",
    kind: "ResourceClaimTemplate",
    metadata: {
      name: partName(machineName(spec.id), claimName),
      namespace: namespace.name,
      labels: machineLabels(site.controlPlaneId, spec),
    },
    spec: { spec: { devices: { requests } } },
  };
}
