/**
 * What is written in an instance's directory, and how it is read back: `spec.json` is what was
 * asked for and never changes; `state.json` is what became of it, replaced as a whole under the
 * machine's lock. Both are parsed on every read, because a file on disk is foreign input.
 */
import { z } from "zod";

import type { CpuTopology, MachineSpec, StopEvidence, WorkloadEnd } from "#providers/provider.ts";

const cpuSchema = z.object({
  sockets: z.int().min(1).max(64),
  cores: z.int().min(1).max(512),
  threads: z.int().min(1).max(8),
});

const ownerSchema = z.object({
  tenantId: z.string(),
  projectId: z.string(),
  resourceId: z.string(),
});

const workloadSpecSchema = z.object({
  command: z.array(z.string()).min(1),
  environment: z.record(z.string(), z.string()),
  addressVariable: z.string().exactOptional(),
  inputsPath: z.string().exactOptional(),
  checkpoint: z.array(z.string()).min(1).exactOptional(),
  timeLimitSeconds: z.number().positive(),
  logBytesMax: z.int().min(0),
  resultsBytesMax: z.int().min(0),
});

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const specSchema = z.object({
  id: z.string().regex(uuidPattern, "must be a uuid in lower case"),
  name: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "must be a DNS label"),
  hostId: z.string(),
  image: z.string().min(1).max(200),
  cpu: cpuSchema,
  memoryBytes: z.int().positive(),
  diskBytes: z.int().positive(),
  gpus: z.array(z.object({ deviceId: z.string(), model: z.string(), slice: z.number() })),
  pinning: z
    .object({
      numaNode: z.int().min(0).exactOptional(),
      exclusive: z.literal(true).exactOptional(),
    })
    .exactOptional(),
  serviceClass: z.enum(["core", "standard"]),
  network: z.string().min(1).max(200),
  loginUser: z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, "must be a user name"),
  sshKeys: z.array(z.string().regex(/^[^\n\r]*$/, "must be one line")).max(100),
  userData: z.string().max(65_536).exactOptional(),
  fromSnapshot: z.string().max(100).exactOptional(),
  workload: workloadSpecSchema.exactOptional(),
  owner: ownerSchema,
}) satisfies z.ZodType<MachineSpec>;

const identitySchema = z.object({
  pid: z.int(),
  startTicks: z.number(),
  bootId: z.string(),
});

const hardwareSchema = z.object({
  cpu: cpuSchema,
  memoryBytes: z.int(),
  diskBytes: z.int(),
});

/** CPU, memory and disk of a machine. */
export interface Hardware {
  readonly cpu: CpuTopology;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

/** Of a deletion: the snapshot that outlives the machine. */
export const deleteSchema = z.object({ keep: z.string() }).nullable();

/** What QEMU was started with, and what was plugged in since: needed to load memory back into it. */
const boardSchema = z.object({
  cpu: cpuSchema,
  vcpus: z.int(),
  memoryBytes: z.int(),
  /** Sizes of memory modules plugged into the running machine. */
  modules: z.array(z.int()),
});
export type Board = z.infer<typeof boardSchema>;

const launchSchema = z.object({
  number: z.int(),
  /** The uuid that this QEMU process carries: ours, or that of the pool member it was. */
  uuid: z.string(),
  /** Null between the intent, which is written first, and the proof that QEMU runs. */
  process: identitySchema.nullable(),
  start: z.enum(["cold", "warm"]),
  at: z.number(),
  board: boardSchema,
});
export type Launch = z.infer<typeof launchSchema>;

const stopSchema = z.object({
  at: z.number(),
  reason: z.enum(["requested", "guest", "crashed"]),
  detail: z.string(),
}) satisfies z.ZodType<StopEvidence>;

const endSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("exited"), exitCode: z.int() }),
  z.object({ kind: z.literal("signaled"), signal: z.string() }),
  z.object({ kind: z.literal("timed_out") }),
  z.object({ kind: z.literal("interrupted") }),
  z.object({
    kind: z.literal("evicted"),
    by: z.enum(["preempted", "reclaimed", "node", "queue"]),
    detail: z.string(),
  }),
  z.object({ kind: z.literal("platform_fault"), detail: z.string() }),
]) satisfies z.ZodType<WorkloadEnd>;

const workloadStateSchema = z.object({
  state: z.enum(["pending", "running", "ended"]),
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  end: endSchema.nullable(),
});
export type WorkloadRecord = z.infer<typeof workloadStateSchema>;

const snapshotSchema = z.object({
  id: z.string(),
  name: z.string(),
  takenAt: z.number(),
  withMemory: z.boolean(),
  bytes: z.number(),
  hardware: hardwareSchema,
  board: boardSchema.nullable(),
});
export type SnapshotRecord = z.infer<typeof snapshotSchema>;

const imageSchema = z.object({
  id: z.string(),
  name: z.string(),
  kernelArguments: z.string(),
  defaultUser: z.string(),
});
export type ImageRecord = z.infer<typeof imageSchema>;

export const stateSchema = z.object({
  createdAt: z.number(),
  slot: z.int(),
  uid: z.int().nullable(),
  sshPort: z.int(),
  image: imageSchema,
  /** The disk file is there with its backing chain. */
  diskMade: z.boolean(),
  hardware: hardwareSchema,
  /** What the next start gives it. */
  wanted: hardwareSchema,
  /** What we want it to be: tells a stop that we asked for from one that we did not. */
  intent: z.enum(["run", "stop"]),
  power: z.enum(["running", "paused", "stopped"]),
  powerSince: z.number(),
  launches: z.int(),
  launch: launchSchema.nullable(),
  /** False while a clone stands still, not yet plugged into its tenant's network. */
  wired: z.boolean(),
  stop: stopSchema.nullable(),
  readyAt: z.number().nullable(),
  /** On its tenant's network, from when its guest was given it. */
  address: z.string().exactOptional(),
  workload: workloadStateSchema.nullable(),
  snapshots: z.array(snapshotSchema),
});
export type State = z.infer<typeof stateSchema>;

export const operationSchema = z.object({
  id: z.string(),
  machineId: z.string(),
  kind: z.string(),
  /** The request as text: the same id with another request is refused. */
  request: z.string(),
  owner: ownerSchema,
  acceptedAt: z.number(),
  state: z.enum(["running", "done", "failed"]),
  endedAt: z.number().nullable(),
  note: z.string().nullable(),
  error: z
    .object({
      code: z.enum(["not_found", "capacity", "throttled", "unavailable", "refused", "unknown"]),
      message: z.string(),
      effect: z.enum(["none", "maybe", "done"]),
    })
    .nullable(),
});
export type OperationRecord = z.infer<typeof operationSchema>;

export function vcpusOf(cpu: CpuTopology): number {
  return cpu.sockets * cpu.cores * cpu.threads;
}

export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}
