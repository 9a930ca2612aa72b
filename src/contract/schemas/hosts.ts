/** One host, whole: with what runs on it. */
import { z } from "zod";

import { host } from "./catalog.ts";
import { id, timestamp } from "./common.ts";

/** The longest there first. */
const hostWork = z.object({
  requestId: id,
  tenantId: id,
  /** What the tenant is called. */
  tenant: z.string(),
  kind: z.enum(["lease", "job"]),
  name: z.string(),
  /** `disk`: a stopped lease, which starts again only here. */
  holds: z.enum(["full", "disk"]),
  cpus: z.number(),
  memoryMiB: z.number().int(),
  diskGiB: z.number().int(),
  /** Of each device a whole one (1), or one n-th. */
  gpus: z.array(z.object({ deviceId: z.string(), slice: z.number().int() })),
  since: timestamp,
});

export const hostDetail = host.extend({ work: z.array(hostWork) });
