/**
 * What the API server itself forbids in namespaces of ours, whoever asks: a machine without an owner,
 * and one that shares its CPUs or memory where only core machines may be. Strict for core projects; in
 * others the same is told to who asks, and in the audit log. Two control planes have policies of their
 * own, each for its namespaces.
 *
 * The rules are in CEL; policies.test.ts evaluates them with a library, over what passes and what does
 * not. On a cluster they were not run.
 */
import { labelKeys, ourLabels } from "#providers/kubevirt/compile/labels.ts";
import type { AdmissionPolicy, AdmissionPolicyBinding } from "#providers/kubevirt/objects/core.ts";

import type { TenancyFacts } from "./facts.ts";

const machines = {
  apiGroups: ["kubevirt.io"],
  apiVersions: ["v1"],
  operations: ["CREATE", "UPDATE"],
  resources: ["virtualmachines", "virtualmachineinstances", "virtualmachineinstancereplicasets"],
} as const;
const pools = {
  apiGroups: ["pool.kubevirt.io"],
  apiVersions: ["*"],
  operations: ["CREATE", "UPDATE"],
  resources: ["virtualmachinepools"],
} as const;

/** The spec of the instance, in whatever of the four kinds it stands. */
const variables = [
  {
    name: "template",
    expression:
      "has(object.spec.virtualMachineTemplate) ? object.spec.virtualMachineTemplate.spec.template : (has(object.spec.template) ? object.spec.template : object)",
  },
  { name: "domain", expression: "variables.template.spec.domain" },
  {
    name: "requests",
    expression:
      "has(variables.domain.resources) && has(variables.domain.resources.requests) ? variables.domain.resources.requests : {}",
  },
  {
    name: "dedicated",
    expression:
      "has(variables.domain.cpu) && has(variables.domain.cpu.dedicatedCpuPlacement) && variables.domain.cpu.dedicatedCpuPlacement",
  },
] as const;

export function sitePolicies(
  site: TenancyFacts,
): readonly (AdmissionPolicy | AdmissionPolicyBinding)[] {
  const name = (what: string) => `millrace-${site.controlPlaneId}-${what}`;
  const all = [
    policy(site, name("owner"), ownerRules()),
    policy(site, name("core"), coreRules()),
    policy(site, name("shared"), sharedRules()),
  ];
  return [
    ...all,
    binding(site, { name: name("owner"), actions: ["Deny"] }),
    binding(site, { name: name("core"), actions: ["Deny"], serviceClass: "core" }),
    binding(site, { name: name("shared"), actions: ["Warn", "Audit"], serviceClass: "standard" }),
  ];
}

type Rules = AdmissionPolicy["spec"]["validations"];

function ownerRules(): Rules {
  const plane = `'${labelKeys.controlPlane}'`;
  const ours = (labels: string) =>
    `has(${labels}) && '${labelKeys.resource}' in ${labels} && ${plane} in ${labels} && ${labels}[${plane}] == namespaceObject.metadata.labels[${plane}]`;
  return [
    {
      expression: ours("object.metadata.labels"),
      message: "Machines here are made by Millrace: rent one there.",
      reason: "Forbidden",
    },
    {
      expression: `!has(variables.template.metadata) || (${ours("variables.template.metadata.labels")})`,
      message: "What a machine runs as must carry the labels of its owner.",
      reason: "Forbidden",
    },
  ];
}

function coreRules(): Rules {
  return [
    {
      expression: "variables.dedicated",
      message: "A machine of a core project has its CPUs for itself: set dedicatedCpuPlacement.",
      reason: "Forbidden",
    },
    {
      expression:
        "!has(variables.domain.resources) || !has(variables.domain.resources.overcommitGuestOverhead) || !variables.domain.resources.overcommitGuestOverhead",
      message:
        "A machine of a core project requests all memory that it needs: no overcommitGuestOverhead.",
      reason: "Forbidden",
    },
    {
      expression:
        "!('memory' in variables.requests) || !has(variables.domain.memory) || !has(variables.domain.memory.guest) || quantity(string(variables.requests['memory'])).compareTo(quantity(string(variables.domain.memory.guest))) >= 0",
      message: "A machine of a core project requests at least the memory of its guest.",
      reason: "Forbidden",
    },
  ];
}

function sharedRules(): Rules {
  return [
    {
      expression: "variables.dedicated || 'cpu' in variables.requests",
      message:
        "Without a CPU request the cluster's own ratio holds, by default 10 machines' CPUs on one: set requests.cpu.",
      reason: "Invalid",
    },
  ];
}

function policy(site: TenancyFacts, name: string, validations: Rules): AdmissionPolicy {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    metadata: { name, labels: ourLabels(site.controlPlaneId) },
    spec: {
      failurePolicy: "Fail",
      matchConstraints: { resourceRules: [machines, pools] },
      // What is to go must be able to: KubeVirt takes its finalizers off with an update.
      matchConditions: [{ name: "stays", expression: "!has(object.metadata.deletionTimestamp)" }],
      variables,
      validations,
    },
  };
}

function binding(
  site: TenancyFacts,
  {
    name,
    actions,
    serviceClass,
  }: {
    readonly name: string;
    readonly actions: readonly ("Deny" | "Warn" | "Audit")[];
    readonly serviceClass?: "core" | "standard";
  },
): AdmissionPolicyBinding {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { name, labels: ourLabels(site.controlPlaneId) },
    spec: {
      policyName: name,
      validationActions: actions,
      matchResources: {
        namespaceSelector: {
          matchLabels: {
            [labelKeys.controlPlane]: site.controlPlaneId,
            ...(serviceClass === undefined ? {} : { [labelKeys.serviceClass]: serviceClass }),
          },
          matchExpressions: [{ key: labelKeys.project, operator: "Exists" }],
        },
      },
    },
  };
}
