import { z } from "zod";

import { cpuTopology, flavorName, gpuAsk, price } from "./catalog.ts";
import { displayName, dnsName, id, money, problem, reason, timestamp } from "./common.ts";
import { comparison } from "./comparison.ts";
import { timeLimitSecondsBound } from "./job-policy.ts";
import { placeInLine } from "./schedule.ts";

/** What is to be priced or rented: a flavor, optionally larger in some fields. */
export const quoteBody = z.strictObject({
  flavor: flavorName,
  /** As when something new is ordered: the flavor's further disks come on top. */
  diskGiB: z.number().int().min(1).max(65_536).optional(),
  hours: z.number().int().min(1).max(87_600).default(1),
});

export const quote = z.object({
  flavor: z.string(),
  price,
  hours: z.number().int(),
  total: money.nullable(),
  /** What admission would hold on the balance, and what is there. */
  hold: money.nullable(),
  available: money,
  affordable: z.boolean(),
  /** What the platform costs besides, a month; null where the price list has no such fee. */
  baseFeeMonthly: money.nullable(),
  /** By the month and year, where that is sold. */
  cheaperIf: z.array(comparison),
});

export const restartPolicy = z.enum(["never", "on-failure"]);

/** More names make a wait nobody can explain. */
const namesMax = 16;
export const gangMembersMax = 1024;

/** What work keeps near to, or apart from: names of groups, or ids of leases and jobs of the same customer. */
const beside = z.array(z.string().min(1).max(63)).max(namesMax).default([]);

const besideBody = {
  /** A name by which other work of the same customer can keep near to it or apart from it. */
  group: dnsName.optional(),
  /** Runs on the host of one of these; waits until one has a host. */
  near: beside.meta({
    description: "Names of groups, or ids of leases and jobs: on the host of one",
  }),
  /** Runs on no host that any of these is on; holds for those who come later as well. */
  apart: beside.meta({
    description: "Names of groups, or ids of leases and jobs: on no host of any",
  }),
} as const;

/** Where it is to lie, as its owner said. */
const placedBeside = {
  group: z.string().nullable(),
  near: z.array(z.string()),
  apart: z.array(z.string()),
} as const;

export const createLeaseBody = z.strictObject({
  name: dnsName,
  projectId: id.optional(),
  flavor: flavorName,
  image: z.string().min(1).max(63).default("tiny"),
  diskGiB: z.number().int().min(1).max(65_536).optional(),
  /** Ids or names of the caller's SSH keys; all of them when left out. */
  sshKeys: z.array(z.string().min(1).max(100)).max(32).optional(),
  /** cloud-init user data, for images that take it. */
  userData: z.string().max(16_384).optional(),
  /** Whether a machine that died by itself is started again. */
  restart: restartPolicy.default("on-failure"),
  ...besideBody,
});

export const cloneLeaseBody = z.strictObject({
  /** Of the copy. */
  name: dnsName,
  /** That of the lease when left out; its disk is never smaller than what is copied. */
  flavor: flavorName.optional(),
  diskGiB: z.number().int().min(1).max(65_536).optional(),
  /** Ids or names of the caller's SSH keys; those of the lease when left out. */
  sshKeys: z.array(z.string().min(1).max(100)).max(32).optional(),
});

export const leaseState = z.enum([
  "queued",
  "creating",
  "running",
  "stopping",
  "stopped",
  "starting",
  "failed",
  "releasing",
  "released",
]);

export const usedFlavor = z.object({
  name: z.string(),
  vcpus: z.number().int(),
  cpu: cpuTopology,
  memoryMiB: z.number().int(),
  diskGiB: z.number().int(),
  gpu: gpuAsk.nullable(),
});

export const endpoint = z.object({
  service: z.literal("ssh"),
  host: z.string(),
  port: z.number().int(),
  user: z.string(),
  command: z.string(),
});

/** What to know of a machine that is there, such as a change that waits for a restart. */
export const note = z.object({
  code: z.string(),
  message: z.string(),
  /** What he has to do; for `nobody`, what will happen. */
  advice: z.string(),
  /** Who can do it; `nobody`: it goes by itself. */
  who: z.enum(["customer", "operator", "nobody"]),
});

