/** One host with all that holds something of it. */
import type { Handlers } from "#api/handler.ts";
import { time } from "#api/routes/wire.ts";
import { workOn } from "#flow/place/host-work.ts";
import { gibibyte, mebibyte } from "#kernel/shape.ts";

import { shownHost } from "./places.ts";

export const hostHandlers = {
  getHost: async ({ params }, { tx, now }) => ({
    ...(await shownHost(tx, params.hostId, now())),
    work: (await workOn(tx, params.hostId)).map(
      ({ milliCpus, memoryBytes, diskBytes, placedAt, ...each }) => ({
        ...each,
        // A stopped lease keeps its size on record, but holds its disk only.
        cpus: each.holds === "full" ? milliCpus / 1000 : 0,
        memoryMiB: each.holds === "full" ? Math.ceil(memoryBytes / mebibyte) : 0,
        diskGiB: Math.ceil(diskBytes / gibibyte),
        since: time(placedAt),
      }),
    ),
  }),
} satisfies Partial<Handlers>;
