/** Hosted jobs: what is submitted, what becomes of it, and the files that go in and come out. */
import { z } from "zod";

import { besideBody, placedBeside } from "./beside.ts";
import { flavorName, price } from "./catalog.ts";
import { dnsName, id, problem, reason, timestamp } from "./common.ts";
import { usedFlavor } from "./compute.ts";
import { timeLimitSecondsBound } from "./job-policy.ts";
import { placeInLine } from "./schedule.ts";

export const gangMembersMax = 1024;

const environmentName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/);

export const createJobBody = z
  .strictObject({
    name: dnsName,
    projectId: id.optional(),
    flavor: flavorName,
    image: z.string().min(1).max(63).default("tiny"),
    /** A script, run by /bin/sh unless its first line names another interpreter. */
    script: z.string().min(1).max(262_144).optional(),
    /** argv, instead of a script. */
    command: z.array(z.string().min(1).max(4096)).min(1).max(128).optional(),
    framework: z.enum(["none", "pytorch", "tensorflow"]).default("none"),
    environment: z
      .record(environmentName, z.string().max(32_768))
      .refine((entries) => Object.keys(entries).length <= 256, "256 variables at most")
      .default({}),
    /** Ids of uploaded files that are laid into the work directory. */
    inputs: z.array(id).max(64).default([]),
    /** At most, and by default, what the operator allows: 72 h unless he says otherwise (S-07). */
    timeLimitSeconds: z.number().int().min(1).max(timeLimitSecondsBound).optional(),
    /** How long it will take, as far as its owner knows: short work waits less. Its limit when left out. */
    expectedSeconds: z.number().int().min(1).max(timeLimitSecondsBound).optional(),
    /** When it should have ended: it comes forward in the queue where that would be missed. */
    deadline: timestamp.optional(),
    /** It may be told to save its work and to end for work of a higher class; it goes on later (S-05). */
    preemptible: z.boolean().default(false),
    /**
     * Saves the work when it is told to end before its time: a line for /bin/sh, run beside the program.
     * What is in MILLRACE_CHECKPOINT then is there again for the next attempt. Without it the program
     * gets SIGTERM.
     */
    checkpoint: z.string().min(1).max(8192).optional(),
    /** How often an attempt lost to a platform fault is tried again (S-09). */
    platformRetriesMax: z.number().int().min(0).max(10).default(2),
    /** So many machines of the flavor that start together or not at all, and end together. */
    members: z.number().int().min(1).max(gangMembersMax).default(1),
    /** `spread`: each member on a host of its own; `pack`: as close together as there is room. */
    membersHow: z.enum(["pack", "spread"]).default("pack"),
    ...besideBody,
  })
  .refine((body) => (body.script === undefined) !== (body.command === undefined), {
    message: "give either a script or a command",
    path: ["script"],
  });

/** What a job was submitted with, with what was left out filled in: a body of `createJob`. */
export const jobRequest = z.object({
  name: z.string(),
  projectId: id,
  flavor: z.string(),
  image: z.string(),
  script: z.string().optional(),
  command: z.array(z.string()).optional(),
  framework: z.enum(["none", "pytorch", "tensorflow"]),
  environment: z.record(z.string(), z.string()),
  inputs: z.array(id),
  timeLimitSeconds: z.number().int(),
  expectedSeconds: z.number().int().optional(),
  deadline: timestamp.optional(),
  preemptible: z.boolean(),
  checkpoint: z.string().optional(),
  platformRetriesMax: z.number().int(),
  members: z.number().int(),
  membersHow: z.enum(["pack", "spread"]),
  group: z.string().optional(),
  near: z.array(z.string()),
  apart: z.array(z.string()),
});

export const jobState = z.enum([
  "queued",
  "starting",
  "running",
  "canceling",
  "succeeded",
  "failed",
  "timed_out",
  "canceled",
]);

