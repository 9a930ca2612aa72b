/** Where a machine may run: its pool's nodes, the node that placement chose, apart from its own kind. */
import type { Affinity, InstanceBody, Toleration } from "#providers/kubevirt/objects/machine.ts";
import type { Requirement } from "#providers/kubevirt/objects/meta.ts";

import type { MachineAsk } from "./facts.ts";
import { labelKeys } from "./labels.ts";

const hostname = "kubernetes.io/hostname";

export function scheduling(
  ask: MachineAsk,
): Pick<
  InstanceBody,
  "nodeSelector" | "affinity" | "tolerations" | "priorityClassName" | "evictionStrategy"
> {
  const { spec, policy } = ask;
  const affinity = affinityOf(ask);
  const { priorityClass } = policy;
  return {
    // A machine with a GPU cannot move: its eviction is refused, and the control plane is told.
    evictionStrategy: spec.gpus.length > 0 ? "External" : "LiveMigrateIfPossible",
    ...(Object.keys(policy.nodeLabels).length > 0 ? { nodeSelector: policy.nodeLabels } : {}),
    ...(Object.keys(affinity).length > 0 ? { affinity } : {}),
    ...(policy.tolerations.length > 0 ? { tolerations: policy.tolerations.map(tolerate) } : {}),
    ...(priorityClass === undefined ? {} : { priorityClassName: priorityClass }),
  };
}

function affinityOf({ spec, policy }: MachineAsk): Affinity {
  const required: Requirement[] = [];
  // Pages are merged per node, not per machine: core machines stay off such nodes.
  if (spec.serviceClass === "core") {
    required.push({ key: "kubevirt.io/ksm-enabled", operator: "NotIn", values: ["true"] });
  }
  const here: Requirement = { key: hostname, operator: "In", values: [spec.hostId] };
  if (policy.node === "pinned") required.push(here);
  const nodeAffinity = {
    ...(required.length === 0
      ? {}
      : {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: required }],
          },
        }),
    ...(policy.node === "preferred"
      ? {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 100, preference: { matchExpressions: [here] } },
          ],
        }
      : {}),
  };
  return {
    ...(Object.keys(nodeAffinity).length > 0 ? { nodeAffinity } : {}),
    ...(policy.antiAffinity ? { podAntiAffinity: apart(spec) } : {}),
  };
}

/** All projects of the tenant count. What can move must be able to: there it is a wish. */
function apart(spec: MachineAsk["spec"]): NonNullable<Affinity["podAntiAffinity"]> {
  const term = {
    labelSelector: {
      matchLabels: { [labelKeys.tenant]: spec.owner.tenantId, [labelKeys.apart]: "true" },
    },
    namespaceSelector: { matchLabels: { [labelKeys.tenant]: spec.owner.tenantId } },
    topologyKey: hostname,
  };
  return spec.gpus.length > 0
    ? { requiredDuringSchedulingIgnoredDuringExecution: [term] }
    : {
        preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }],
      };
}

function tolerate(key: string): Toleration {
  return { key, operator: "Exists" };
}
