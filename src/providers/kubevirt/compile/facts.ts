/**
 * What the compiler is told besides a machine's spec: the cluster as its operator set it up, the
 * namespace that the machine goes to, and what its flavor and pool want. Nothing is looked up here, so
 * the same facts give the same objects.
 */
import type { MachineSpec } from "#providers/machine.ts";
import type { Labels } from "#providers/kubevirt/objects/meta.ts";

import type { ClusterRules, Sizes } from "./pod-size.ts";

/** What a GPU's resource name stands for. Names are the operator's, never constants of ours. */
export interface GpuResource {
  readonly model: string;
  /** `mig-vgpu` is a vGPU upon a MIG slice: a plain slice cannot be handed to a machine. */
  readonly kind: "passthrough" | "vgpu" | "mig-vgpu";
  /** By the device plug-in of that name, or by a claim of a device class (DRA). */
  readonly by: { readonly plugin: true } | { readonly deviceClass: string };
}

export interface StorageClassFacts {
  /** Live migration needs disks that two nodes may open. */
  readonly accessMode: "ReadWriteOnce" | "ReadWriteMany";
  readonly volumeMode: "Block" | "Filesystem";
  /** There is a VolumeSnapshotClass for it: without one a snapshot holds no disk. */
  readonly snapshots: boolean;
  /** `allowVolumeExpansion`: without it a disk keeps the size that it was made with. */
  readonly grows: boolean;
}

/** Where a disk's first content comes from. */
export type DiskSource =
  | { readonly kind: "data-source"; readonly namespace: string; readonly name: string }
  | { readonly kind: "claim"; readonly namespace: string; readonly name: string }
  | { readonly kind: "volume-snapshot"; readonly namespace: string; readonly name: string }
  | { readonly kind: "registry"; readonly url: string }
  | { readonly kind: "http"; readonly url: string };

export interface SiteFacts {
  /** Of this control plane: two may share a cluster, and leave each other's objects alone. */
  readonly controlPlaneId: string;
  readonly rules: Pick<ClusterRules, "cpuAllocationRatio" | "overheadPercent">;
  /** By resource name; what is permitted in KubeVirt's configuration. */
  readonly gpus: ReadonlyMap<string, GpuResource>;
  readonly storageClasses: ReadonlyMap<string, StorageClassFacts>;
  readonly defaultStorageClass: string;
  readonly images: ReadonlyMap<string, DiskSource>;
  readonly priorityClasses: ReadonlySet<string>;
  /** Named CPU models that at least one node offers. */
  readonly cpuModels: ReadonlySet<string>;
  /** The most CPUs of one machine: what the largest node has. */
  readonly vcpusMax: number;
  readonly sshService: "ClusterIP" | "NodePort" | "LoadBalancer";
  /** What comes for it is let in by where it comes from, so no node may put its own address there. */
  readonly sshKeepsSource: boolean;
}

export interface NamespaceFacts {
  readonly name: string;
  /** Namespaces whose images it may clone. */
  readonly clonesFrom: ReadonlySet<string>;
  /** Its quota limits `limits.cpu` or `limits.memory`. */
  readonly quotaOnLimits: boolean;
  /** What its quotas leave, by their own keys such as `requests.cpu`; absent without quotas. */
  readonly quotaLeft?: Sizes;
}

export type CpuModel =
  | { readonly model: "host-passthrough" | "host-model" }
  | {
      readonly model: "named";
      readonly name: string;
      readonly features: readonly { readonly name: string; readonly policy: FeaturePolicy }[];
    };

export type FeaturePolicy = "force" | "require" | "optional" | "disable" | "forbid";

/** A disk besides the first one: data and log apart from each other and from the system. */
export interface ExtraDisk {
  readonly name: string;
  readonly bytes: number;
  readonly storageClass?: string;
  /** Absent: it begins empty. */
  readonly from?: DiskSource;
}

/** What flavor and pool say of a machine beyond its spec. */
export interface MachinePolicy {
  readonly cpu: CpuModel;
  /** CPUs sold for each 100 that are there: 100 to 150. */
  readonly overcommitPercent: number;
  readonly hugePages: "none" | "2Mi" | "1Gi";
  /** Guest NUMA nodes as on the host; with huge pages and dedicated CPUs only. */
  readonly numa: boolean;
  /** One more dedicated CPU, for the emulator. */
  readonly isolateEmulator: boolean;
  /** Threads for the disks: by KubeVirt's rule, or a pool of so many, which take CPUs of their own. */
  readonly ioThreads: "auto" | { readonly pool: number };
  readonly storageClass?: string;
  readonly extraDisks: readonly ExtraDisk[];
  readonly nodeLabels: Labels;
  /** What placement chose: this node only, this one if it can be, or left to the cluster. */
  readonly node: "pinned" | "preferred" | "free";
  readonly tolerations: readonly string[];
  /** Kept off nodes with other machines of its tenant that want the same. */
  readonly antiAffinity: boolean;
  readonly priorityClass?: string;
  /** A NetworkAttachmentDefinition `namespace/name` for a second card. */
  readonly secondNetwork?: string;
}

export interface MachineAsk {
  readonly spec: MachineSpec;
  readonly power: "on" | "off";
  readonly site: SiteFacts;
  readonly namespace: NamespaceFacts;
  readonly policy: MachinePolicy;
  /** Instead of its image, such as a snapshot that outlived its machine. */
  readonly rootFrom?: DiskSource;
}

export const plainPolicy: MachinePolicy = {
  cpu: { model: "host-model" },
  overcommitPercent: 100,
  hugePages: "none",
  numa: false,
  isolateEmulator: false,
  ioThreads: "auto",
  extraDisks: [],
  nodeLabels: {},
  node: "preferred",
  tolerations: [],
  antiAffinity: false,
};
