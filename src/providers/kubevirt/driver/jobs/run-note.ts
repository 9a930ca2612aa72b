/**
 * When a member's program ran, how it ended and by whose doing, written down on its record: pods and
 * admissions are forgotten by the cluster, and what is billed must not be. `told` is what took the whole
 * attempt away, noted before its Job is deleted, because the word for it goes with the Job. Pure.
 */
import { z } from "zod";

import type { Explanation } from "#providers/kubevirt/observe/explanation.ts";
import type { Ending, EndedBy } from "#providers/kubevirt/jobs/ending.ts";
import type { MemberSight } from "#providers/kubevirt/jobs/members.ts";
import type { TakenAway } from "#providers/kubevirt/jobs/observe.ts";
import type { WorkloadEnd } from "#providers/machine.ts";

const noteKey = "millrace.dev/job-run";

const end = z.discriminatedUnion("kind", [
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

const endedBy = z.enum([
  "program",
  "limit",
  "order",
  "preemption",
  "gang",
  "platform",
]) satisfies z.ZodType<EndedBy>;

const why = z
  .object({
    code: z.string(),
    for: z.enum(["customer", "operator", "nobody"]),
    message: z.string(),
    action: z.string(),
    details: z.record(z.string(), z.unknown()).exactOptional(),
  })
  .nullable() satisfies z.ZodType<Explanation | null>;

const ending = z.object({ end, by: endedBy, why }) satisfies z.ZodType<Ending>;

export interface RunNote {
  readonly pod?: string;
  readonly node?: string;
  /** Epoch milliseconds, as the cluster told them. */
  readonly startedAt?: number;
  readonly ended?: Ending & { readonly at: number; readonly logBytes: number };
  readonly told?: TakenAway;
  /** Which objects told it, in which version. */
  readonly evidence?: readonly string[];
}

const note: z.ZodType<RunNote> = z.object({
  pod: z.string().exactOptional(),
  node: z.string().exactOptional(),
  startedAt: z.int().exactOptional(),
  ended: ending.extend({ at: z.int(), logBytes: z.int() }).exactOptional(),
  told: z.object({ at: z.int(), until: z.int().exactOptional(), ending }).exactOptional(),
  evidence: z.array(z.string()).exactOptional(),
});

export function runNoteOf(annotations: Readonly<Record<string, string>>): RunNote | undefined {
  const text = annotations[noteKey];
  if (text === undefined) return undefined;
  try {
    return note.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function runNoteAnnotation(value: RunNote): Readonly<Record<string, string>> {
  return { [noteKey]: JSON.stringify(value) };
}

/** The last look at a member, as `jobs/` takes it up again. */
export function sightBefore(rank: number, run: RunNote | undefined): MemberSight {
  const { ended, startedAt, pod, node } = run ?? {};
  const started = startedAt === undefined ? {} : { startedAt };
  return {
    rank,
    ...(pod === undefined ? {} : { pod }),
    ...(node === undefined ? {} : { node }),
    workload:
      ended === undefined
        ? { state: startedAt === undefined ? "pending" : "running", ...started, logBytes: 0 }
        : {
            state: "ended",
            ...started,
            endedAt: ended.at,
            end: ended.end,
            logBytes: ended.logBytes,
          },
    ...(ended === undefined ? {} : { by: ended.by }),
    why: ended?.why ?? null,
  };
}

/**
 * What is to be written of a member now; the same object if nothing is. An end is written once what it
 * leaves behind is home (`settled`): what is told as ended is whole.
 */
export function nextNote(
  before: RunNote | undefined,
  of: {
    readonly sight: MemberSight;
    readonly settled: boolean;
    readonly logBytes: number;
    readonly evidence: readonly string[];
  },
): RunNote | undefined {
  if (before?.ended !== undefined) return before;
  const { sight, settled, logBytes, evidence } = of;
  const { startedAt, endedAt, end: ended } = sight.workload;
  const isOver = ended !== undefined && endedAt !== undefined && settled;
  const next: RunNote = {
    ...before,
    ...(sight.pod === undefined ? {} : { pod: sight.pod }),
    ...(sight.node === undefined ? {} : { node: sight.node }),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(isOver
      ? {
          ended: { end: ended, by: sight.by ?? "platform", why: sight.why, at: endedAt, logBytes },
          evidence: [...evidence],
        }
      : {}),
  };
  const isNews =
    next.ended !== undefined ||
    next.startedAt !== before?.startedAt ||
    (next.startedAt !== undefined && next.node !== before?.node);
  return isNews ? next : before;
}
