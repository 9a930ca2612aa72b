/**
 * A VirtualMachine of KubeVirt as we write it, and as the checks read one. Words that KubeVirt decides
 * over are plain text here, since a check must be able to hold what is wrong; `compile/` writes only
 * right ones.
 */
import type { Amounts, Labels, LabelSelector, Metadata, Requirement } from "./meta.ts";
import type { DataVolumeSpec } from "./storage.ts";

export interface VirtualMachine {
  readonly apiVersion: "kubevirt.io/v1";
  readonly kind: "VirtualMachine";
  readonly metadata: Metadata;
  readonly spec: MachineBody;
}

export interface MachineBody {
  readonly runStrategy?: string;
  readonly template: {
    readonly metadata?: { readonly labels?: Labels; readonly annotations?: Labels };
    readonly spec: InstanceBody;
  };
  readonly dataVolumeTemplates?: readonly DataVolumeTemplate[];
}

export interface DataVolumeTemplate {
  readonly metadata: { readonly name: string; readonly labels?: Labels };
  readonly spec: DataVolumeSpec;
}

/** The spec of a VirtualMachineInstance. */
export interface InstanceBody {
  readonly architecture?: string;
  readonly hostname?: string;
  readonly domain: Domain;
  readonly networks?: readonly Network[];
  readonly volumes?: readonly Volume[];
  readonly resourceClaims?: readonly {
    readonly name: string;
    readonly resourceClaimTemplateName?: string;
  }[];
  readonly evictionStrategy?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly priorityClassName?: string;
  readonly schedulerName?: string;
  readonly nodeSelector?: Labels;
  readonly affinity?: Affinity;
  readonly tolerations?: readonly Toleration[];
}

export interface Domain {
  readonly cpu?: DomainCpu;
  readonly memory?: {
    readonly guest?: string;
    readonly maxGuest?: string;
    readonly hugepages?: { readonly pageSize: string };
  };
  readonly resources?: {
    readonly requests?: Amounts;
    readonly limits?: Amounts;
    readonly overcommitGuestOverhead?: boolean;
  };
  readonly ioThreadsPolicy?: string;
  readonly ioThreads?: { readonly supplementalPoolThreadCount: number };
  readonly machine?: { readonly type: string };
  readonly firmware?: {
    readonly uuid?: string;
    readonly serial?: string;
    readonly bootloader?: {
      readonly efi?: { readonly secureBoot?: boolean };
      readonly bios?: Readonly<Record<string, never>>;
    };
  };
  readonly devices: Devices;
}

export interface DomainCpu {
  readonly sockets?: number;
  readonly cores?: number;
  readonly threads?: number;
  readonly maxSockets?: number;
  readonly model?: string;
  readonly features?: readonly { readonly name: string; readonly policy?: string }[];
  readonly dedicatedCpuPlacement?: boolean;
  readonly isolateEmulatorThread?: boolean;
  readonly numa?: { readonly guestMappingPassthrough?: Readonly<Record<string, never>> };
}

export interface Devices {
  readonly disks?: readonly Disk[];
  readonly interfaces?: readonly Interface[];
  readonly gpus?: readonly Gpu[];
  readonly blockMultiQueue?: boolean;
  readonly networkInterfaceMultiqueue?: boolean;
  readonly autoattachGraphicsDevice?: boolean;
  readonly autoattachSerialConsole?: boolean;
  readonly autoattachMemBalloon?: boolean;
  readonly logSerialConsole?: boolean;
  readonly rng?: Readonly<Record<string, never>>;
  readonly tpm?: { readonly enabled?: boolean };
}

export interface Disk {
  readonly name: string;
  readonly disk?: { readonly bus: string };
  readonly cdrom?: { readonly bus: string };
  readonly bootOrder?: number;
  readonly cache?: string;
  readonly io?: string;
  readonly dedicatedIOThread?: boolean;
  readonly serial?: string;
}

export interface Interface {
  readonly name: string;
  readonly model?: string;
  readonly masquerade?: Readonly<Record<string, never>>;
  readonly bridge?: Readonly<Record<string, never>>;
  readonly sriov?: Readonly<Record<string, never>>;
  readonly macAddress?: string;
}

export interface Gpu {
  readonly name: string;
  /** The resource name of its device plug-in; or a claim instead. */
  readonly deviceName?: string;
  readonly claimName?: string;
  readonly requestName?: string;
  readonly virtualGPUOptions?: {
    readonly display?: {
      readonly enabled?: boolean;
      readonly ramFB?: { readonly enabled?: boolean };
    };
  };
}

export interface Network {
  readonly name: string;
  readonly pod?: Readonly<Record<string, never>>;
  readonly multus?: { readonly networkName: string };
}

interface SecretName {
  readonly name: string;
}

interface CloudInit {
  readonly userData?: string;
  readonly networkData?: string;
  readonly secretRef?: SecretName;
  readonly networkDataSecretRef?: SecretName;
}

export interface Volume {
  readonly name: string;
  readonly dataVolume?: { readonly name: string };
  readonly persistentVolumeClaim?: { readonly claimName: string };
  readonly containerDisk?: { readonly image: string };
  readonly emptyDisk?: { readonly capacity: string };
  readonly hostDisk?: { readonly path: string; readonly type: string };
  readonly cloudInitNoCloud?: CloudInit;
  readonly cloudInitConfigDrive?: CloudInit;
}

interface NodeTerm {
  readonly matchExpressions: readonly Requirement[];
}

interface PodTerm {
  readonly labelSelector: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly topologyKey: string;
}

export interface Affinity {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: {
      readonly nodeSelectorTerms: readonly NodeTerm[];
    };
    readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
      readonly weight: number;
      readonly preference: NodeTerm;
    }[];
  };
  readonly podAntiAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodTerm[];
    readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
      readonly weight: number;
      readonly podAffinityTerm: PodTerm;
    }[];
  };
}

export interface Toleration {
  readonly key: string;
  readonly operator: "Exists" | "Equal";
  readonly value?: string;
  readonly effect?: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
}
