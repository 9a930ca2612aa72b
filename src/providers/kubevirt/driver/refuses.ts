/**
 * What a node starts none of as it is set up, and why: KubeVirt gives a machine's pod selectors for labels that
 * a node must have, and a node keeps pods away by taints. Placement that knows goes to another node; else the
 * machine would be refused there, or wait for ever. What passes by itself is none of it. Pure.
 */
import type { Refuses, WorkKind } from "#kernel/host-refuses.ts";
import { addedNodeLabels } from "#providers/kubevirt/compile/defaults.ts";
import { domainShape } from "#providers/kubevirt/compile/domain.ts";

import { noDedicatedCpus } from "./capabilities.ts";
import type { SeenNode, Taint } from "./inventory.ts";
import { isOn } from "./jobs/flavors.ts";
import { policyOf } from "./policy.ts";
import type { ClusterSettings } from "./settings.ts";

type Asked = Pick<SeenNode, "host" | "hasAgent" | "hasKvm" | "taints">;

/** Whether it does is its heartbeat, which stops and goes on: a node that is down says so. */
const agentLabel = "kubevirt.io/schedulable";

/** What the site is set up for: `emulated`, that no machine gets `/dev/kvm`; `jobs`, that it runs any. */
export interface SiteRuns {
  readonly emulated: boolean;
  readonly jobs: boolean;
}

export function refusesOf(
  node: Asked,
  settings: ClusterSettings,
  { emulated, jobs }: SiteRuns,
): Refuses {
  const reasons: Record<WorkKind, string | undefined> = {
    core: noMachine(node, emulated) ?? noneOfClass(node, settings, "core"),
    standard: noMachine(node, emulated) ?? noneOfClass(node, settings, "standard"),
    // On which node a pod runs is the queue's choice, and what it holds follows it there.
    job: jobs ? undefined : "its site runs no hosted jobs",
  };
  return Object.fromEntries(
    Object.entries(reasons).flatMap(([kind, why]) => (why === undefined ? [] : [[kind, why]])),
  );
}

function noMachine({ hasAgent, hasKvm }: Asked, emulated: boolean): string | undefined {
  if (!hasAgent) return "KubeVirt's agent (virt-handler) does not run there";
  if (!hasKvm && !emulated) return "it has no /dev/kvm, and KubeVirt does not emulate there";
  return undefined;
}

function noneOfClass(
  node: Asked,
  settings: ClusterSettings,
  serviceClass: "core" | "standard",
): string | undefined {
  const policy = policyOf(settings, { serviceClass, gpus: [] });
  const spec = { cpu: { sockets: 1, cores: 1, threads: 1 }, memoryBytes: 2 ** 30, serviceClass };
  const { [agentLabel]: _, ...added } = addedNodeLabels(domainShape({ spec, policy }));
  for (const [label, value] of Object.entries({ ...added, ...policy.nodeLabels })) {
    const has = node.host.labels[label];
    if (has !== value) return lacking(label, value, has);
  }
  return repelledBy(node, settings, serviceClass);
}

const cpuModel = /^cpu-model\.node\.kubevirt\.io\/(.+)$/u;
const machineType = /^machine-type\.node\.kubevirt\.io\/(.+)$/u;

function lacking(label: string, value: string, has: string | undefined): string {
  if (label === "kubevirt.io/cpumanager") return noDedicatedCpus;
  const model = cpuModel.exec(label)?.[1];
  if (model !== undefined) return `it does not offer the CPU model ${model} of the site's settings`;
  const type = machineType.exec(label)?.[1];
  if (type !== undefined) return `it does not offer the machine type ${type}`;
  if (label === "kubernetes.io/arch" && has !== undefined) {
    return `its processors are ${has}, and machines are made for ${value}`;
  }
  return `it does not have the label ${label}=${value} that such machines ask for`;
}

/** Kubernetes sets and takes these away as a node comes and goes. */
const passing = /^node\.(?:cloudprovider\.)?kubernetes\.io\//u;

/** Of those, a taint that some work here tolerates by the settings, and this class does not. */
function repelledBy(
  node: Asked,
  settings: ClusterSettings,
  serviceClass: "core" | "standard",
): string | undefined {
  const found = lastingTaints(node).find(({ key }) => {
    const by = toleratedBy(key, node, settings);
    return by.length > 0 && !by.includes(serviceClass);
  });
  if (found === undefined) return undefined;
  const { key, value, effect } = found;
  const said = `${key}${value === "" ? "" : `=${value}`}:${effect}`;
  return `its taint ${said} is not among the tolerations of the class in the site's settings`;
}

/**
 * A taint that nothing tolerates by the settings, as the host label that keeps away all work but that of
 * flavors which tolerate it.
 */
export function taintLabels(
  node: Asked,
  settings: ClusterSettings,
): Readonly<Record<string, string>> {
  const free = lastingTaints(node).filter(
    ({ key }) => toleratedBy(key, node, settings).length === 0,
  );
  return Object.fromEntries(free.map(({ key, effect }) => [`taint/${key}`, effect]));
}

function lastingTaints({ taints }: Asked): readonly Taint[] {
  return taints.filter(({ key, effect }) => effect !== "PreferNoSchedule" && !passing.test(key));
}

function toleratedBy(
  key: string,
  { host }: Asked,
  { classes, jobs }: ClusterSettings,
): readonly WorkKind[] {
  const classesThat = (["core", "standard"] as const).filter((name) =>
    classes[name].tolerations.includes(key),
  );
  const isJobs = jobs?.flavors.some(
    (flavor) => isOn(flavor, host.labels) && flavor.tolerations.includes(key),
  );
  return isJobs === true ? [...classesThat, "job"] : classesThat;
}
