/**
 * What the driver keeps in memory of a machine and of its run: what `observe/` reads of them, and what
 * the driver itself wrote there. Pure.
 */
import { z } from "zod";

import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { labelKeys, ownerOf } from "#providers/kubevirt/compile/labels.ts";
import { machineIdOf, namespaceName } from "#providers/kubevirt/compile/names.ts";
import { parseUnits } from "#providers/kubevirt/compile/quantity.ts";
import { read, type SeenInstance, type SeenMachine } from "#providers/kubevirt/observe/seen.ts";
import type { CpuTopology, Owner } from "#providers/machine.ts";

import { recordsOf, type OperationRecord } from "./records.ts";
import { runOf, type RunRecord } from "./run-record.ts";

/** The node that placement chose: the machine may run elsewhere since. */
export const hostKey = "millrace.dev/host";
/** What its first disk was grown to, the further ones apart: the template keeps what it began with. */
export const diskKey = "millrace.dev/disk-bytes";

/** What it was sold as. */
export const classKey = "millrace.dev/service-class";
/** `exclusive`: it was asked for CPUs of its own. */
export const pinnedKey = "millrace.dev/pinned";

const storage = z.object({
  storageClassName: z.string().optional(),
  resources: z.object({ requests: z.object({ storage: z.string() }) }),
});

const disks = z
  .array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ storage: storage.optional() }),
    }),
  )
  .default([]);

/** Only those that are disks of the machine's own. */
const volumes = z
  .array(z.object({ name: z.string(), dataVolume: z.object({ name: z.string() }).optional() }))
  .default([]);

const gpus = z.array(z.object({ deviceName: z.string().optional() })).default([]);

const machineRest = z.object({
  spec: z.object({
    dataVolumeTemplates: disks,
    template: z.object({
      metadata: z
        .object({ labels: z.record(z.string(), z.string()).default({}) })
        .default({ labels: {} }),
      spec: z.object({
        domain: z.object({ devices: z.object({ gpus }).default({ gpus: [] }) }),
        volumes,
      }),
    }),
  }),
});

const cpu = z.object({ sockets: z.int(), cores: z.int(), threads: z.int() });

const instanceRest = z.object({
  status: z
    .object({
      currentCPUTopology: cpu.optional(),
      memory: z.object({ guestCurrent: z.string().optional() }).optional(),
    })
    .optional(),
});

export interface KeptMachine {
  readonly machineId: string;
  readonly namespace: string;
  readonly name: string;
  readonly owner: Owner | undefined;
  readonly seen: SeenMachine;
  readonly records: readonly OperationRecord[];
  readonly run: RunRecord | undefined;
  readonly hostId: string;
  /** Whose machines it reaches; empty if somebody took the label off. */
  readonly network: string;
  /** Of all its disks. */
  readonly diskBytes: number;
  /** Of the first one, which alone grows. */
  readonly rootBytes: number;
  /** What its claim was made for. */
  readonly rootBytesMade: number;
  /** By what holds each, and its name in the machine: a revert puts others in their place. */
  readonly disks: readonly {
    readonly name: string;
    readonly volume: string;
    readonly storageClass: string;
  }[];
  /** Resource names, one for each GPU. */
  readonly gpus: readonly string[];
}

export interface KeptInstance {
  readonly seen: SeenInstance;
  /** What it has; what it is to have arrives later (hot plug). */
  readonly cpu: CpuTopology;
  readonly memoryBytes: number;
}

/** By its name, which nobody can edit, unlike its labels. */
export function machineIdIn({ metadata }: KubeObject): string | undefined {
  return machineIdOf(metadata.name);
}

/** A copy that somebody made in another namespace still says whose project it was. */
export function isInPlace({ metadata }: KubeObject): boolean {
  const project = metadata.labels?.[labelKeys.project];
  return project !== undefined && metadata.namespace === namespaceName(project);
}

export function keptMachine(object: KubeObject): KeptMachine {
  const seen = read.machine(object);
  const { spec } = machineRest.parse(object);
  const { annotations, labels, name, namespace } = seen.metadata;
  const templates = spec.dataVolumeTemplates;
  const [first = 0, ...further] = templates.map((each) =>
    bytesOf(each.spec.storage?.resources.requests.storage),
  );
  const rootBytes = Number(annotations[diskKey] ?? first);
  return {
    machineId: machineIdOf(name) ?? "",
    namespace,
    name,
    owner: ownerOf(labels),
    seen,
    records: recordsOf(annotations),
    run: runOf(annotations),
    hostId: annotations[hostKey] ?? "",
    network: spec.template.metadata.labels[labelKeys.network] ?? "",
    diskBytes: further.reduce((sum, bytes) => sum + bytes, rootBytes),
    rootBytes,
    rootBytesMade: first,
    disks: templates.map(({ metadata, spec: { storage: of } }) => ({
      name: metadata.name,
      volume:
        spec.template.spec.volumes.find(({ dataVolume }) => dataVolume?.name === metadata.name)
          ?.name ?? metadata.name,
      storageClass: of?.storageClassName ?? "",
    })),
    gpus: spec.template.spec.domain.devices.gpus.map(({ deviceName }) => deviceName ?? ""),
  };
}

export function keptInstance(object: KubeObject): KeptInstance {
  const seen = read.instance(object);
  const { status } = instanceRest.parse(object);
  const { domain } = seen.spec;
  return {
    seen,
    cpu: status?.currentCPUTopology ?? topologyOf(domain.cpu),
    memoryBytes: bytesOf(status?.memory?.guestCurrent ?? domain.memory.guest),
  };
}

export function topologyOf({
  sockets = 1,
  cores = 1,
  threads = 1,
}: SeenMachine["spec"]["template"]["spec"]["domain"]["cpu"]): CpuTopology {
  return { sockets, cores, threads };
}

export function bytesOf(text: string | undefined): number {
  return Number(parseUnits(text ?? "0") ?? 0n);
}
