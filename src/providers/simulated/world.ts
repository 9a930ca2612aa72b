/**
 * What the simulated platform remembers: machines, operations and hosts that are down. This is all
 * of its state; what a machine shows at some time follows from it (advance.ts), so that nothing is
 * lost when the control plane restarts and nobody was there while a machine booted.
 */
import { z } from "zod";

import type {
  CpuTopology,
  MachineSpec,
  Owner,
  Snapshot,
  StopEvidence,
  WorkloadEnd,
} from "#providers/provider.ts";

export interface WorkloadState {
  readonly startedAt: number;
  /** Time that the machine spent paused since then. */
  readonly pausedMs: number;
  readonly endedAt: number | null;
  readonly end: WorkloadEnd | null;
  /** It was told to save its work and to end: when, and what it is given for that. */
  readonly interrupted: { readonly at: number; readonly graceMs: number } | null;
}

export interface MachineState {
  readonly spec: MachineSpec;
  readonly createdAt: number;
  readonly power: "running" | "paused" | "stopped";
  readonly powerSince: number;
  /** While it is being created. */
  readonly startsAt: number | null;
  /** The guest has not booted yet. */
  readonly bootsAt: number | null;
  readonly readyAt: number | null;
  /** The guest is shutting down because we asked. */
  readonly stopsAt: number | null;
  /** Since when the guest does nothing any more and answers nobody. */
  readonly hungAt: number | null;
  readonly stop: StopEvidence | null;
  readonly cpu: CpuTopology;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly pendingCpu: CpuTopology | null;
  readonly pendingMemoryBytes: number | null;
  readonly pendingDiskBytes: number | null;
  readonly snapshots: readonly Snapshot[];
  readonly workload: WorkloadState | null;
  /** Running time before `powerSince`. */
  readonly ranMs: number;
  /** Lines on the serial console, oldest dropped; `serialDropped` counts those. */
  readonly serial: readonly string[];
  readonly serialDropped: number;
}

export interface OperationState {
  readonly id: string;
  readonly machineId: string;
  /** What was asked, in one word: a repeat must ask the same. */
  readonly kind: string;
  readonly owner: Owner;
  readonly acceptedAt: number;
  readonly doneAt: number;
  readonly note: string;
  readonly failure: {
    readonly code: "capacity" | "unavailable" | "refused";
    readonly message: string;
  } | null;
}

/** A snapshot that outlived its machine. */
export interface KeptSnapshot {
  readonly owner: Owner;
  readonly machineId: string;
  readonly diskBytes: number;
  readonly snapshot: Snapshot;
}

export interface World {
  /** The latest time that the platform has acted at; its time never goes back behind it. */
  readonly at: number;
  readonly machines: ReadonlyMap<string, MachineState>;
  /** Oldest first; see `operationsMax`. */
  readonly operations: ReadonlyMap<string, OperationState>;
  /** Host id and since when it is down. */
  readonly hostsDown: ReadonlyMap<string, number>;
  /** By the id of the snapshot. */
  readonly kept: ReadonlyMap<string, KeptSnapshot>;
}

/** Operation records kept; older ones are forgotten, as platforms do. */
export const operationsMax = 2_000;
/** Lines kept of each serial console. */
export const serialLinesMax = 200;

export const emptyWorld: World = {
  at: 0,
  machines: new Map(),
  operations: new Map(),
  hostsDown: new Map(),
  kept: new Map(),
};

const owner = z.object({ tenantId: z.string(), projectId: z.string(), resourceId: z.string() });
const cpu = z.object({ sockets: z.int(), cores: z.int(), threads: z.int() });

