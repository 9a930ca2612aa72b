/**
 * One attempt of a job as this folder sees it, whoever's batch queue carries it, and the site as its
 * operator set it up. All members of an attempt are one object of the cluster: they are admitted
 * together, and end together. There are no retries in here: a new attempt is a new object, since only
 * the control plane knows whose fault an end was, and what it costs.
 */
import type { GpuAssignment, MachineSpec, Owner } from "#providers/machine.ts";
import type { NetworkPeer } from "#providers/kubevirt/objects/core.ts";
import type { Labels } from "#providers/kubevirt/objects/meta.ts";

export type Tier = "diamond" | "gold" | "ordinary";
export type Framework = "none" | "pytorch" | "tensorflow";

/** How a GPU is handed out: whole, a part that the hardware keeps apart, or one that software does. */
export type Sharing = "none" | "mig" | "hami";

/** Of each member. All of one model: a program that is told to use one kind finds only that. */
export interface GpuAsk {
  readonly model: string;
  /** The name in the site's table; a name alone does not say how it is shared. */
  readonly resource: string;
  readonly sharing: Sharing;
  /** 1 is whole devices, n is one n-th of one. */
  readonly slice: number;
  readonly count: number;
}

export interface JobAsk {
  /** uuid of the attempt: of its one machine, or one that all members of a gang have. */
  readonly attemptId: string;
  readonly owner: Owner;
  /** The machines that its members stand for, by rank. */
  readonly memberIds: readonly string[];
  /** A reference that a node can pull. */
  readonly image: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly checkpoint?: readonly string[];
  readonly hasInputs: boolean;
  /** The tenant's isolated network: its members and machines reach each other, others do not. */
  readonly network: string;
  /** Of each member. */
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly gpu: GpuAsk | null;
  readonly framework: Framework;
  readonly tier: Tier;
  /** May be told to make room. Nothing else is ever preempted: see queues.ts. */
  readonly preemptible: boolean;
  readonly membersHow: "pack" | "spread";
  readonly timeLimitSeconds: number;
  /** Seconds that an interrupted program has to save its work. */
  readonly graceSeconds: number;
  readonly logBytesMax: number;
  readonly resultsBytesMax: number;
}

/** Machines of one kind of card, and how their cards are handed out; `gpu` is null for those without. */
export interface JobFlavor {
  /** The name of the ResourceFlavor: a DNS label. */
  readonly name: string;
  readonly gpu: null | {
    readonly model: string;
    readonly resource: string;
    readonly sharing: Sharing | "time-slicing";
    readonly slice: number;
    readonly hami?: {
      /** What a share says of memory in MiB and of cores in percent, such as `nvidia.com/gpumem`. */
      readonly memoryResource: string;
      readonly coresResource: string;
      readonly deviceMemoryMiB: number;
      /** Openly best effort, for whoever asks; else only on machines of the tenant alone. */
      readonly bestEffort: boolean;
    };
  };
  /** Picks its nodes. Never empty: else work without GPUs would land on machines with some. */
  readonly nodeLabels: Labels;
  readonly tolerations: readonly string[];
  readonly topology?: string;
}

/** Levels from the widest to the narrowest, as labels of nodes. */
export interface SiteTopology {
  readonly name: string;
  readonly levels: readonly string[];
  /** What members that want to be close are kept within if it can be done. */
  readonly packWithin: string;
}

export interface JobSite {
  readonly controlPlaneId: string;
  readonly batch: "kueue" | "volcano";
  readonly cohort: string;
  readonly flavors: readonly JobFlavor[];
  readonly topology?: SiteTopology;
  /** The image of the two small programs beside the customer's: a shell with curl and busybox. */
  readonly agentImage: string;
  /** Where they reach the control plane: `https://…/job-agent`. */
  readonly agentUrl: string;
  /** The same to the cluster's network policies, which let nothing out to its own addresses. */
  readonly agentPeer: NetworkPeer;
  /** Where it listens, as TCP ports of what stands there: behind a Service those of its pods. */
  readonly agentPorts: readonly number[];
  /** Nodes that serve one tenant alone carry this label with its id. */
  readonly tenantNodeLabel: string;
  /** Of the tenants that have such nodes. */
  readonly tenantsWithNodes: ReadonlySet<string>;
  /** The value of the lowest PriorityClass of machines; jobs stay below. */
  readonly machinePriorityMin: number;
}

