import { z } from "zod";

import { id, timestamp } from "./common.ts";

export const auditEntry = z.object({
  id,
  at: timestamp,
  actor: z.string(),
  action: z.string(),
  target: z.string().nullable(),
  outcome: z.enum(["done", "refused"]),
  requestId: z.string(),
  details: z.record(z.string(), z.unknown()),
});

const capability = z.union([
  z.object({ can: z.literal(true) }),
  z.object({ can: z.literal(false), because: z.string() }),
]);

export const site = z.object({
  site: z.string(),
  kind: z.string(),
  version: z.string(),
  execution: z.enum(["kvm", "emulated", "simulated"]),
  executionReason: z.string(),
  capabilities: z.record(z.string(), z.union([capability, z.string()])),
  inventoryAt: timestamp.nullable(),
  reachable: z.boolean(),
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

export const system = z.object({
  version: z.string(),
  startedAt: timestamp,
  sites: z.array(site),
  loops: z.array(loopStatus),
  findings: z.array(z.object({ severity: z.enum(["warning", "problem"]), message: z.string() })),
});

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
