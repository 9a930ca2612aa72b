/** The arguments of operations, as the asks wrote them. */
import { z } from "zod";

import { shapeRow } from "#flow/admit/rows.ts";

const stop = z.object({ graceSeconds: z.int() });
const resize = z.object({
  shape: shapeRow,
  price: z.record(z.string(), z.unknown()),
  /** Whole GPUs that it is to have; left out where they stay as they are. */
  devices: z.array(z.string()).optional(),
});
const snapshot = z.object({ id: z.string(), name: z.string(), withMemory: z.boolean() });

const move = z.object({ hostId: z.string().optional() });

type Arguments = Readonly<Record<string, unknown>>;

export function stopArguments(given: Arguments): z.output<typeof stop> {
  return stop.parse(given);
}

export function resizeArguments(given: Arguments): z.output<typeof resize> {
  return resize.parse(given);
}

export function moveArguments(given: Arguments): z.output<typeof move> {
  return move.parse(given);
}

export function snapshotArguments(given: Arguments): z.output<typeof snapshot> {
  return snapshot.parse(given);
}
