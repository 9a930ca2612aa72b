/** Schemas of the jsonb columns that travel through the flow. */
import { z } from "zod";

import type { Reason } from "#kernel/reason.ts";
import type { Shape } from "#kernel/shape.ts";

export const shapeRow: z.ZodType<Shape> = z.object({
  flavor: z.string(),
  vcpus: z.int(),
  cpu: z.object({ sockets: z.int(), cores: z.int(), threads: z.int() }),
  memoryMiB: z.int(),
  diskGiB: z.int(),
  gpu: z
    .object({
      model: z.string(),
      count: z.int(),
      slice: z.int(),
      nvlink: z.boolean().default(false),
    })
    .nullable(),
  serviceClass: z.enum(["core", "standard"]),
  overcommitPercent: z.int(),
  hugePages: z.enum(["none", "2Mi", "1Gi"]),
  hostLabels: z.record(z.string(), z.string()),
  antiAffinity: z.boolean(),
  tolerations: z.array(z.string()),
  // What was admitted before there were pools says nothing of them.
  pool: z.string().nullable().default(null),
  numa: z.boolean().default(false),
  cpuModel: z.literal("host-passthrough").exactOptional(),
  furtherDisks: z.array(z.object({ name: z.string(), sizeGiB: z.int() })).exactOptional(),
});

export const reasonRow: z.ZodType<Reason> = z.object({
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});

/** What a job runs: kept with the request, handed to each attempt. */
export const workloadRow = z.object({
  command: z.array(z.string()),
  script: z.string().nullable(),
  environment: z.record(z.string(), z.string()),
  inputs: z.array(z.string()),
  framework: z.enum(["none", "pytorch", "tensorflow"]),
  timeLimitSeconds: z.int(),
  /** As its owner said; its limit when left out. */
  expectedSeconds: z.int().exactOptional(),
  /** RFC 3339. */
  deadline: z.string().exactOptional(),
  platformRetriesMax: z.int(),
  preemptible: z.boolean().default(false),
  /** A line for /bin/sh that saves the work. */
  checkpoint: z.string().nullable().default(null),
});
export type Workload = z.output<typeof workloadRow>;
