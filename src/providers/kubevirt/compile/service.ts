/** How the outside reaches a machine's ports. The pod's address changes when it moves; this does not. */
import type { Service } from "#providers/kubevirt/objects/core.ts";

import type { MachineAsk } from "./facts.ts";
import { guestPodLabels, machineLabels } from "./labels.ts";
import { machineName, partName } from "./names.ts";

export function sshService({
  spec,
  site,
  namespace,
}: Pick<MachineAsk, "spec" | "site" | "namespace">): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: partName(machineName(spec.id), "ssh"),
      namespace: namespace.name,
      labels: machineLabels(site.controlPlaneId, spec),
    },
    spec: {
      type: site.sshService,
      ...(site.sshKeepsSource ? { externalTrafficPolicy: "Local" } : {}),
      selector: guestPodLabels(spec.id),
      ports: [{ name: "ssh", port: 22, targetPort: 22, protocol: "TCP" }],
    },
  };
}
