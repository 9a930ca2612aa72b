/** A machine to compile, for tests and benchmarks: a site with A100 and vGPU, Ceph disks, one image. */
import type { MachineSpec } from "#providers/machine.ts";

import {
  type MachineAsk,
  type MachinePolicy,
  type NamespaceFacts,
  plainPolicy,
  type SiteFacts,
} from "./facts.ts";

export const a100 = "nvidia.com/GA100_A100_SXM4_80GB";
export const vgpu = "nvidia.com/GRID_A100-10C";
export const claimed = "gpu.example.test/a100-by-claim";

export const gib = 1024 ** 3;

export const testSite: SiteFacts = {
  controlPlaneId: "cp-1",
  rules: { cpuAllocationRatio: 1, overheadPercent: 100 },
  gpus: new Map([
    [a100, { model: "A100", kind: "passthrough", by: { plugin: true } }],
    [vgpu, { model: "A100", kind: "vgpu", by: { plugin: true } }],
    [claimed, { model: "A100", kind: "passthrough", by: { deviceClass: "vfio.gpu.nvidia.com" } }],
  ]),
  storageClasses: new Map([
    [
      "ceph-block",
      { accessMode: "ReadWriteMany", volumeMode: "Block", snapshots: true, grows: true },
    ],
    [
      "local",
      { accessMode: "ReadWriteOnce", volumeMode: "Filesystem", snapshots: false, grows: false },
    ],
  ]),
  defaultStorageClass: "ceph-block",
  images: new Map([
    ["debian", { kind: "data-source", namespace: "millrace-images", name: "debian" }],
  ]),
  priorityClasses: new Set(["millrace-core"]),
  cpuModels: new Set(["Cascadelake-Server"]),
  vcpusMax: 128,
  sshService: "ClusterIP",
  sshKeepsSource: false,
};

export const testNamespace: NamespaceFacts = {
  name: "p-00000000-0000-4000-8000-0000000000aa",
  clonesFrom: new Set(["millrace-images"]),
  quotaOnLimits: false,
};

const spec: MachineSpec = {
  id: "00000000-0000-4000-8000-000000000001",
  name: "web-1",
  hostId: "node-1",
  image: "debian",
  cpu: { sockets: 1, cores: 4, threads: 1 },
  memoryBytes: 8 * gib,
  diskBytes: 40 * gib,
  gpus: [],
  serviceClass: "standard",
  network: "net-1",
  loginUser: "debian",
  sshKeys: ["ssh-ed25519 AAAA someone"],
  owner: {
    tenantId: "00000000-0000-4000-8000-0000000000cc",
    projectId: "00000000-0000-4000-8000-0000000000aa",
    resourceId: "00000000-0000-4000-8000-0000000000bb",
  },
};

export interface AskChange {
  readonly spec?: Partial<MachineSpec>;
  readonly policy?: Partial<MachinePolicy>;
  readonly site?: Partial<SiteFacts>;
  readonly namespace?: Partial<NamespaceFacts>;
}

export function testAsk(change: AskChange = {}): MachineAsk {
  return {
    spec: { ...spec, ...change.spec },
    power: "on",
    site: { ...testSite, ...change.site },
    namespace: { ...testNamespace, ...change.namespace },
    policy: { ...plainPolicy, ...change.policy },
  };
}

/** R-PROF-03: 16 CPUs, 128 GiB in huge pages, two A100. */
export function trainingAsk(): MachineAsk {
  const gpu = { model: "A100", slice: 1, resource: a100 };
  return testAsk({
    spec: {
      name: "train-1",
      cpu: { sockets: 1, cores: 8, threads: 2 },
      memoryBytes: 128 * gib,
      serviceClass: "core",
      gpus: [
        { deviceId: "0", ...gpu },
        { deviceId: "1", ...gpu },
      ],
    },
    policy: {
      cpu: { model: "host-passthrough" },
      hugePages: "2Mi",
      antiAffinity: true,
      nodeLabels: { "example.test/gpu-memory": "80" },
      tolerations: ["gpu"],
      priorityClass: "millrace-core",
    },
  });
}

/** R-PROF-08 to 10: 4 CPUs without threads, 64 GiB in pages of 1 GiB, data and log apart. */
export function databaseAsk(): MachineAsk {
  return testAsk({
    spec: {
      name: "db-1",
      cpu: { sockets: 1, cores: 4, threads: 1 },
      memoryBytes: 64 * gib,
      serviceClass: "core",
    },
    policy: {
      hugePages: "1Gi",
      tolerations: ["database"],
      nodeLabels: { "example.test/role": "database" },
      extraDisks: [
        { name: "data", bytes: 200 * gib },
        { name: "log", bytes: 50 * gib, storageClass: "local" },
      ],
    },
  });
}
