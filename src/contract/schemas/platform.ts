import { z } from "zod";

import { dnsName, id, timestamp } from "./common.ts";

export const auditEntry = z.object({
  id,
  at: timestamp,
  actor: z.string(),
  action: z.string(),
  target: z.string().nullable(),
  outcome: z.enum(["done", "refused"]),
  requestId: z.string(),
  /** The API key and the session that it came with. */
  keyId: id.nullable(),
  sessionId: id.nullable(),
  details: z.record(z.string(), z.unknown()),
});

const auditText = z.string().trim().min(1).max(200);

/** All that are given hold at once. */
export const auditFilters = {
  /** A part of the name, in any case. */
  actor: auditText.optional(),
  /** One action, `lease.create`, or all of a kind, `lease`. */
  action: auditText.optional(),
  /** A part of it, in any case. */
  target: auditText.optional(),
  outcome: auditEntry.shape.outcome.optional(),
  requestId: auditText.optional(),
  since: timestamp.optional(),
  /** Not included. */
  until: timestamp.optional(),
};

const capability = z.union([
  z.object({ can: z.literal(true) }),
  z.object({
    can: z.literal(false),
    because: z.string(),
    /** Of machines of these service classes alone; of all when left out. */
    classes: z.array(z.enum(["core", "standard"])).optional(),
  }),
]);

export const site = z.object({
  site: z.string(),
  kind: z.string(),
  version: z.string(),
  execution: z.enum(["kvm", "emulated", "simulated"]),
  executionReason: z.string(),
  capabilities: z.record(z.string(), z.union([capability, z.string()])),
  inventoryAt: timestamp.nullable(),
  /** Whether its last look answered, and that was not too long ago. */
  reachable: z.boolean(),
  /** Since when nobody has seen it, for so long that nothing new goes there. */
  awaySince: timestamp.nullable(),
});

/** One that the operator called gone for good. */
export const retiredSite = z.object({
  site: z.string(),
  retiredAt: timestamp,
  /** That are not listed any more. */
  hosts: z.number().int(),
});

export const loopStatus = z.object({
  name: z.string(),
  periodMs: z.number(),
  lastStartedAt: timestamp.nullable(),
  lastEndedAt: timestamp.nullable(),
  lastError: z.string().nullable(),
  runs: z.number().int(),
  failures: z.number().int(),
  /** Failed passes since the last one that did its work. */
  failuresInRow: z.number().int(),
  failingSince: timestamp.nullable(),
});

/** Work that does not go on by itself. */
const waitsOn = z.object({
  /**
   * `site`: one that is away; `operator`: something that only he can do; `drain`: hosts are to be emptied,
   * and these leases cannot move while they run.
   */
  on: z.enum(["site", "operator", "drain"]),
  site: z.string(),
  /** Of the reason. */
  code: z.string(),
  leases: z.number().int(),
  jobs: z.number().int(),
});

export const system = z.object({
  version: z.string(),
  startedAt: timestamp,
  sites: z.array(site),
  loops: z.array(loopStatus),
  /** The most first. */
  waits: z.array(waitsOn),
  findings: z.array(
    z.object({
      severity: z.enum(["warning", "problem"]),
      /** Of which platform's own words it is. */
      site: z.string().nullable(),
      message: z.string(),
      /** What to do, where there is something to say besides. */
      advice: z.string().nullable(),
    }),
  ),
});

/** A machine at a platform that no row wants. */
export const orphan = z.object({
  /** Of the machine. */
  id,
  site: z.string(),
  /**
   * `kept`: no row ever named it, so it stays until the operator has decided. `going`: a row tells
   * that it is gone, or the operator said that it goes.
   */
  state: z.enum(["kept", "going"]),
  decidedBy: z.string().nullable(),
  /** When its lease or job was asked for; `null` if the ids do not tell. */
  askedAt: timestamp.nullable(),
  firstSeenAt: timestamp,
  seenAt: timestamp,
  /** What the platform says of its owner; these ids may be of nobody here. */
  owner: z
    .object({ tenantId: z.string(), projectId: z.string(), resourceId: z.string() })
    .nullable(),
  kind: z.enum(["lease", "job"]),
  power: z.enum(["running", "paused", "stopped", "unknown"]),
  vcpus: z.number().int(),
  memoryMiB: z.number().int(),
  diskGiB: z.number().int(),
  /** What the platform calls its host, and where it keeps it. */
  host: z.string(),
  locator: z.record(z.string(), z.string()),
});

export const adoptOrphanBody = z.strictObject({
  /** Of the lease that it becomes. */
  name: dnsName,
  /** As it was rented with, as far as somebody knows; it is not made anew. */
  image: z.string().min(1).max(100).default("unknown"),
  /** The owner's, as the platform has it, when left out. */
  tenantId: id.optional(),
  /** The project of that id; `default` of a tenant that is named here without one. */
  projectId: id.optional(),
});
export const adoptedOrphan = z.object({ leaseId: id, tenantId: id, projectId: id });

export const health = z.object({ status: z.literal("ok") });
export const readiness = z.object({
  status: z.enum(["ready", "not_ready"]),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
});

/** One server-sent event: look again at this resource. */
export const changeEvent = z.object({
  kind: z.enum(["lease", "job", "operation", "balance"]),
  id,
  at: timestamp,
});