const spec: z.ZodType<MachineSpec> = z.object({
  id: z.string(),
  name: z.string(),
  hostId: z.string(),
  image: z.string(),
  cpu,
  memoryBytes: z.int(),
  diskBytes: z.int(),
  gpus: z.array(
    z.object({
      deviceId: z.string(),
      model: z.string(),
      slice: z.int(),
      resource: z.string().exactOptional(),
    }),
  ),
  pinning: z
    .object({ numaNode: z.int().exactOptional(), exclusive: z.literal(true).exactOptional() })
    .exactOptional(),
  serviceClass: z.enum(["core", "standard"]),
  network: z.string(),
  loginUser: z.string(),
  sshKeys: z.array(z.string()),
  userData: z.exactOptional(z.string()),
  fromSnapshot: z.exactOptional(z.string()),
  workload: z.exactOptional(
    z.object({
      command: z.array(z.string()),
      environment: z.record(z.string(), z.string()),
      addressVariable: z.exactOptional(z.string()),
      inputsPath: z.exactOptional(z.string()),
      checkpoint: z.exactOptional(z.array(z.string())),
      timeLimitSeconds: z.number(),
      logBytesMax: z.int(),
      resultsBytesMax: z.int(),
    }),
  ),
  owner,
});

const workloadEnd: z.ZodType<WorkloadEnd> = z.discriminatedUnion("kind", [
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
]);

const snapshot: z.ZodType<Snapshot> = z.object({
  id: z.string(),
  name: z.string(),
  takenAt: z.number(),
  withMemory: z.boolean(),
  bytes: z.int(),
});

const machine: z.ZodType<MachineState> = z.object({
  spec,
  createdAt: z.number(),
  power: z.enum(["running", "paused", "stopped"]),
  powerSince: z.number(),
  startsAt: z.number().nullable(),
  bootsAt: z.number().nullable(),
  readyAt: z.number().nullable(),
  stopsAt: z.number().nullable(),
  // A world of an earlier release has neither this nor `interrupted`.
  hungAt: z.number().nullable().default(null),
  stop: z
    .object({
      at: z.number(),
      reason: z.enum(["requested", "guest", "crashed"]),
      detail: z.string(),
    })
    .nullable(),
  cpu,
  memoryBytes: z.int(),
  diskBytes: z.int(),
  pendingCpu: cpu.nullable(),
  pendingMemoryBytes: z.int().nullable(),
  pendingDiskBytes: z.int().nullable(),
  snapshots: z.array(snapshot),
  workload: z
    .object({
      startedAt: z.number(),
      pausedMs: z.number(),
      endedAt: z.number().nullable(),
      end: workloadEnd.nullable(),
      interrupted: z.object({ at: z.number(), graceMs: z.number() }).nullable().default(null),
    })
    .nullable(),
  ranMs: z.number(),
  serial: z.array(z.string()),
  serialDropped: z.int(),
});

const operation: z.ZodType<OperationState> = z.object({
  id: z.string(),
  machineId: z.string(),
  kind: z.string(),
  owner,
  acceptedAt: z.number(),
  doneAt: z.number(),
  note: z.string(),
  failure: z
    .object({ code: z.enum(["capacity", "unavailable", "refused"]), message: z.string() })
    .nullable(),
});

const file = z.object({
  format: z.literal("millrace simulated platform 1"),
  at: z.number(),
  machines: z.array(machine),
  operations: z.array(operation),
  hostsDown: z.record(z.string(), z.number()),
  // A world of an earlier release has none.
  kept: z
    .array(z.object({ owner, machineId: z.string(), diskBytes: z.int(), snapshot }))
    .default([]),
});

export function parseWorld(text: string): World {
  const { at, machines, operations, hostsDown, kept } = file.parse(JSON.parse(text));
  return {
    at,
    machines: new Map(machines.map((each) => [each.spec.id, each])),
    operations: new Map(operations.map((each) => [each.id, each])),
    hostsDown: new Map(Object.entries(hostsDown)),
    kept: new Map(kept.map((each) => [each.snapshot.id, each])),
  };
}

export function printWorld(world: World): string {
  const content: z.infer<typeof file> = {
    format: "millrace simulated platform 1",
    at: world.at,
    machines: [...world.machines.values()],
    operations: [...world.operations.values()],
    hostsDown: Object.fromEntries(world.hostsDown),
    kept: [...world.kept.values()],
  };
  return JSON.stringify(content);
}
