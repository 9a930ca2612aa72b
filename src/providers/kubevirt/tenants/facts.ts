/** What a project's namespace is made from: whose it is, what it may hold, what its tenant opens. */

export interface TenancyFacts {
  readonly controlPlaneId: string;
  /** All of the cluster: a project gets none of those that it was not given. */
  readonly storageClasses: readonly string[];
  readonly gpuResources: readonly string[];
  /** Device classes (DRA) whose devices are sold as GPUs. */
  readonly deviceClasses: readonly string[];
  /** Where images are, from which machines' disks are cloned. */
  readonly imageNamespaces: readonly string[];
  /** Namespaces whose pods reach into machines: the control plane's, KubeVirt's for port-forward. */
  readonly gateways: readonly string[];
  readonly storageNamespace: string;
  readonly dnsNamespace: string;
  /** Of resolvers that no namespace selects: on the node itself. */
  readonly dnsAddresses: readonly string[];
  /** Of pods, services and nodes: what outbound traffic must not reach. */
  readonly clusterCidrs: readonly string[];
  readonly podSecurity: "privileged" | "baseline" | "restricted";
}

/** A port of one lease's machine, or of all machines, open to others than its own network. */
export interface Opening {
  /** The lease. Absent: all machines of the project. */
  readonly resourceId?: string;
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
  readonly from: readonly string[];
}

export interface ProjectQuota {
  readonly machinesMax: number;
  readonly vcpusMax: number;
  readonly memoryBytesMax: number;
  readonly storageBytesMax: number;
  /** By resource name, or device class. */
  readonly gpusMax: Readonly<Record<string, number>>;
  readonly hugePageBytesMax: Readonly<Partial<Record<"2Mi" | "1Gi", number>>>;
  readonly storageClasses: readonly string[];
  /** Of one machine, the largest that it may have: room for it to move, and for its disk to be copied. */
  readonly largest: {
    readonly vcpus: number;
    readonly memoryBytes: number;
    readonly diskBytes: number;
  };
  /** CPUs of a machine besides its guest's: the isolated emulator's, those of threads for disks. */
  readonly extraCpus: number;
}

export interface Viewer {
  readonly kind: "User" | "Group";
  readonly name: string;
}

export interface ProjectAsk {
  readonly tenantId: string;
  readonly projectId: string;
  /** `core` projects hold core machines only. */
  readonly serviceClass: "core" | "standard";
  readonly quota: ProjectQuota;
  readonly networks: readonly string[];
  readonly outbound: boolean;
  readonly openings: readonly Opening[];
  /** People of the tenant who may look at what is there with Kubernetes' own tools. */
  readonly viewers: readonly Viewer[];
  readonly site: TenancyFacts;
}
