/** Disks, snapshots, restores, clones and migrations as we write them. */
import type { Labels, Metadata, Reference } from "./meta.ts";

export interface DataVolumeSpec {
  readonly source?: {
    readonly blank?: Readonly<Record<string, never>>;
    readonly registry?: { readonly url: string };
    readonly http?: { readonly url: string };
    readonly pvc?: { readonly namespace: string; readonly name: string };
    readonly snapshot?: { readonly namespace: string; readonly name: string };
  };
  readonly sourceRef?: {
    readonly kind: "DataSource";
    readonly namespace: string;
    readonly name: string;
  };
  readonly storage: {
    readonly storageClassName?: string;
    readonly accessModes?: readonly string[];
    readonly volumeMode?: "Block" | "Filesystem";
    readonly resources: { readonly requests: { readonly storage: string } };
  };
}

export interface MachineSnapshot {
  readonly apiVersion: "snapshot.kubevirt.io/v1beta1";
  readonly kind: "VirtualMachineSnapshot";
  readonly metadata: Metadata;
  readonly spec: {
    readonly source: Reference;
    readonly deletionPolicy: "Delete" | "Retain";
    readonly failureDeadline: string;
  };
}

export interface MachineRestore {
  readonly apiVersion: "snapshot.kubevirt.io/v1beta1";
  readonly kind: "VirtualMachineRestore";
  readonly metadata: Metadata;
  readonly spec: {
    readonly target: Reference;
    readonly virtualMachineSnapshotName: string;
    readonly targetReadinessPolicy: "StopTarget" | "FailImmediate";
  };
}

export interface MachineClone {
  readonly apiVersion: "clone.kubevirt.io/v1beta1";
  readonly kind: "VirtualMachineClone";
  readonly metadata: Metadata;
  readonly spec: {
    readonly source: Reference;
    readonly target: Reference;
    readonly labelFilters: readonly string[];
    readonly annotationFilters: readonly string[];
    readonly template: { readonly labelFilters: readonly string[] };
    readonly newSMBiosSerial: string;
    readonly volumeNamePolicy: "PrefixTargetName";
    readonly patches: readonly string[];
  };
}

export interface Migration {
  readonly apiVersion: "kubevirt.io/v1";
  readonly kind: "VirtualMachineInstanceMigration";
  readonly metadata: Metadata;
  readonly spec: { readonly vmiName: string; readonly addedNodeSelector?: Labels };
}
