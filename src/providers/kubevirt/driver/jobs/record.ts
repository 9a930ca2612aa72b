/**
 * One member of an attempt as it is written down in the cluster: a ConfigMap that is there before its Job
 * and goes after it. It is the machine of the contract: what was asked for, what was done to it, and when
 * its program ran. A ConfigMap and no Secret, because the control plane reads no Secrets; what is in it is
 * what its Job says anyway. What must stay true: an end that is written here is never written otherwise.
 * Pure.
 */
import { createHash } from "node:crypto";

import { z } from "zod";

import type { KubeObject, NewObject } from "#providers/kubevirt/client/object.ts";
import { labelKeys, machineLabels, ownerOf } from "#providers/kubevirt/compile/labels.ts";
import { machineName, namespaceName, partName } from "#providers/kubevirt/compile/names.ts";
import { recordsOf, type OperationRecord } from "#providers/kubevirt/driver/records.ts";
import { attemptLabel } from "#providers/kubevirt/jobs/names.ts";
import type { MachineSpec, Owner, WorkloadSpec } from "#providers/machine.ts";

import { type RunNote, runNoteOf } from "./run-note.ts";

/** The uid of the Job that was made of it: from then on a Job that is missing is one that went. */
const madeKey = "millrace.dev/job";
/** Since when it is to go. */
const goingKey = "millrace.dev/going";
/** Chosen by placement; Kubernetes may choose another node. */
const hostKey = "millrace.dev/host";

export interface MemberRecord {
  readonly machineId: string;
  readonly attemptId: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: string;
  readonly createdAt: number;
  readonly owner: Owner | undefined;
  readonly spec: MachineSpec;
  readonly workload: WorkloadSpec;
  readonly rank: number;
  /** Members of its attempt. */
  readonly size: number;
  readonly operations: readonly OperationRecord[];
  readonly run: RunNote | undefined;
  readonly made: string | undefined;
  readonly going: boolean;
}

/** Of its one machine, or made of what its gang calls the attempt: the same for all members. */
export function attemptIdOf({ id, workload }: Pick<MachineSpec, "id" | "workload">): string {
  const gang = workload?.gang;
  if (gang === undefined) return id;
  const hash = createHash("sha256").update(`millrace gang ${gang.id}`).digest("hex");
  // As a name-based uuid looks (RFC 9562, version 8).
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`];
  return [...parts, `8${hash.slice(17, 20)}`, hash.slice(20, 32)].join("-");
}

export function recordName(machineId: string): string {
  return partName(machineName(machineId), "job");
}

export function newRecord(
  controlPlaneId: string,
  spec: MachineSpec,
  annotations: Readonly<Record<string, string>>,
): NewObject & { readonly data: Readonly<Record<string, string>> } {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: recordName(spec.id),
      namespace: namespaceName(spec.owner.projectId),
      labels: { ...machineLabels(controlPlaneId, spec), [attemptLabel]: attemptIdOf(spec) },
      annotations: { ...annotations, [hostKey]: spec.hostId },
    },
    // Keys and cloud-init are for machines: no pod is entered.
    data: { spec: JSON.stringify({ ...spec, sshKeys: [], userData: undefined }) },
  };
}

export function madeAnnotation(jobUid: string): Readonly<Record<string, string>> {
  return { [madeKey]: jobUid };
}

export function goingAnnotation(at: number): Readonly<Record<string, string>> {
  return { [goingKey]: new Date(at).toISOString() };
}

const gang = z.object({
  id: z.string(),
  size: z.int().min(1).max(4096),
  rank: z.int().min(0),
  how: z.enum(["pack", "spread"]),
});

const workload = z.object({
  command: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
  inputsPath: z.string().exactOptional(),
  checkpoint: z.array(z.string()).exactOptional(),
  addressVariable: z.string().exactOptional(),
  timeLimitSeconds: z.number(),
  logBytesMax: z.number(),
  resultsBytesMax: z.number(),
  gang: gang.exactOptional(),
  framework: z.enum(["none", "pytorch", "tensorflow"]).exactOptional(),
  tier: z.enum(["diamond", "gold", "ordinary"]).exactOptional(),
  preemptible: z.boolean().exactOptional(),
  graceSeconds: z.number().exactOptional(),
}) satisfies z.ZodType<WorkloadSpec>;

const spec = z.object({
  id: z.string(),
  name: z.string(),
  hostId: z.string(),
  image: z.string(),
  cpu: z.object({ sockets: z.int(), cores: z.int(), threads: z.int() }),
  memoryBytes: z.number(),
  diskBytes: z.number(),
  gpus: z.array(
    z.object({
      deviceId: z.string(),
      model: z.string(),
      slice: z.int(),
      resource: z.string().exactOptional(),
    }),
  ),
  serviceClass: z.enum(["core", "standard"]),
  network: z.string(),
  loginUser: z.string(),
  sshKeys: z.array(z.string()),
  workload,
  owner: z.object({ tenantId: z.string(), projectId: z.string(), resourceId: z.string() }),
});

const configMap = z.object({ data: z.object({ spec: z.string() }) });

/** `undefined` for what is no record of ours any more: somebody has edited it. */
export function machineIdIn(object: KubeObject): string | undefined {
  try {
    const { machineId } = memberRecord(object);
    return object.metadata.labels?.[labelKeys.machine] === machineId ? machineId : undefined;
  } catch {
    return undefined;
  }
}

/** Throws ZodError or SyntaxError for what is no record of ours. */
export function memberRecord(object: KubeObject): MemberRecord {
  const { metadata } = object;
  const { namespace = "", name, annotations = {}, labels = {} } = metadata;
  const asked = spec.parse(JSON.parse(configMap.parse(object).data.spec));
  return {
    machineId: asked.id,
    attemptId: labels[attemptLabel] ?? attemptIdOf(asked),
    namespace,
    name,
    version: metadata.resourceVersion,
    createdAt: Date.parse(metadata.creationTimestamp),
    owner: ownerOf(labels),
    spec: asked,
    workload: asked.workload,
    rank: asked.workload.gang?.rank ?? 0,
    size: asked.workload.gang?.size ?? 1,
    operations: recordsOf(annotations),
    run: runNoteOf(annotations),
    made: annotations[madeKey],
    going: annotations[goingKey] !== undefined,
  };
}
