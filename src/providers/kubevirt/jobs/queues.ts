/**
 * What a tenant has bought, as Kueue's quota. Two queues each: `t-…` has the tenant's own share and
 * never borrows; `t-…-spot` has nothing of its own and only borrows what others leave over. So nothing
 * that did not say it may be preempted ever is: what runs on its own share cannot be reclaimed, and
 * within that queue nothing is pushed out. What runs at the preemptible price is all borrowed, and
 * whoever owns the share takes it back.
 */
import { labelKeys, ourLabels } from "#providers/kubevirt/compile/labels.ts";
import { printBytes, printMilli } from "#providers/kubevirt/compile/quantity.ts";
import type {
  ClusterQueue,
  Cohort,
  FlavorQuota,
  LocalQueue,
  ResourceFlavor,
  ResourceGroup,
  Topology,
} from "#providers/kubevirt/objects/jobs.ts";
import type { Labels } from "#providers/kubevirt/objects/meta.ts";

import type { JobFlavor, JobPlace, JobSite, Tier } from "./model.ts";
import { localQueueName, tenantLabels, tenantQueue, tierLabel } from "./names.ts";

/** By flavor, then by resource: thousandths of CPU, bytes, pieces. What is not named is none. */
export type Shares = ReadonlyMap<string, ReadonlyMap<string, bigint>>;

/** Of one tenant: his own, by package or tier, and the most that he may borrow beyond it. */
export interface TenantShare {
  readonly tenantId: string;
  readonly tier: Tier;
  readonly own: Shares;
  readonly borrow: Shares;
}

export function resourceFlavors(site: JobSite): readonly ResourceFlavor[] {
  return site.flavors.map((flavor) => ({
    apiVersion: "kueue.x-k8s.io/v1beta2",
    kind: "ResourceFlavor",
    metadata: { name: flavor.name, labels: ourLabels(site.controlPlaneId) },
    spec: {
      nodeLabels: flavor.nodeLabels,
      ...(flavor.tolerations.length === 0
        ? {}
        : { tolerations: flavor.tolerations.map((key) => ({ key, operator: "Exists" as const })) }),
      ...(flavor.topology === undefined ? {} : { topologyName: flavor.topology }),
    },
  }));
}

export function topology(site: JobSite): Topology | undefined {
  if (site.topology === undefined) return undefined;
  const { name, levels } = site.topology;
  return {
    apiVersion: "kueue.x-k8s.io/v1beta2",
    kind: "Topology",
    metadata: { name, labels: ourLabels(site.controlPlaneId) },
    spec: { levels: levels.map((nodeLabel) => ({ nodeLabel })) },
  };
}

/** Holds what nobody has bought, so that it can be borrowed. */
export function cohort(site: JobSite, unsold: Shares): Cohort {
  return {
    apiVersion: "kueue.x-k8s.io/v1beta2",
    kind: "Cohort",
    metadata: { name: site.cohort, labels: ourLabels(site.controlPlaneId) },
    spec: { resourceGroups: groups(site, (amount) => ({ nominalQuota: amount }), unsold) },
  };
}

/** Below the value of every class. */
const noClass = 0;

/** The tenant's two queues, the spot queue second. */
export function clusterQueues(
  site: JobSite,
  share: TenantShare,
): readonly [ClusterQueue, ClusterQueue] {
  const own = groups(site, (amount) => ({ nominalQuota: amount, borrowingLimit: "0" }), share.own);
  const spot = groups(
    site,
    (amount) => ({ nominalQuota: "0", borrowingLimit: amount }),
    share.borrow,
  );
  return [
    queue(site, share, {
      name: tenantQueue(share.tenantId, false),
      groups: own,
      preemption: {
        withinClusterQueue: "Never",
        reclaimWithinCohort: "Any",
        borrowWithinCohort: { policy: "Never" },
      },
    }),
    queue(site, share, {
      name: tenantQueue(share.tenantId, true),
      groups: spot,
      // Among what is borrowed, a higher tier of the same customer may come first. Kueue looks for whom
      // only where a queue that borrows may push out at all: the threshold keeps all others from it.
      preemption: {
        withinClusterQueue: "LowerPriority",
        reclaimWithinCohort: "LowerPriority",
        borrowWithinCohort: { policy: "LowerPriority", maxPriorityThreshold: noClass },
      },
    }),
  ];
}

