/**
 * Queues, quotas and jobs as we write them: Kueue's kinds around a plain `batch/v1` Job, and Volcano's.
 * Only the fields that we use.
 */
import type { Kind } from "#providers/kubevirt/client/kind.ts";

import type { Affinity, Toleration } from "./machine.ts";
import type { Amounts, Labels, LabelSelector, Metadata } from "./meta.ts";

/** Kinds that only jobs need, besides those of `kinds.ts`. */
export const jobKinds = {
  topology: {
    group: "kueue.x-k8s.io",
    version: "v1beta2",
    kind: "Topology",
    plural: "topologies",
    namespaced: false,
  },
  volcanoJob: {
    group: "batch.volcano.sh",
    version: "v1alpha1",
    kind: "Job",
    plural: "jobs",
    namespaced: true,
  },
  volcanoQueue: {
    group: "scheduling.volcano.sh",
    version: "v1beta1",
    kind: "Queue",
    plural: "queues",
    namespaced: false,
  },
  podGroup: {
    group: "scheduling.volcano.sh",
    version: "v1beta1",
    kind: "PodGroup",
    plural: "podgroups",
    namespaced: true,
  },
} as const satisfies Record<string, Kind>;

export interface Topology {
  readonly apiVersion: "kueue.x-k8s.io/v1beta2";
  readonly kind: "Topology";
  readonly metadata: Metadata;
  readonly spec: { readonly levels: readonly { readonly nodeLabel: string }[] };
}

export interface ResourceFlavor {
  readonly apiVersion: "kueue.x-k8s.io/v1beta2";
  readonly kind: "ResourceFlavor";
  readonly metadata: Metadata;
  readonly spec: {
    readonly nodeLabels: Labels;
    readonly tolerations?: readonly Toleration[];
    readonly topologyName?: string;
  };
}

export interface FlavorQuota {
  readonly name: string;
  readonly resources: readonly {
    readonly name: string;
    readonly nominalQuota: string;
    readonly borrowingLimit?: string;
  }[];
}

export interface ResourceGroup {
  readonly coveredResources: readonly string[];
  readonly flavors: readonly FlavorQuota[];
}

export interface Cohort {
  readonly apiVersion: "kueue.x-k8s.io/v1beta2";
  readonly kind: "Cohort";
  readonly metadata: Metadata;
  readonly spec: { readonly resourceGroups: readonly ResourceGroup[] };
}

export interface ClusterQueue {
  readonly apiVersion: "kueue.x-k8s.io/v1beta2";
  readonly kind: "ClusterQueue";
  readonly metadata: Metadata;
  readonly spec: {
    readonly cohortName: string;
    readonly namespaceSelector: LabelSelector;
    readonly queueingStrategy: "BestEffortFIFO" | "StrictFIFO";
    readonly flavorFungibility: {
      readonly whenCanBorrow: "MayStopSearch" | "TryNextFlavor";
      readonly whenCanPreempt: "MayStopSearch" | "TryNextFlavor";
    };
    readonly preemption: {
      readonly withinClusterQueue: "Never" | "LowerPriority" | "LowerOrNewerEqualPriority";
      readonly reclaimWithinCohort: "Never" | "LowerPriority" | "Any";
      readonly borrowWithinCohort: {
        readonly policy: "Never" | "LowerPriority";
        readonly maxPriorityThreshold?: number;
      };
    };
    readonly resourceGroups: readonly ResourceGroup[];
    readonly stopPolicy: "None" | "Hold" | "HoldAndDrain";
  };
}

export interface LocalQueue {
  readonly apiVersion: "kueue.x-k8s.io/v1beta2";
  readonly kind: "LocalQueue";
  readonly metadata: Metadata;
  readonly spec: { readonly clusterQueue: string };
}

export interface WorkloadPriorityClass {
  readonly apiVersion: "kueue.x-k8s.io/v1beta2";
  readonly kind: "WorkloadPriorityClass";
  readonly metadata: Metadata;
  readonly value: number;
  readonly description: string;
}

export interface PriorityClass {
  readonly apiVersion: "scheduling.k8s.io/v1";
  readonly kind: "PriorityClass";
  readonly metadata: Metadata;
  readonly value: number;
  readonly preemptionPolicy: "Never" | "PreemptLowerPriority";
  readonly description: string;
}

export interface ConfigMap {
  readonly apiVersion: "v1";
  readonly kind: "ConfigMap";
  readonly metadata: Metadata;
  readonly immutable: boolean;
  readonly data: Labels;
}

