/** A site, a tenant and a job of four members for the tests beside this file. */
import type { JobAsk, JobPlace, JobSite } from "./model.ts";
import type { TenantShare } from "./queues.ts";

export const gibi = 1024 ** 3;
const tenantId = "0190a5a0-0000-7000-8000-00000000000a";

export const site: JobSite = {
  controlPlaneId: "cp-1",
  batch: "kueue",
  cohort: "millrace",
  flavors: [
    { name: "cpu", gpu: null, nodeLabels: { "millrace.dev/pool": "cpu" }, tolerations: [] },
    {
      name: "a100-80g",
      gpu: { model: "A100", resource: "nvidia.com/gpu", sharing: "none", slice: 1 },
      nodeLabels: { "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB" },
      tolerations: ["nvidia.com/gpu"],
      topology: "racks",
    },
    {
      name: "a100-mig-1g",
      gpu: { model: "A100", resource: "nvidia.com/mig-1g.10gb", sharing: "mig", slice: 7 },
      nodeLabels: { "nvidia.com/mig.config": "all-1g.10gb" },
      tolerations: ["nvidia.com/gpu"],
    },
    {
      name: "t4-soft",
      gpu: {
        model: "T4",
        resource: "nvidia.com/gpu",
        sharing: "hami",
        slice: 4,
        hami: {
          memoryResource: "nvidia.com/gpumem",
          coresResource: "nvidia.com/gpucores",
          deviceMemoryMiB: 15_360,
          bestEffort: false,
        },
      },
      nodeLabels: { "nvidia.com/gpu.product": "Tesla-T4" },
      tolerations: [],
    },
    {
      name: "t4-turns",
      gpu: { model: "T4", resource: "nvidia.com/gpu.shared", sharing: "time-slicing", slice: 4 },
      nodeLabels: { "millrace.dev/pool": "turns" },
      tolerations: [],
    },
  ],
  topology: {
    name: "racks",
    levels: ["topology.kubernetes.io/zone", "example.com/rack", "kubernetes.io/hostname"],
    packWithin: "example.com/rack",
  },
  agentImage: "registry.example/millrace/job-agent:1",
  agentUrl: "https://millrace.example/job-agent",
  agentPeer: { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "millrace" } } },
  agentPorts: [7272],
  tenantNodeLabel: "millrace.dev/tenant",
  tenantsWithNodes: new Set(),
  machinePriorityMin: 1000,
};

export const place: JobPlace = {
  site,
  namespace: "p-0190a5a0-0000-7000-8000-00000000000b",
};

export const single: JobAsk = {
  attemptId: "0190a5a0-0000-7000-8000-000000000001",
  owner: { tenantId, projectId: "project", resourceId: "0190a5a0-0000-7000-8000-0000000000c1" },
  memberIds: ["0190a5a0-0000-7000-8000-000000000001"],
  image: "pytorch/pytorch:2.9",
  command: ["python", "train.py", "--out=$(HOME)"],
  environment: { MILLRACE_JOB_ID: "job", PRICE: "$5 $(RANK)" },
  hasInputs: true,
  network: "net-1",
  cpuMilli: 8000,
  memoryBytes: 64 * gibi,
  diskBytes: 100 * gibi,
  gpu: { model: "A100", resource: "nvidia.com/gpu", sharing: "none", slice: 1, count: 2 },
  framework: "none",
  tier: "gold",
  preemptible: false,
  membersHow: "pack",
  timeLimitSeconds: 3600,
  graceSeconds: 120,
  logBytesMax: 64 * 1024 ** 2,
  resultsBytesMax: gibi,
};

export const gang: JobAsk = {
  ...single,
  memberIds: ["1", "2", "3", "4"].map((end) => `0190a5a0-0000-7000-8000-00000000000${end}`),
  framework: "pytorch",
};

export const amounts = new Map([
  ["cpu", 16_000n],
  ["memory", 128n * BigInt(gibi)],
  ["ephemeral-storage", 400n * BigInt(gibi)],
  ["nvidia.com/gpu", 4n],
]);
export const share: TenantShare = {
  tenantId: single.owner.tenantId,
  tier: "gold",
  own: new Map([["a100-80g", amounts]]),
  borrow: new Map([["a100-80g", new Map([["nvidia.com/gpu", 8n]])]]),
};
export const volcanoSite: JobSite = {
  ...site,
  batch: "volcano",
  tenantsWithNodes: new Set([single.owner.tenantId]),
};
export const volcanoPlace = { ...place, site: volcanoSite };
export const soft: JobAsk = {
  ...single,
  gpu: { model: "T4", resource: "nvidia.com/gpu", sharing: "hami", slice: 4, count: 1 },
};
export const mig: JobAsk = {
  ...single,
  gpu: { model: "A100", resource: "nvidia.com/mig-1g.10gb", sharing: "mig", slice: 7, count: 1 },
};
