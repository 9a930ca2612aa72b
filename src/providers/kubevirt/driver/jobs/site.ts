/**
 * From an operator's settings and the cluster's nodes to what `jobs/` compiles with: the site, what its
 * machines hold by flavor, and what each tenant has of it. Pure.
 */
import { classValues } from "#providers/kubevirt/jobs/classes.ts";
import type { JobFlavor, JobSite } from "#providers/kubevirt/jobs/model.ts";
import type { Shares, TenantShare } from "#providers/kubevirt/jobs/queues.ts";
import type { Labels, LabelSelector } from "#providers/kubevirt/objects/meta.ts";
import type { SeenNode } from "#providers/kubevirt/driver/inventory.ts";
import { ProviderError } from "#providers/provider.ts";

import { isOn } from "./flavors.ts";
import type { JobsSettings, ShareSettings } from "./settings.ts";

const gib = 1024n ** 3n;

export interface SiteOf {
  readonly jobs: JobsSettings;
  readonly controlPlaneId: string;
  readonly nodes: readonly SeenNode[];
  /** The value of the lowest class that machines have. */
  readonly machinePriorityMin: number;
}

export function jobSite({ jobs, controlPlaneId, nodes, machinePriorityMin }: SiteOf): JobSite {
  const { tenantNodeLabel: label, topology } = jobs;
  const tenants = nodes.flatMap(({ host }) => host.labels[label] ?? []);
  return {
    controlPlaneId,
    batch: jobs.batch,
    cohort: jobs.cohort,
    flavors: jobs.flavors.map(jobFlavor),
    ...(topology === undefined ? {} : { topology }),
    agentImage: jobs.agentImage,
    agentUrl: jobs.agentUrl,
    agentPeer: peerOf(jobs.agentPeer),
    agentPorts: jobs.agentPorts ?? [portOf(jobs.agentUrl)],
    tenantNodeLabel: label,
    tenantsWithNodes: new Set(tenants),
    machinePriorityMin,
  };
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  if (port !== "") return Number(port);
  return protocol === "http:" ? 80 : 443;
}

function peerOf({ podSelector, namespaceSelector, ipBlock }: JobsSettings["agentPeer"]) {
  return {
    ...(podSelector === undefined ? {} : { podSelector: selectorOf(podSelector) }),
    ...(namespaceSelector === undefined
      ? {}
      : { namespaceSelector: selectorOf(namespaceSelector) }),
    ...(ipBlock === undefined ? {} : { ipBlock }),
  };
}

function selectorOf({ matchLabels }: { readonly matchLabels?: Labels | undefined }): LabelSelector {
  return matchLabels === undefined ? {} : { matchLabels };
}

function jobFlavor(flavor: JobsSettings["flavors"][number]): JobFlavor {
  const { name, gpu, nodeLabels, tolerations, topology } = flavor;
  return {
    name,
    nodeLabels,
    tolerations,
    ...(topology === undefined ? {} : { topology }),
    gpu:
      gpu === null
        ? null
        : {
            model: gpu.model,
            resource: gpu.resource,
            sharing: gpu.sharing,
            slice: gpu.slice,
            ...(gpu.hami === undefined
              ? {}
              : { hami: { ...gpu.hami, deviceMemoryMiB: gpu.memoryGib * 1024 } }),
          },
  };
}

/** Why no job can run here, if so: a machine that is preempted is powered off under its customer. */
export function priorityProblem({ machinePriorityMin }: SiteOf): string | undefined {
  const most = Math.max(...Object.values(classValues));
  if (most < machinePriorityMin) return undefined;
  return `jobs have priorities up to ${most}, and machines begin at ${machinePriorityMin}: give both classes of machines a priorityClass above`;
}

/** A reference that a node can pull. */
export function imageOf({ images }: JobsSettings, name: string): string {
  const found = images[name];
  if (found !== undefined) return found;
  const known = Object.keys(images).toSorted().join(", ");
  throw new ProviderError(
    "refused",
    `No container image stands for ${name} here; there are: ${known === "" ? "none" : known}.`,
    { effect: "none" },
  );
}