const ability = z.union([
  z.object({ can: z.literal(true) }),
  z.object({ can: z.literal(false), because: z.string() }),
]);

export const lease = z.object({
  id,
  projectId: id,
  name: z.string(),
  state: leaseState,
  /**
   * Why it waits, failed, or ended: for a person. Where its platform says why a machine does not run,
   * `details.advice` is what to do and `details.who` who can, as in `notes`.
   */
  reason: reason.nullable(),
  notes: z.array(note),
  /** Of one that is asked for by itself and waits; null in lists. */
  line: placeInLine.nullable(),
  flavor: usedFlavor,
  image: z.string(),
  restart: restartPolicy,
  /** What pays for its compute: use, or a term that was bought ahead; then `price` is of storage. */
  plan: z.enum(["on_demand", "subscription"]),
  price,
  endpoints: z.array(endpoint),
  host: z.string().nullable(),
  execution: z.enum(["kvm", "emulated", "simulated"]).nullable(),
  start: z.enum(["cold", "warm", "simulated"]).nullable(),
  pendingResize: z.boolean(),
  createdAt: timestamp,
  readyAt: timestamp.nullable(),
  releasedAt: timestamp.nullable(),
  instanceId: id.nullable(),
  /** What its platform does with it, and why not the rest: known before it is asked for. `null` while it has no machine. */
  capabilities: z
    .object({
      diskGrow: ability,
      snapshotWithMemory: ability,
      /** To another host, by the operator's word. */
      moveLive: ability,
      /** On another host once it was stopped, with its disk. */
      startElsewhere: ability,
    })
    .nullable(),
  /** Who asked for it; no name where that is nobody of this tenant, as when the operator acted for it. */
  owner: z.object({ id, name: z.string().nullable() }),
  ...placedBeside,
});
export type Lease = z.output<typeof lease>;

export const operationKind = z.enum([
  "create",
  "start",
  "stop",
  "reboot",
  "resize",
  "move",
  "release",
  "snapshot",
  "revert",
  "snapshot-delete",
]);

/** Long work: ask again, or wait, until it is `succeeded` or `failed`. */
export const operationRecord = z.object({
  id,
  kind: operationKind,
  resourceId: id,
  state: z.enum(["running", "succeeded", "failed", "superseded"]),
  reason: reason.nullable(),
  note: z.string().nullable(),
  createdAt: timestamp,
  endedAt: timestamp.nullable(),
});

export const leaseOperation = z.object({ lease, operation: operationRecord });

export const moveLeaseBody = z.strictObject({
  /** Of the same site; of the platform's choice when left out. */
  hostId: id.optional(),
});
export const movedLease = leaseOperation.extend({
  /** The name of the host that it goes to; null where its platform chooses. */
  to: z.string().nullable(),
});

export const resizeLeaseBody = z
  .strictObject({
    flavor: flavorName.optional(),
    /** The whole disk, as the lease shows it: the flavor's further disks are a part of it. */
    diskGiB: z.number().int().min(1).max(65_536).optional(),
  })
  .refine((body) => body.flavor !== undefined || body.diskGiB !== undefined, {
    message: "name a flavor, a disk size, or both",
  });

export const stopLeaseBody = z.strictObject({
  /** Seconds that the guest has to shut itself down before it is switched off. */
  graceSeconds: z.number().int().min(0).max(600).default(30),
});

export const leaseEvent = z.object({
  at: timestamp,
  kind: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()),
});

export const snapshot = z.object({
  id,
  leaseId: id,
  name: z.string(),
  withMemory: z.boolean(),
  state: z.enum(["creating", "ready", "deleting", "failed"]),
  sizeBytes: z.number().int().nullable(),
  createdAt: timestamp,
  /** Of one that outlives its lease, which was released for idleness: until when. */
  keptUntil: timestamp.nullable(),
  reason: reason.nullable(),
});

export const createSnapshotBody = z.strictObject({
  name: displayName,
  /** When left out: if it runs, and its platform keeps memory. Asked for where it does not, it is refused. */
  withMemory: z.boolean().optional(),
});

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
