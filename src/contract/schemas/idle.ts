/** Leases that nobody uses: the operator's rules, what becomes of a lease, and the report. */
import { z } from "zod";

import { dnsName, id, money, timestamp } from "./common.ts";

export const idlePoolPrefix = "pool:";

/** A flavor; `pool:NAME`, what runs on the hosts of a pool; or `default`, all that have no rules else. */
export const idleScope = z
  .string()
  .regex(/^(?:pool:)?[a-z0-9][a-z0-9.-]{0,62}$/, "a flavor, pool:NAME, or default")
  .meta({ description: "A flavor, `pool:NAME`, or `default`: rules of a flavor come first" });

export const idleRules = z.strictObject({
  /** So long without anything that moves, and the tenant is warned. */
  windowHours: z.number().int().min(1).max(8_760),
  /** So long after the warning it is released. */
  warningHours: z.number().int().min(1).max(720).default(48),
  /** For so long the snapshot of its disk is kept. */
  keepDays: z.number().int().min(1).max(365).default(14),
  /** A machine that uses less of its CPUs than that is idle; an idle guest takes 1 to 3 %. */
  cpuPercent: z.number().min(0.1).max(100).default(5),
  /** Less than that, in and out together. */
  networkBytesPerSecond: z.number().int().min(1).max(1_000_000_000).default(1_024),
  gpuPercent: z.number().min(0.1).max(100).default(1),
  /** Whether tenants may take leases out for good (`millrace lease keep --always`). */
  exemptions: z.enum(["allowed", "refused"]).default("refused"),
});

export const idlePolicy = z.object({
  scope: idleScope,
  rules: idleRules,
  changedAt: timestamp,
});

export const idleSignal = z.enum(["cpu", "network", "gpu", "sessions", "console"]);

/** How a lease stands. */
export const idleness = z.object({
  leaseId: id,
  /**
   * `off`: no rules of the operator apply. `active`: something moved within the window. `warned`,
   * `releasing`, `released`: what follows when nothing does. The others are never released so.
   */
  state: z.enum([
    "off",
    "subscription",
    "exempt",
    "not_running",
    "cannot_keep",
    "active",
    "warned",
    "releasing",
    "released",
  ]),
  /** Since when nothing moved. */
  idleSince: timestamp.nullable(),
  /** If nothing moves until then, the tenant is warned. */
  warnAt: timestamp.nullable(),
  /** If nothing moves until then, it is released. */
  releaseAt: timestamp.nullable(),
  windowHours: z.number().int().nullable(),
  signals: z.array(
    z.object({
      signal: idleSignal,
      /** CPU and GPU in percent, network in bytes per second, people who are logged in. */
      value: z.number().nullable(),
      /** When it was last active; a figure that nobody can see counts as active. */
      activeAt: timestamp,
      seenAt: timestamp,
      seenBy: z.string(),
    }),
  ),
});

export const keepLeaseBody = z.strictObject({
  /**
   * `once` puts a warning off by one window; `always` takes the lease out for good, where the operator
   * allows it; `as_usual` takes that back.
   */
  keep: z.enum(["once", "always", "as_usual"]).default("once"),
});

export const restoreSnapshotBody = z.strictObject({
  /** Of the new lease; that of the released one when left out. */
  name: dnsName.optional(),
});

export const idleReport = z.object({
  month: z.string(),
  from: timestamp,
  /** The end of the month, or now. */
  until: timestamp,
  warned: z.number().int(),
  kept: z.number().int(),
  exempted: z.number().int(),
  usedAgain: z.number().int(),
  released: z.number().int(),
  restored: z.number().int(),
  snapshotsFailed: z.number().int(),
  /** Decimal, to a hundredth. An upper bound, as is the money: see `basis`. */
  hoursSaved: z.string(),
  gpuHoursSaved: z.string(),
  moneySaved: money,
  /** How the savings are counted, for a person. */
  basis: z.string(),
  releases: z.array(
    z.object({
      leaseId: id,
      tenantId: id,
      tenant: z.string(),
      name: z.string(),
      flavor: z.string(),
      releasedAt: timestamp,
      /** Yuan an hour, as the lease was quoted. */
      hourly: money.nullable(),
      hours: z.string(),
      saved: money.nullable(),
      restoredAt: timestamp.nullable(),
    }),
  ),
  /** Each time that it was taken back, and why. */
  reversals: z.array(
    z.object({
      at: timestamp,
      kind: z.enum(["kept", "exempted", "used_again", "restored"]),
      leaseId: id,
      tenantId: id,
      tenant: z.string(),
      name: z.string(),
      note: z.string(),
    }),
  ),
  /** There were more events in the month than the report reads. */
  truncated: z.boolean(),
});
