/**
 * What was done to a machine, in an annotation of the machine itself: written in the same patch as its
 * effect where the effect is a field, so that the same operation again finds itself there and does
 * nothing. Pure.
 *
 * An effect that is no field (a reboot) is `asked` before it is done and `done` after: whoever finds it
 * asked does not know, and does it again only if twice is the same as once.
 */
import { z } from "zod";

export const operationsKey = "millrace.dev/operations";

/** Enough for every operation that anybody may still ask of; the oldest are forgotten. */
const recordsMax = 24;

const record = z.object({
  id: z.string(),
  kind: z.string(),
  state: z.enum(["asked", "done"]),
  /** Of what came of it, such as the name of a restore. */
  of: z.string().optional(),
});

export type OperationRecord = z.infer<typeof record>;

/** An annotation that somebody edited is as if it were not there. */
export function recordsOf(
  annotations: Readonly<Record<string, string>> | undefined,
): readonly OperationRecord[] {
  const text = annotations?.[operationsKey];
  if (text === undefined) return [];
  try {
    return z.array(record).parse(JSON.parse(text));
  } catch {
    return [];
  }
}

/** The annotation with one more, or with the same in another state. */
export function withRecord(
  records: readonly OperationRecord[],
  next: OperationRecord,
): Readonly<Record<string, string>> {
  const others = records.filter(({ id }) => id !== next.id);
  return { [operationsKey]: JSON.stringify([...others, next].slice(-recordsMax)) };
}

export function recordOf(
  records: readonly OperationRecord[],
  operationId: string,
): OperationRecord | undefined {
  return records.find(({ id }) => id === operationId);
}

const reverted = z.object({ power: z.string().optional() });

/** What was asked for last of its power was that it is on; not where nobody remembers. */
export function isSwitchedOn(records: readonly OperationRecord[]): boolean {
  for (const { kind, of = "" } of records.toReversed()) {
    if (kind === "start" || kind === "create") return true;
    if (kind === "stop" || kind === "shutdown") return false;
    const power = kind.startsWith("revert ") ? powerIn(of) : undefined;
    // A revert switches off what is on, and on again when it is over.
    if (power !== undefined) return power !== "start";
  }
  return false;
}

function powerIn(text: string): string | undefined {
  try {
    return reverted.parse(JSON.parse(text)).power;
  } catch {
    return undefined;
  }
}
