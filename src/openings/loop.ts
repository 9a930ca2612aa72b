/**
 * Tells a platform which ports customers opened: at once when one is opened or closed, and now and then. All
 * of it is told each time; nothing is remembered.
 */
import type { Db } from "#db/pool.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import type { Provider } from "#providers/provider.ts";

import { openingsByProject, openingsChannel } from "./store.ts";

/** What ended with its lease or project is closed with that anyway. */
const periodMs = 300_000;
/** Between two changes, each of which tells all. */
const pauseMs = 500;

export function tellOpeningsLoop({
  db,
  provider,
}: {
  readonly db: Db;
  readonly provider: Provider;
}): LoopDefinition {
  return {
    name: `openings ${provider.site}`,
    periodMs,
    channels: [openingsChannel],
    pauseMs,
    pass: async (signal) => {
      await provider.tellOpenings?.({ signal }, await openingsByProject(db));
      return "rest";
    },
  };
}
