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
