/** The place of what waits and when it may start, as the placer saw it last: the same for `why` and for views. */
import type { z } from "zod";

import { timeOrNull } from "#api/routes/wire.ts";
import type { placeInLine } from "#contract/schemas/schedule.ts";
import type { Tx } from "#db/pool.ts";
import { outlookOf, type OutlookOfOne } from "#flow/queue/outlook.ts";

type PlaceInLine = z.output<typeof placeInLine>;

export function showPlace({ pool, position, waiting, ...start }: OutlookOfOne): PlaceInLine {
  return {
    pool,
    position,
    waiting,
    start: {
      earliest: timeOrNull(start.earliest),
      likely: timeOrNull(start.likely),
      latest: timeOrNull(start.latest),
    },
  };
}

/** The same lease or job with its place, if it has one. The caller knows that it may ask. */
export async function inLine<T extends { readonly id: string; readonly state: string }>(
  tx: Tx,
  found: T,
): Promise<T & { readonly line: PlaceInLine | null }> {
  const outlook = found.state === "queued" ? await outlookOf(tx, found.id) : undefined;
  return { ...found, line: outlook === undefined ? null : showPlace(outlook) };
}