export interface JobPlace {
  readonly site: JobSite;
  readonly namespace: string;
}

export function flavorOf(site: JobSite, gpu: GpuAsk | null): JobFlavor | undefined {
  return site.flavors.find((flavor) =>
    gpu === null
      ? flavor.gpu === null
      : flavor.gpu !== null &&
        flavor.gpu.model === gpu.model &&
        flavor.gpu.resource === gpu.resource &&
        flavor.gpu.slice === gpu.slice,
  );
}

/** What the control plane keeps of an attempt beyond the machines' specs. */
export interface AttemptPolicy extends Pick<
  JobAsk,
  "framework" | "tier" | "preemptible" | "membersHow" | "graceSeconds"
> {
  readonly image: string;
}

/**
 * The specs of an attempt's members, by rank, as one ask; `undefined` if they are no workload, or not
 * all alike. What says of a member who it is is left out: here the cluster says it.
 */
export function jobAsk(
  members: readonly MachineSpec[],
  policy: AttemptPolicy,
  site: JobSite,
): JobAsk | undefined {
  const [first] = members;
  const workload = first?.workload;
  if (first === undefined || workload === undefined) return undefined;
  if (members.some((member) => shapeOf(member) !== shapeOf(first))) return undefined;
  const gpu = gpuAsk(first.gpus, site);
  if (gpu === undefined) return undefined;
  const { cpu } = first;
  return {
    ...policy,
    attemptId: first.id,
    owner: first.owner,
    memberIds: members.map(({ id }) => id),
    command: workload.command,
    environment: withoutRanks(workload.environment),
    ...(workload.checkpoint === undefined ? {} : { checkpoint: workload.checkpoint }),
    network: first.network,
    hasInputs: workload.inputsPath !== undefined,
    cpuMilli: cpu.sockets * cpu.cores * cpu.threads * 1000,
    memoryBytes: first.memoryBytes,
    diskBytes: first.diskBytes,
    gpu,
    timeLimitSeconds: workload.timeLimitSeconds,
    logBytesMax: workload.logBytesMax,
    resultsBytesMax: workload.resultsBytesMax,
  };
}

function shapeOf({ cpu, memoryBytes, diskBytes, gpus, workload, owner }: MachineSpec): string {
  const cards = gpus.map(({ model, slice, resource }) => [model, slice, resource]);
  const { tenantId, projectId } = owner;
  const command = workload?.command;
  return JSON.stringify([cpu, memoryBytes, diskBytes, cards, command, tenantId, projectId]);
}

/** `undefined` if they are of several kinds, or have no name in the cluster. */
function gpuAsk(gpus: readonly GpuAssignment[], site: JobSite): GpuAsk | null | undefined {
  const [first] = gpus;
  if (first === undefined) return null;
  const { model, slice, resource } = first;
  if (resource === undefined) return undefined;
  const alike = gpus.every((gpu) => {
    return gpu.model === model && gpu.slice === slice && gpu.resource === resource;
  });
  if (!alike) return undefined;
  const plain: GpuAsk = { model, resource, slice, count: gpus.length, sharing: "none" };
  const sharing = flavorOf(site, plain)?.gpu?.sharing ?? (slice === 1 ? "none" : "mig");
  return { ...plain, sharing: sharing === "time-slicing" ? "none" : sharing };
}

const rankVariables = new Set([
  "RANK",
  "WORLD_SIZE",
  "LOCAL_RANK",
  "LOCAL_WORLD_SIZE",
  "NODE_RANK",
  "NNODES",
  "MASTER_ADDR",
  "MASTER_PORT",
]);

function withoutRanks(environment: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.entries(environment).filter(([name]) => !rankVariables.has(name));
  return Object.fromEntries(own);
}
