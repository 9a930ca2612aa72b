/**
 * A site for jobs on a cluster that is there: nodes of its own, and flavors, classes and shares as an
 * operator sets them up. Nothing of it stays.
 */
import { randomUUID } from "node:crypto";

import { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { ourSelector } from "#providers/kubevirt/compile/labels.ts";
import { jobsSettings, type JobsSettings } from "#providers/kubevirt/driver/jobs/settings.ts";
import type { ClusterSettings } from "#providers/kubevirt/driver/settings.ts";
import { jobKinds } from "#providers/kubevirt/objects/jobs.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { soon } from "./fake-side/follow.ts";
import { fakeLabel } from "./fake-side/nodes.ts";
import { underTest } from "./under-test.ts";

const rackLabel = "millrace.dev/fake-rack";
const poolLabel = "millrace.dev/fake-pool";
const machineClass = "millrace-fake-machines";
export const cpuFlavor = "millrace-fake-cpu";
const cardFlavor = "millrace-fake-a100";
const topologyName = "millrace-fake";
export const cohortName = "millrace-fake";
/** Bought eight CPUs, and no more. */
export const buyer = randomUUID();
/** Each of two nodes of one rack has one. */
export const card = "example.com/gpu";
export const jobNodes = [
  { name: "millrace-fake-job-1", gpus: [], labels: { [poolLabel]: "cpu" } },
  { name: "millrace-fake-job-2", gpus: [], labels: { [poolLabel]: "cpu" } },
  { name: "millrace-fake-job-3", gpus: [card], labels: { [poolLabel]: "a100", [rackLabel]: "1" } },
  { name: "millrace-fake-job-4", gpus: [card], labels: { [poolLabel]: "a100", [rackLabel]: "1" } },
];

const webhooks: Kind = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingWebhookConfiguration",
  plural: "mutatingwebhookconfigurations",
  namespaced: false,
};

/** Who sees to the queue's kinds, if anybody; where nobody does, there is nothing to wait for. */
const seenBy: Readonly<Record<JobsSettings["batch"], string>> = {
  kueue: '"clusterqueues"',
  volcano: '"scheduling.volcano.sh"',
};

export async function hasQueue(batch: JobsSettings["batch"]): Promise<boolean> {
  const { nodesCluster } = await underTest();
  const client = new KubeClient(nodesCluster);
  try {
    const served = await client.served(soon(), webhooks);
    if (!served.has(webhooks.plural)) return false;
    const { items } = await client.list(soon(), webhooks);
    return items.some((each) => JSON.stringify(each).includes(seenBy[batch]));
  } finally {
    client.close();
  }
}

function share(cpus: number) {
  const amounts = { cpus, memoryGib: cpus * 4, diskGib: cpus * 5 };
  return { own: { [cpuFlavor]: amounts, [cardFlavor]: { ...amounts, gpus: 2 } } };
}

function pool(name: string) {
  return { [fakeLabel]: "true", [poolLabel]: name };
}

export function settingsFor(
  given: ClusterSettings,
  of: { readonly batch: JobsSettings["batch"]; readonly agentUrl: string },
): ClusterSettings {
  const { core, standard } = given.classes;
  const priorityClass = machineClass;
  return {
    ...given,
    nodes: { [fakeLabel]: "true" },
    classes: { core: { ...core, priorityClass }, standard: { ...standard, priorityClass } },
    jobs: jobsSettings.parse({
      batch: of.batch,
      cohort: cohortName,
      flavors: [
        { name: cpuFlavor, nodeLabels: pool("cpu") },
        {
          name: cardFlavor,
          nodeLabels: pool("a100"),
          gpu: { model: "A100", memoryGib: 80, resource: card },
          ...(of.batch === "kueue" ? { topology: topologyName } : {}),
        },
      ],
      ...(of.batch === "kueue"
        ? {
            topology: {
              name: topologyName,
              levels: [rackLabel, "kubernetes.io/hostname"],
              packWithin: rackLabel,
            },
          }
        : {}),
      agentImage: "registry.example/job-agent:1",
      agentUrl: `${of.agentUrl}/job-agent`,
      agentPeer: { ipBlock: { cidr: "192.0.2.1/32" } },
      images: { tiny: "registry.example/tiny:1" },
      shares: { tenants: { [buyer]: share(8) }, tiers: { gold: share(4) }, others: { own: {} } },
    }),
  };
}

/** Jobs have room below the machines of the site. */
export async function makeMachineClass(client: KubeClient): Promise<void> {
  const above = {
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name: machineClass },
    value: 1000,
  };
  await client.apply({ ...soon(), force: "take-over" }, kinds.priorityClass, above);
}

/** What stays for a site's next jobs. */
export async function removeFurniture(
  client: KubeClient,
  of: { readonly batch: JobsSettings["batch"]; readonly controlPlaneId: string },
): Promise<void> {
  await client.delete(soon(), kinds.priorityClass, { name: machineClass });
  const labels = ourSelector(of.controlPlaneId);
  const ofKueue = [
    kinds.cohort,
    kinds.resourceFlavor,
    jobKinds.topology,
    kinds.workloadPriorityClass,
  ];
  for (const kind of [...(of.batch === "kueue" ? ofKueue : []), kinds.priorityClass]) {
    // oxlint-disable-next-line no-await-in-loop -- flavors after those who name them
    const { items } = await client.list(soon(), kind, { labels });
    const names = items.map(({ metadata: { name } }) => ({ name }));
    // oxlint-disable-next-line no-await-in-loop -- as above
    await Promise.all(names.map((name) => client.delete(soon(), kind, name)));
  }
}
