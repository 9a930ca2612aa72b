/**
 * What an operator says of a cluster that Millrace may use, as YAML or JSON: how to sign in, what its
 * GPUs' resource names stand for, where images are, how machines of each class are made there. Names are
 * his; nothing in here is a constant of ours.
 */
import { z } from "zod";

import { jobsSettings } from "./jobs/settings.ts";

const dnsName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/, "a name as Kubernetes has it");
const labels = z.record(z.string(), z.string());

const gpu = z.strictObject({
  model: z.string().min(1).max(64),
  memoryGib: z.int().min(1).max(4096),
  /** `mig-vgpu`: a vGPU upon a MIG slice; a plain slice cannot be handed to a machine. */
  kind: z.enum(["passthrough", "vgpu", "mig-vgpu"]).default("passthrough"),
  /** One n-th of a device; 1 is the whole. */
  slice: z.int().min(1).max(64).default(1),
  /** Claimed by this device class (DRA) instead of counted by a device plug-in. */
  deviceClass: dnsName.optional(),
});

/** What whoever rents it reads, and what a machine needs to hold it. */
const saidOfImage = {
  description: z.string().min(1).max(200).optional(),
  /** The user that cloud-init gives the keys to. */
  loginUser: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,31}$/, "a user name")
    .default("root"),
  minMemoryMib: z.int().min(64).max(1_048_576).default(512),
  minDiskGib: z.int().min(1).max(65_536).default(1),
  /** False for a guest without cloud-init. */
  takesUserData: z.boolean().default(true),
};

const image = z.union(
  [
    z.strictObject({ dataSource: dnsName, namespace: dnsName, ...saidOfImage }),
    z.strictObject({ claim: dnsName, namespace: dnsName, ...saidOfImage }),
    z.strictObject({ volumeSnapshot: dnsName, namespace: dnsName, ...saidOfImage }),
    z.strictObject({ registry: z.string().regex(/^docker:\/\//, "docker://…"), ...saidOfImage }),
    z.strictObject({ http: z.url({ protocol: /^https?$/ }), ...saidOfImage }),
  ],
  {
    error:
      "one of dataSource, claim or volumeSnapshot (each with namespace), registry (docker://…), http (https://…); " +
      "besides description, loginUser, minMemoryMib, minDiskGib, takesUserData",
  },
);
const imageName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{0,62}$/, "lower-case letters, digits, '.' and '-'");

const machineClass = z.strictObject({
  cpuModel: z.string().min(1).default("host-model"),
  cpuFeatures: z
    .array(
      z.strictObject({
        name: z.string(),
        policy: z.enum(["force", "require", "optional", "disable", "forbid"]),
      }),
    )
    .default([]),
  overcommitPercent: z.int().min(100).max(150).default(100),
  hugePages: z.enum(["none", "2Mi", "1Gi"]).default("none"),
  numa: z.boolean().default(false),
  isolateEmulator: z.boolean().default(false),
  ioThreads: z
    .union([z.literal("auto"), z.strictObject({ pool: z.int().min(1).max(64) })])
    .default("auto"),
  storageClass: dnsName.optional(),
  nodeLabels: labels.default({}),
  /** Keys of taints that its machines tolerate. */
  tolerations: z.array(z.string()).default([]),
  priorityClass: dnsName.optional(),
  secondNetwork: z.string().optional(),
});

const plainClass = machineClass.parse({});

export const clusterSettings = z.strictObject({
  site: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, "lower-case letters, digits and '-'"),
  /** A kubeconfig file; without it the cluster that this program runs in. */
  kubeconfig: z.string().min(1).optional(),
  context: z.string().min(1).optional(),
  /** Tells the objects of this installation from those of another on the same cluster. */
  controlPlane: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, "lower-case letters, digits and '-'")
    .default("millrace"),
  /** Only nodes with these labels; all that KubeVirt calls schedulable without any. */
  nodes: labels.default({}),
  /** What pods that are not ours take of each node, such as those of DaemonSets. */
  nodeReserved: z
    .strictObject({
      cpus: z.number().min(0).max(1024).default(0),
      memoryGib: z.number().min(0).max(65_536).default(0),
    })
    .default({ cpus: 0, memoryGib: 0 }),
  /**
   * Disks that machines of a node may have in all, where they are made on the node. Left out they are of
   * the cluster's storage, which no single node bounds (`storageGibMax`).
   */
  nodeDiskGib: z.int().min(1).max(1_000_000_000).optional(),
  gpus: z.record(z.string(), gpu).default({}),
  images: z.record(imageName, image).default({}),
  /** The cluster's default class when left out. */
  storageClass: dnsName.optional(),
  /** Any node may open a disk that no node has open; when left out, if its storage has ReadWriteMany. */
  disksFollow: z.boolean().optional(),
  sshService: z.enum(["ClusterIP", "NodePort", "LoadBalancer"]).default("ClusterIP"),
  /** Under which a NodePort is reached; a node's own address when left out. */
  sshHost: z.string().min(1).optional(),
  /** `core`: projects here hold core machines only, and the cluster itself refuses others. */
  projects: z.enum(["core", "standard"]).default("standard"),
  /** Machines may reach the world. */
  outbound: z.boolean().default(true),
  /** From where SSH may come; nothing but the gateways when empty. */
  sshFrom: z.array(z.string()).default(["0.0.0.0/0"]),
  /** Namespaces whose pods reach into machines: KubeVirt's own, and this control plane's. */
  gateways: z.array(dnsName).default(["kubevirt", "millrace"]),
  /** Where KubeVirt itself runs. */
  kubevirtNamespace: dnsName.default("kubevirt"),
  storageNamespace: dnsName.default("cdi"),
  dnsNamespace: dnsName.default("kube-system"),
  /** Resolvers that are no pods of that namespace, such as NodeLocal DNSCache (169.254.20.10/32). */
  dnsAddresses: z
    .array(z.union([z.cidrv4(), z.cidrv6()], "a block such as 169.254.20.10/32"))
    .default([]),
  /** Of pods, services and nodes: what a tenant's machines must not reach by going out. */
  clusterCidrs: z.array(z.string()).default(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]),
  /** Jobs run in pods of the cluster, through its batch queue; none do when left out. */
  jobs: jobsSettings.optional(),
  podSecurity: z.enum(["privileged", "baseline", "restricted"]).default("privileged"),
  /** Backstops of a project's namespace behind Millrace's own quotas. */
  machinesMax: z.int().min(1).default(5_000),
  storageGibMax: z.int().min(1).default(1_000_000),
  classes: z
    .strictObject({
      core: machineClass.default(plainClass),
      standard: machineClass.default(plainClass),
    })
    .default({ core: plainClass, standard: plainClass }),
});

export type ClusterSettings = z.infer<typeof clusterSettings>;
export type MachineClass = z.infer<typeof machineClass>;
