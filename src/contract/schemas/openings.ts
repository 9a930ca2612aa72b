/** Ports of machines that a customer opens to others. */
import { z } from "zod";

import { displayName, id, timestamp } from "./common.ts";

/** Of one project. */
export const openingsMax = 64;
const sourcesMax = 32;

export const protocol = z.enum(["tcp", "udp"]);
const port = z.number().int().min(1).max(65_535);

export const createOpeningBody = z.strictObject({
  /** The lease whose machine it is of; all machines of the project when left out. */
  leaseId: id.optional(),
  protocol: protocol.default("tcp"),
  /** Not 22: where SSH comes from is the operator's. */
  port,
  /** From where: CIDRs such as "203.0.113.0/24" or "::/0". */
  sources: z.array(z.string().max(64)).min(1).max(sourcesMax),
  note: displayName.optional(),
});

export const opening = z.object({
  id,
  projectId: id,
  /** `null`: of all machines of the project. */
  leaseId: id.nullable(),
  protocol,
  port,
  sources: z.array(z.string()),
  note: z.string().nullable(),
  createdAt: timestamp,
});