/** What the nodes of each flavor hold together. */
export function capacityOf(jobs: JobsSettings, nodes: readonly SeenNode[]): Shares {
  return new Map(
    jobs.flavors.map((flavor) => {
      const mine = nodes.filter(({ host }) => isOn(flavor, host.labels));
      const sum = (of: (host: SeenNode["host"]) => number): bigint =>
        mine.reduce((all, { host }) => all + BigInt(Math.max(0, of(host))), 0n);
      const { gpu } = flavor;
      const pieces =
        gpu === null
          ? 0n
          : sum(({ gpus }) =>
              gpus.reduce((all, { resource, sliceResource, slicesMax }) => {
                if (resource === gpu.resource) return all + 1;
                return sliceResource === gpu.resource ? all + slicesMax : all;
              }, 0),
            );
      const has = {
        cpus: sum(({ cpus }) => cpus),
        memoryBytes: sum(({ memoryBytes }) => memoryBytes),
        diskBytes: sum(({ diskBytes }) => diskBytes),
        pieces,
      };
      return [flavor.name, resourcesOf(flavor, has)] as const;
    }),
  );
}

function resourcesOf(
  { gpu }: JobsSettings["flavors"][number],
  has: {
    readonly cpus: bigint;
    readonly memoryBytes: bigint;
    readonly diskBytes: bigint;
    readonly pieces: bigint;
  },
): ReadonlyMap<string, bigint> {
  const amounts = new Map([
    ["cpu", has.cpus * 1000n],
    ["memory", has.memoryBytes],
    ["ephemeral-storage", has.diskBytes],
  ]);
  if (gpu === null) return amounts;
  amounts.set(gpu.resource, has.pieces);
  if (gpu.hami === undefined) return amounts;
  const slice = BigInt(gpu.slice);
  amounts.set(gpu.hami.memoryResource, (has.pieces * BigInt(gpu.memoryGib) * 1024n) / slice);
  return amounts.set(gpu.hami.coresResource, (has.pieces * 100n) / slice);
}

export function tenantShare(
  jobs: JobsSettings,
  capacity: Shares,
  { tenantId, tier }: Pick<TenantShare, "tenantId" | "tier">,
): TenantShare {
  const { tenants, tiers, others } = jobs.shares;
  const said = tenants[tenantId] ?? tiers[tier] ?? others;
  return {
    tenantId,
    tier,
    own: said === undefined ? capacity : amountsOf(jobs, said.own),
    borrow: said?.borrow === undefined ? capacity : amountsOf(jobs, said.borrow),
  };
}

function amountsOf(jobs: JobsSettings, by: ShareSettings["own"]): Shares {
  return new Map(
    jobs.flavors.flatMap((flavor) => {
      const said = by[flavor.name];
      if (said === undefined) return [];
      const has = {
        cpus: BigInt(said.cpus),
        memoryBytes: BigInt(said.memoryGib) * gib,
        diskBytes: BigInt(said.diskGib) * gib,
        pieces: BigInt(said.gpus),
      };
      return [[flavor.name, resourcesOf(flavor, has)] as const];
    }),
  );
}

/**
 * What nobody owns can be borrowed. Who was promised a share and has no queue yet leaves it to others
 * until he comes, and takes it back then; where everybody may have all, nothing is left over.
 */
export function unsold(
  jobs: JobsSettings,
  capacity: Shares,
  present: readonly TenantShare[],
): Shares {
  const { others, tiers } = jobs.shares;
  const ofAnybody = [tiers.diamond, tiers.gold, tiers.ordinary].map((of) => of ?? others);
  if (ofAnybody.includes(undefined)) return new Map();
  const sold = present.map(({ own }) => own);
  return new Map(
    [...capacity].map(([flavor, has]) => [
      flavor,
      new Map(
        [...has].map(([resource, all]) => {
          const left = sold.reduce((rest, by) => rest - (by.get(flavor)?.get(resource) ?? 0n), all);
          return [resource, left > 0n ? left : 0n] as const;
        }),
      ),
    ]),
  );
}

/** The most of each resource that a tenant's queue can ever have of one flavor. */
export function roomOf(
  share: TenantShare,
  flavor: string,
  preemptible: boolean,
): ReadonlyMap<string, bigint> {
  return (preemptible ? share.borrow : share.own).get(flavor) ?? new Map();
}
