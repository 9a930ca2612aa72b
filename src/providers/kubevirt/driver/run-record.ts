/**
 * The runs of a machine, as evidence that outlives them: in an annotation of the VirtualMachine, because
 * KubeVirt forgets a VirtualMachineInstance with its end, and starts a crashed machine anew by itself.
 * What must stay true: a run that anybody could have been billed for has an end that says when and why,
 * also if nobody watched when it ended; then the earliest instant that is certain is taken. Pure.
 */
import { z } from "zod";

export const runKey = "millrace.dev/run";

const end = z.object({
  /** Epoch milliseconds, to the second. */
  at: z.int(),
  reason: z.enum(["requested", "guest", "crashed"]),
  detail: z.string(),
});

const past = z.object({ readyAt: z.int(), end });

/** Of one machine: more runs than these do not begin and end while nobody looks at it. */
export const pastMax = 8;

const run = z.object({
  /** Of the VirtualMachineInstance. */
  uid: z.string(),
  since: z.int(),
  readyAt: z.int().optional(),
  /** Of the object that showed it last. */
  version: z.string(),
  end: end.optional(),
  /** How the run before this one ended: this one began by itself. */
  before: end.optional(),
  /** Runs before this one whose guests were ready, oldest first: whoever meters may not have looked since. */
  past: z.array(past).max(pastMax).optional(),
});

export type RunRecord = z.infer<typeof run>;
export type RunEnd = z.infer<typeof end>;

export function runOf(
  annotations: Readonly<Record<string, string>> | undefined,
): RunRecord | undefined {
  const text = annotations?.[runKey];
  if (text === undefined) return undefined;
  try {
    return run.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export function runAnnotation(record: RunRecord): Readonly<Record<string, string>> {
  return { [runKey]: JSON.stringify(record) };
}
