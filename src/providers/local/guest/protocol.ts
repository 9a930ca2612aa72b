/**
 * What the host may ask the agent and what it answers, as schemas: a guest is foreign input, since
 * its owner is root in it. README.md says what each method does. Every method may be asked twice
 * with the same effect as once.
 */
import { z } from "zod";

const count = z.int().min(0);

export const helloSchema = z.object({
  version: count,
  /** Changes with every start of the agent. */
  agentId: z.string().max(100),
  bootId: z.string().max(100),
  uptimeMs: count,
  image: z.string().max(100),
  /** The instance that it was made into; absent in a fresh image and in a template. */
  instanceId: z.string().max(100).exactOptional(),
  /** It takes SSH connections. */
  listening: z.boolean(),
});
export type Hello = z.infer<typeof helloSchema>;

export interface NetworkEntry {
  /** Hardware address to take, `52:54:00:…`; without it the card keeps its own. */
  readonly mac?: string;
  /** IPv4 address with its prefix length, `10.0.2.15/24`. */
  readonly address: string;
  readonly gateway?: string;
  readonly dns?: readonly string[];
}

export interface Identity {
  /** Another id than before means another instance: it gets host keys and a machine id of its own. */
  readonly instanceId: string;
  /** 32 hexadecimal digits. */
  readonly machineId: string;
  readonly hostname: string;
  readonly loginUser: string;
  readonly authorizedKeys: readonly string[];
  /** One entry per network card, in the order of the cards. */
  readonly network: readonly NetworkEntry[];
  /** The size that the disk has or is about to have; the root file system grows to it. */
  readonly diskBytes?: number;
}

export const personalizedSchema = z.object({
  instanceId: z.string().max(100),
  /** Public host keys, one line each, as in a known_hosts file. */
  hostKeys: z.array(z.string().max(1000)).max(10),
  bootId: z.string().max(100),
  uptimeMs: count,
  rootBytes: count,
  /** The file system did not take all of its disk, and why. */
  growProblem: z.string().max(1000).exactOptional(),
});
export type Personalized = z.infer<typeof personalizedSchema>;

export const resizedSchema = z.object({ cpus: count, memoryBytes: count, rootBytes: count });
export type Resized = z.infer<typeof resizedSchema>;

export const activitySchema = z.object({
  networkBytes: count,
  sessions: count,
  /** Absent from an agent of an earlier release. */
  memoryBytes: count.exactOptional(),
});
export type GuestActivity = z.infer<typeof activitySchema>;

export interface WorkloadPlan {
  readonly workloadId: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeLimitSeconds: number;
  readonly logBytesMax: number;
  readonly resultsBytesMax: number;
  /** argv that saves the work when it is interrupted. */
  readonly checkpoint?: readonly string[];
  /** Absolute path; `/work` if absent. */
  readonly workDirectory?: string;
  /** Size of the inputs sent before with `workload.input`; 0 for none. */
  readonly inputsBytes: number;
}

const noWorkload = z.object({ state: z.literal("none") });
const someWorkload = z.object({
  workloadId: z.string().max(100),
  startedAt: count,
  logBytes: count,
  /** Output over the limit, which was thrown away. */
  droppedLogBytes: count,
  canceled: z.boolean(),
});
const ended = someWorkload.extend({
  state: z.literal("ended"),
  endedAt: count,
  resultsBytes: count.exactOptional(),
  /** Why there are no results, e.g. larger than the limit. */
  resultsProblem: z.string().max(10_000).exactOptional(),
});

export const workloadSchema = z.union([
  noWorkload,
  someWorkload.extend({ state: z.literal("running") }),
  ended.extend({ end: z.literal("exited"), exitCode: z.int().min(0).max(255) }),
  ended.extend({ end: z.literal("signaled"), signal: z.string().max(20) }),
  ended.extend({ end: z.literal("timed_out") }),
  ended.extend({ end: z.literal("interrupted") }),
  ended.extend({ end: z.literal("platform_fault"), detail: z.string().max(10_000) }),
]);
export type GuestWorkload = z.infer<typeof workloadSchema>;

export const inputSchema = z.object({ bytes: count });
export const logSchema = z.object({ total: count, state: z.enum(["running", "ended"]) });
export const resultsSchema = z.object({ total: count });
export const nothingSchema = z.object({});

export const eventSchema = z.union([
  helloSchema.extend({ event: z.literal("hello") }),
  z.object({ event: z.literal("workload") }).and(workloadSchema),
]);
export type GuestEvent = z.infer<typeof eventSchema>;

export const responseSchema = z.union([
  z.object({ id: z.int(), result: z.unknown() }),
  z.object({ id: z.int(), error: z.object({ code: z.string(), message: z.string() }) }),
]);