/** Gives each member's pod a name in the cluster's DNS. */
export interface HeadlessService {
  readonly apiVersion: "v1";
  readonly kind: "Service";
  readonly metadata: Metadata;
  readonly spec: {
    readonly clusterIP: "None";
    readonly publishNotReadyAddresses: boolean;
    readonly selector: Labels;
  };
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy?: "IfNotPresent" | "Always";
  readonly command: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env: readonly EnvVar[];
  readonly resources: { readonly requests: Amounts; readonly limits: Amounts };
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
  /** An init container that runs beside the others, and ends after them. */
  readonly restartPolicy?: "Always";
  readonly terminationMessagePolicy?: "File";
  readonly securityContext: {
    readonly allowPrivilegeEscalation: false;
    readonly capabilities: { readonly drop: readonly ["ALL"] };
    readonly readOnlyRootFilesystem?: boolean;
  };
}

export interface PodVolume {
  readonly name: string;
  readonly emptyDir?: { readonly sizeLimit: string; readonly medium?: "Memory" };
  readonly configMap?: { readonly name: string; readonly defaultMode: number };
  readonly secret?: { readonly secretName: string; readonly defaultMode: number };
}

export interface PodBody {
  readonly restartPolicy: "Never";
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: false;
  readonly enableServiceLinks: false;
  readonly terminationGracePeriodSeconds: number;
  readonly activeDeadlineSeconds?: number;
  readonly priorityClassName?: string;
  readonly schedulerName?: string;
  readonly subdomain?: string;
  readonly nodeSelector?: Labels;
  readonly tolerations?: readonly Toleration[];
  readonly affinity?: Affinity;
  readonly securityContext: {
    readonly runAsNonRoot: true;
    readonly runAsUser: number;
    readonly runAsGroup: number;
    readonly fsGroup: number;
    readonly seccompProfile: { readonly type: "RuntimeDefault" };
  };
  readonly initContainers: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly PodVolume[];
}

export interface PodTemplate {
  readonly metadata: {
    readonly labels: Labels;
    readonly annotations?: Labels;
    readonly finalizers?: readonly string[];
  };
  readonly spec: PodBody;
}

export interface BatchJob {
  readonly apiVersion: "batch/v1";
  readonly kind: "Job";
  readonly metadata: Metadata;
  readonly spec: {
    readonly suspend: boolean;
    readonly completionMode: "Indexed";
    readonly parallelism: number;
    readonly completions: number;
    readonly backoffLimit: number;
    readonly podReplacementPolicy: "Failed";
    readonly podFailurePolicy: { readonly rules: readonly PodFailureRule[] };
    readonly ttlSecondsAfterFinished: number;
    readonly template: PodTemplate;
  };
}

export interface PodFailureRule {
  readonly action: "FailJob";
  readonly onExitCodes?: {
    readonly containerName: string;
    readonly operator: "In" | "NotIn";
    readonly values: readonly number[];
  };
  readonly onPodConditions?: readonly { readonly type: string; readonly status: "True" }[];
}

export interface VolcanoQueue {
  readonly apiVersion: "scheduling.volcano.sh/v1beta1";
  readonly kind: "Queue";
  readonly metadata: Metadata;
  readonly spec: {
    readonly weight: number;
    readonly reclaimable: boolean;
    /** The most that it may ever use. */
    readonly capability: Amounts;
    /** What it gets back when others are above theirs. */
    readonly deserved: Amounts;
  };
}

export interface VolcanoPolicy {
  readonly events: readonly string[];
  readonly action: "TerminateJob" | "CompleteJob";
}

export interface VolcanoJob {
  readonly apiVersion: "batch.volcano.sh/v1alpha1";
  readonly kind: "Job";
  readonly metadata: Metadata;
  readonly spec: {
    readonly schedulerName: "volcano";
    readonly queue: string;
    readonly priorityClassName: string;
    readonly minAvailable: number;
    readonly minSuccess: number;
    readonly maxRetry: number;
    readonly ttlSecondsAfterFinished: number;
    readonly policies: readonly VolcanoPolicy[];
    readonly plugins: Readonly<Record<string, readonly string[]>>;
    readonly tasks: readonly {
      readonly name: string;
      readonly replicas: number;
      readonly minAvailable: number;
      readonly template: PodTemplate;
    }[];
  };
}
