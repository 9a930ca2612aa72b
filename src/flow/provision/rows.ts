/** Schemas of this stage's jsonb columns. */
import { z } from "zod";

import type { MachineSpec } from "#providers/provider.ts";

import type { AttemptStatus, PendingCall } from "./view.ts";

export const pendingCallRow: z.ZodType<PendingCall> = z.object({
  key: z.string(),
  kind: z.enum([
    "create",
    "start",
    "shutdown",
    "reboot",
    "resize",
    "move",
    "snapshot",
    "revert",
    "snapshot-delete",
    "interrupt",
    "go-on",
    "delete",
  ]),
  native: z.string().nullable(),
  operationId: z.string().nullable(),
  issuedAt: z.number(),
});

const cpu = z.object({ sockets: z.int(), cores: z.int(), threads: z.int() });

export const machineSpecRow: z.ZodType<MachineSpec> = z.object({
  id: z.string(),
  name: z.string(),
  hostId: z.string(),
  image: z.string(),
  cpu,
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
  pinning: z
    .object({ numaNode: z.int().exactOptional(), exclusive: z.literal(true).exactOptional() })
    .exactOptional(),
  serviceClass: z.enum(["core", "standard"]),
  wants: z
    .object({
      hostLabels: z.record(z.string(), z.string()).exactOptional(),
      tolerations: z.array(z.string()).exactOptional(),
      apart: z.literal(true).exactOptional(),
      hugePages: z.enum(["2Mi", "1Gi"]).exactOptional(),
      cpuModel: z.literal("host-passthrough").exactOptional(),
      disks: z.array(z.object({ name: z.string(), bytes: z.number() })).exactOptional(),
    })
    .exactOptional(),
  network: z.string(),
  loginUser: z.string(),
  sshKeys: z.array(z.string()),
  userData: z.string().exactOptional(),
  fromSnapshot: z.string().exactOptional(),
  workload: z
    .object({
      command: z.array(z.string()),
      environment: z.record(z.string(), z.string()),
      addressVariable: z.string().exactOptional(),
      inputsPath: z.string().exactOptional(),
      checkpoint: z.array(z.string()).exactOptional(),
      timeLimitSeconds: z.number(),
      logBytesMax: z.number(),
      resultsBytesMax: z.number(),
      gang: z
        .object({
          id: z.string(),
          size: z.int(),
          rank: z.int(),
          how: z.enum(["pack", "spread"]),
        })
        .exactOptional(),
      framework: z.enum(["none", "pytorch", "tensorflow"]).exactOptional(),
      tier: z.enum(["diamond", "gold", "ordinary"]).exactOptional(),
      preemptible: z.boolean().exactOptional(),
      graceSeconds: z.number().exactOptional(),
    })
    .exactOptional(),
  owner: z.object({ tenantId: z.string(), projectId: z.string(), resourceId: z.string() }),
});

export const attemptRow: z.ZodType<AttemptStatus> = z.object({
  state: z.enum(["pending", "running", "ended"]),
  startedAt: z.number().exactOptional(),
  endedAt: z.number().exactOptional(),
  end: z
    .discriminatedUnion("kind", [
      z.object({ kind: z.literal("exited"), exitCode: z.int() }),
      z.object({ kind: z.literal("signaled"), signal: z.string() }),
      z.object({ kind: z.literal("timed_out") }),
      z.object({ kind: z.literal("canceled") }),
      z.object({ kind: z.literal("preempted"), detail: z.string().exactOptional() }),
      z.object({
        kind: z.literal("platform_fault"),
        detail: z.string(),
        moved: z.literal(true).exactOptional(),
      }),
    ])
    .exactOptional(),
  logBytes: z.number(),
});

export const endpointRow = z.object({
  service: z.literal("ssh"),
  host: z.string(),
  port: z.int(),
});