export const attempt = z.object({
  number: z.number().int(),
  instanceId: id.nullable(),
  state: z.enum(["waiting", "starting", "running", "ended"]),
  startedAt: timestamp.nullable(),
  endedAt: timestamp.nullable(),
  end: z
    .discriminatedUnion("kind", [
      z.object({ kind: z.literal("exited"), exitCode: z.number().int() }),
      z.object({ kind: z.literal("signaled"), signal: z.string() }),
      z.object({ kind: z.literal("timed_out") }),
      z.object({ kind: z.literal("canceled") }),
      z.object({
        kind: z.literal("preempted"),
        /** Why, where the platform's own queue took it off. */
        detail: z.string().optional(),
      }),
      z.object({
        kind: z.literal("platform_fault"),
        detail: z.string(),
        /** Off a device or host that is sick, in time; no retry is counted. */
        moved: z.literal(true).optional(),
      }),
    ])
    .nullable(),
  billable: z.boolean(),
  logBytes: z.number().int(),
});

const jobMember = z.object({
  /** Its RANK: 0 is the one that the others meet. */
  rank: z.number().int(),
  id,
  name: z.string(),
  state: jobState,
  reason: reason.nullable(),
  /** Where the others reach it, once it has a machine. */
  address: z.string().nullable(),
  attempts: z.array(attempt),
  resultsBytes: z.number().int().nullable(),
});

export const job = z.object({
  id,
  projectId: id,
  name: z.string(),
  state: jobState,
  reason: reason.nullable(),
  /** Of one that is asked for by itself and waits; null in lists. */
  line: placeInLine.nullable(),
  flavor: usedFlavor,
  image: z.string(),
  price,
  timeLimitSeconds: z.number().int(),
  preemptible: z.boolean(),
  checkpoint: z.string().nullable(),
  attempts: z.array(attempt),
  /** When it was told to save its work and to end: to make room, or to leave what is sick. */
  preemptions: z.array(
    z.object({
      attempt: z.number().int(),
      cause: z.enum(["preemption", "migration"]),
      state: z.enum(["asked", "called_off", "done", "moot"]),
      message: z.string(),
      askedAt: timestamp,
      noticeUntil: timestamp,
    }),
  ),
  resultsBytes: z.number().int().nullable(),
  /**
   * Of several members: state and reason are those of the whole, attempts and results of the member with
   * rank 0. Asked for by another member's id, it is that member's alone.
   */
  gang: z
    .object({
      id,
      size: z.number().int(),
      rank: z.number().int(),
      how: z.enum(["pack", "spread"]),
      /** In the order of their ranks; null in lists. */
      members: z.array(jobMember).nullable(),
    })
    .nullable(),
  ...placedBeside,
  createdAt: timestamp,
  endedAt: timestamp.nullable(),
});
export type Job = z.output<typeof job>;

export const jobsPerBatchMax = 500;

export const createJobBatchBody = z.strictObject({
  jobs: z.array(z.unknown()).min(1).max(jobsPerBatchMax).meta({
    description: "Bodies of `POST /v1/jobs`, each checked, admitted and answered by itself",
  }),
  /** One that is refused refuses all; otherwise each stands by itself. */
  allOrNone: z
    .boolean()
    .default(false)
    .meta({ description: "One that is refused refuses all; nothing is submitted then" }),
});

/** Of one job of a batch, by its place in it. */
export const jobOutcome = z.discriminatedUnion("outcome", [
  z.object({
    outcome: z.literal("accepted"),
    index: z.number().int(),
    id,
  }),
  z.object({
    outcome: z.literal("refused"),
    index: z.number().int(),
    /** What `POST /v1/jobs` would have answered. */
    problem,
  }),
]);
export type JobOutcome = z.output<typeof jobOutcome>;

export const jobBatch = z.object({
  accepted: z.number().int(),
  refused: z.number().int(),
  /** In the order of the jobs. */
  results: z.array(jobOutcome),
});

export const storedFile = z.object({
  id,
  name: z.string(),
  kind: z.enum(["input", "log", "results"]),
  jobId: id.nullable(),
  sizeBytes: z.number().int(),
  sha256: z.string(),
  createdAt: timestamp,
});
