/**
 * A cluster that runs jobs, to test the driver on: nodes with and without cards, Kueue or Volcano on the
 * node side, and the exchange behind an HTTP server for the agents in the pods.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Kind } from "#providers/kubevirt/client/kind.ts";
import type { jobsSettings } from "#providers/kubevirt/driver/jobs/settings.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import { clusterSettings, type ClusterSettings } from "#providers/kubevirt/driver/settings.ts";
import { type OpenExchange, openExchange } from "#providers/kubevirt/exchange/exchange.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { MachineSpec, Owner, WorkloadSpec } from "#providers/provider.ts";

import { agentServer } from "./agent-server.ts";
import { startTestCluster, type TestCluster } from "./driver-cluster.ts";
import { byController } from "./node-side/writing.ts";
import type { Programs } from "./pod-run.ts";
import type { input as InputOf } from "zod";

const gib = 1024 ** 3;

export interface JobCluster extends TestCluster {
  readonly exchange: OpenExchange;
  readonly settings: ClusterSettings;
  /** Another driver on the same cluster and exchange. */
  open(): KubevirtProvider;
  close(): Promise<void>;
}

export interface JobClusterOptions {
  readonly programs?: Programs;
  /** Kinds that are not installed. */
  readonly without?: readonly Kind[];
  readonly now?: () => number;
  readonly jobs?: Partial<InputOf<typeof jobsSettings>>;
}

export async function startJobCluster(options: JobClusterOptions = {}): Promise<JobCluster> {
  const { programs = "scripted", without = [], now = Date.now } = options;
  const cluster = await startTestCluster({ now, server: { without }, side: { programs } });
  const { server, nodes } = cluster;
  const machines = { metadata: { name: "machines" }, value: 1000 };
  server.objects.create(kinds.priorityClass, undefined, machines, byController);
  for (const name of ["cpu-1", "cpu-2"]) {
    nodes.addNode({ name, cpus: 8, memoryGi: 32, labels: { "example.com/pool": "cpu" } });
  }
  const cards = { "nvidia.com/gpu": 4 };
  nodes.addNode({ name: "gpu-1", resources: cards, labels: { "example.com/pool": "a100" } });
  const parts = { "nvidia.com/mig-1g.10gb": 7 };
  nodes.addNode({ name: "mig-1", resources: parts, labels: { "example.com/pool": "mig" } });
  const folder = await mkdtemp(join(tmpdir(), "millrace-exchange-"));
  const exchange = await openExchange(folder);
  const agents = await agentServer(exchange);
  const priorityClass = "machines";
  const settings = clusterSettings.parse({
    ...cluster.settings,
    classes: { core: { priorityClass }, standard: { priorityClass } },
    jobs: {
      flavors: [
        { name: "cpu", nodeLabels: { "example.com/pool": "cpu" } },
        {
          name: "a100",
          nodeLabels: { "example.com/pool": "a100" },
          gpu: { model: "A100", memoryGib: 80, resource: "nvidia.com/gpu" },
        },
        {
          name: "a100-mig",
          nodeLabels: { "example.com/pool": "mig" },
          gpu: {
            model: "A100",
            memoryGib: 80,
            resource: "nvidia.com/mig-1g.10gb",
            sharing: "mig",
            slice: 7,
          },
        },
      ],
      agentImage: "registry.example/job-agent:1",
      agentUrl: `${agents.url}/job-agent`,
      agentPeer: { ipBlock: { cidr: "10.0.0.1/32" } },
      images: { tiny: "registry.example/tiny:1" },
      shares: {
        tenants: { [limitedTenant]: { own: { cpu: { cpus: 8, memoryGib: 32, diskGib: 100 } } } },
      },
      ...options.jobs,
    },
  });
  return {
    ...cluster,
    exchange,
    settings,
    open: () => new KubevirtProvider({ settings, cluster: server.cluster(), now, exchange }),
    close: async () => {
      await cluster.close();
      await agents.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

export const limitedTenant = randomUUID();

/** Of a tenant that has bought eight CPUs, and no more. */
export function limitedOwner(): Owner {
  return { ...newOwner(), tenantId: limitedTenant };
}

export function newOwner(): Owner {
  return { tenantId: randomUUID(), projectId: randomUUID(), resourceId: randomUUID() };
}

/** What a member of a job is given, whatever it runs. */
export function memberSpec(owner: Owner, overrides: Partial<MachineSpec> = {}): MachineSpec {
  return {
    id: randomUUID(),
    name: "job",
    hostId: "cpu-1",
    image: "tiny",
    cpu: { sockets: 1, cores: 2, threads: 1 },
    memoryBytes: gib,
    diskBytes: gib,
    gpus: [],
    serviceClass: "standard",
    network: "net-1",
    loginUser: "root",
    sshKeys: [],
    owner,
    ...overrides,
  };
}

export function jobSpec(
  owner: Owner,
  workload: Partial<WorkloadSpec> = {},
  overrides: Partial<MachineSpec> = {},
): MachineSpec {
  const whole = {
    command: ["/bin/true"],
    environment: {},
    timeLimitSeconds: 600,
    logBytesMax: 1024 ** 2,
    resultsBytesMax: 1024 ** 2,
    ...workload,
  };
  return memberSpec(owner, { workload: whole, ...overrides });
}

/** The specs of a gang's members, by rank. */
export function gangSpecs(
  owner: Owner,
  size: number,
  workload: Partial<WorkloadSpec> = {},
): readonly MachineSpec[] {
  const id = `${randomUUID()}-1`;
  return Array.from({ length: size }, (_, rank) =>
    jobSpec(owner, { ...workload, gang: { id, size, rank, how: "pack" } }),
  );
}
