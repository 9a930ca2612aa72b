/** All that the server says, in Chinese. */
import type { Said } from "#console/i18n/said.ts";

import { account } from "./account.ts";
import { books } from "./books.ts";
import { compute } from "./compute.ts";
import { events } from "./events.ts";
import { jobs } from "./jobs.ts";
import { machines } from "./machines.ts";
import { parts } from "./parts.ts";
import { platforms } from "./platforms.ts";
import { refusals } from "./refusals.ts";
import { upkeep } from "./upkeep.ts";
import { waits } from "./waits.ts";

export const said: readonly Said[] = [
  compute,
  waits,
  events,
  account,
  books,
  machines,
  jobs,
  upkeep,
  platforms,
  refusals,
  parts,
];
