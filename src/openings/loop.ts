/**
 * Tells a platform which ports customers opened, and which projects are strict: at once when that changes,
 * and now and then. All of it is told each time; nothing is remembered.
 */
import type { Db } from "#db/pool.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import type { Provider } from "#providers/provider.ts";

import { projectsToTell, toldChannel } from "./store.ts";

/** What ended with its lease or project is closed with that anyway. */
const periodMs = 300_000;
/** Between two changes, each of which tells all. */
const pauseMs = 500;

export function tellProjectsLoop({
  db,
  provider,
}: {
  readonly db: Db;
  readonly provider: Provider;
}): LoopDefinition {
  return {
    name: `projects told ${provider.site}`,
    periodMs,
    channels: [toldChannel, "project"],
    pauseMs,
    pass: async (signal) => {
      await provider.tellProjects?.({ signal }, await projectsToTell(db));
      return "rest";
    },
  };
}
