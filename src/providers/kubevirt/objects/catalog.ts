/** Instance types, preferences, pools and their autoscalers as we write them. */
import type { DomainCpu, Gpu, VirtualMachine } from "./machine.ts";
import type { Labels, LabelSelector, Metadata } from "./meta.ts";

export interface ClusterInstancetype {
  readonly apiVersion: "instancetype.kubevirt.io/v1beta1";
  readonly kind: "VirtualMachineClusterInstancetype";
  readonly metadata: Metadata;
  readonly spec: {
    readonly cpu: {
      readonly guest: number;
      readonly model?: string;
      readonly dedicatedCPUPlacement?: boolean;
      readonly isolateEmulatorThread?: boolean;
      readonly numa?: NonNullable<DomainCpu["numa"]>;
    };
    readonly memory: { readonly guest: string; readonly hugepages?: { readonly pageSize: string } };
    readonly gpus?: readonly Gpu[];
    readonly nodeSelector?: Labels;
  };
}

export interface ClusterPreference {
  readonly apiVersion: "instancetype.kubevirt.io/v1beta1";
  readonly kind: "VirtualMachineClusterPreference";
  readonly metadata: Metadata;
  readonly spec: {
    readonly cpu: {
      readonly preferredCPUTopology: "spread" | "cores" | "sockets" | "threads";
      readonly spreadOptions?: { readonly across: string; readonly ratio: number };
    };
    readonly devices: {
      readonly preferredDiskBus: "virtio";
      readonly preferredInterfaceModel: "virtio";
      readonly preferredNetworkInterfaceMultiQueue: boolean;
      readonly preferredBlockMultiQueue: boolean;
    };
  };
}

export interface MachinePool {
  readonly apiVersion: "pool.kubevirt.io/v1beta1";
  readonly kind: "VirtualMachinePool";
  readonly metadata: Metadata;
  readonly spec: {
    /** Absent where an autoscaler says it: two writers of it would undo each other. */
    readonly replicas?: number;
    readonly selector: LabelSelector;
    readonly virtualMachineTemplate: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: VirtualMachine["spec"];
    };
    readonly nameGeneration: {
      readonly appendIndexToSecretRefs: boolean;
      readonly appendIndexToConfigMapRefs: boolean;
    };
  };
}

export interface Autoscaler {
  readonly apiVersion: "autoscaling/v2";
  readonly kind: "HorizontalPodAutoscaler";
  readonly metadata: Metadata;
  readonly spec: {
    readonly scaleTargetRef: {
      readonly apiVersion: string;
      readonly kind: string;
      readonly name: string;
    };
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly metrics: readonly {
      readonly type: "Resource";
      readonly resource: {
        readonly name: "cpu" | "memory";
        readonly target: { readonly type: "Utilization"; readonly averageUtilization: number };
      };
    }[];
    readonly behavior: {
      readonly scaleDown: { readonly stabilizationWindowSeconds: number };
    };
  };
}