function queue(
  site: JobSite,
  share: TenantShare,
  of: {
    readonly name: string;
    readonly groups: readonly ResourceGroup[];
    readonly preemption: ClusterQueue["spec"]["preemption"];
  },
): ClusterQueue {
  return {
    apiVersion: "kueue.x-k8s.io/v1beta2",
    kind: "ClusterQueue",
    metadata: { name: of.name, labels: queueLabels(site, share) },
    spec: {
      cohortName: site.cohort,
      // Absent means nobody, `{}` means everybody: it is always said.
      namespaceSelector: { matchLabels: { [labelKeys.tenant]: share.tenantId } },
      // A large job that waits must not be passed by small ones for ever: our queue has decided the order.
      queueingStrategy: "BestEffortFIFO",
      flavorFungibility: { whenCanBorrow: "MayStopSearch", whenCanPreempt: "MayStopSearch" },
      preemption: of.preemption,
      resourceGroups: of.groups,
      // Said, so that a hold by hand is put right: of a suspended tenant Millrace itself ends and admits nothing.
      stopPolicy: "None",
    },
  };
}

/** The tier is written where the quota is, so that both are known together after a restart. */
export function queueLabels(site: JobSite, { tenantId, tier }: TenantShare): Labels {
  return { ...tenantLabels(site, tenantId), [tierLabel]: tier };
}

/** A project's two doors to them. */
export function localQueues(
  { site, namespace }: JobPlace,
  tenantId: string,
): readonly [LocalQueue, LocalQueue] {
  const door = (preemptible: boolean): LocalQueue => ({
    apiVersion: "kueue.x-k8s.io/v1beta2",
    kind: "LocalQueue",
    metadata: {
      name: localQueueName(preemptible),
      namespace,
      labels: tenantLabels(site, tenantId),
    },
    spec: { clusterQueue: tenantQueue(tenantId, preemptible) },
  });
  return [door(false), door(true)];
}

type Quota = Omit<FlavorQuota["resources"][number], "name">;

/**
 * One group: CPU and memory belong to the machine that has the card, so they must come from the same
 * flavor. Every flavor names every resource in the same order, and what it does not have is zero.
 */
function groups(
  site: JobSite,
  quota: (amount: string) => Quota,
  shares: Shares,
): readonly ResourceGroup[] {
  const covered = coveredResources(site);
  return [
    {
      coveredResources: covered,
      flavors: site.flavors.map(({ name }) => ({
        name,
        resources: covered.map((resource) => {
          const amount = shares.get(name)?.get(resource) ?? 0n;
          return { name: resource, ...quota(printAmount(resource, amount)) };
        }),
      })),
    },
  ];
}

/** Whatever a job's pod asks for: a resource that a queue does not cover keeps a job out for ever. */
export function coveredResources({ flavors }: JobSite): readonly string[] {
  const cards = flavors.flatMap(resourcesOf);
  return ["cpu", "memory", "ephemeral-storage", ...[...new Set(cards)].toSorted()];
}

function resourcesOf({ gpu }: JobFlavor): readonly string[] {
  if (gpu === null) return [];
  const { hami } = gpu;
  return hami === undefined
    ? [gpu.resource]
    : [gpu.resource, hami.memoryResource, hami.coresResource];
}

export function printAmount(resource: string, amount: bigint): string {
  if (resource === "cpu") return printMilli(amount);
  return resource === "memory" || resource === "ephemeral-storage"
    ? printBytes(amount)
    : String(amount);
}
