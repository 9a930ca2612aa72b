/** Leases: prices, orders, what becomes of them, their snapshots and operations. */
import { z } from "zod";

import { besideBody, placedBeside } from "./beside.ts";
import { cpuTopology, flavorName, gpuAsk, price } from "./catalog.ts";
import { displayName, dnsName, id, money, reason, timestamp } from "./common.ts";
import { placeInLine } from "./schedule.ts";
import { comparison } from "./comparison.ts";

/** What is to be priced or rented: a flavor, optionally larger in some fields. */
export const quoteBody = z.strictObject({
  flavor: flavorName,
  /** As when something new is ordered: the flavor's further disks come on top. */
  diskGiB: z.number().int().min(1).max(65_536).optional(),
  hours: z.number().int().min(1).max(87_600).default(1),
});

export const quote = z.object({
  flavor: z.string(),
  price,
  hours: z.number().int(),
  total: money.nullable(),
  /** What admission would hold on the balance, and what is there. */
  hold: money.nullable(),
  available: money,
  affordable: z.boolean(),
  /** What the platform costs besides, a month; null where the price list has no such fee. */
  baseFeeMonthly: money.nullable(),
  /** By the month and year, where that is sold. */
  cheaperIf: z.array(comparison),
});

export const restartPolicy = z.enum(["never", "on-failure"]);

export const createLeaseBody = z.strictObject({
  name: dnsName,
  projectId: id.optional(),
  flavor: flavorName,
  image: z.string().min(1).max(63).default("tiny"),
  diskGiB: z.number().int().min(1).max(65_536).optional(),
  /** Ids or names of the caller's SSH keys; all of them when left out. */
  sshKeys: z.array(z.string().min(1).max(100)).max(32).optional(),
  /** cloud-init user data, for images that take it. */
  userData: z.string().max(16_384).optional(),
  /** Whether a machine that died by itself is started again. */
  restart: restartPolicy.default("on-failure"),
  ...besideBody,
});

export const cloneLeaseBody = z.strictObject({
  /** Of the copy. */
  name: dnsName,
  /** That of the lease when left out; its disk is never smaller than what is copied. */
  flavor: flavorName.optional(),
  diskGiB: z.number().int().min(1).max(65_536).optional(),
  /** Ids or names of the caller's SSH keys; those of the lease when left out. */
  sshKeys: z.array(z.string().min(1).max(100)).max(32).optional(),
});

export const leaseState = z.enum([
  "queued",
  "creating",
  "running",
  "stopping",
  "stopped",
  "starting",
  "failed",
  "releasing",
  "released",
]);

export const usedFlavor = z.object({
  name: z.string(),
  vcpus: z.number().int(),
  cpu: cpuTopology,
  memoryMiB: z.number().int(),
  diskGiB: z.number().int(),
  gpu: gpuAsk.nullable(),
});

export const endpoint = z.object({
  service: z.literal("ssh"),
  host: z.string(),
  port: z.number().int(),
  user: z.string(),
  command: z.string(),
});

/** What to know of a machine that is there, such as a change that waits for a restart. */
export const note = z.object({
  code: z.string(),
  message: z.string(),
  /** What he has to do; for `nobody`, what will happen. */
  advice: z.string(),
  /** Who can do it; `nobody`: it goes by itself. */
  who: z.enum(["customer", "operator", "nobody"]),
});

const ability = z.union([
  z.object({ can: z.literal(true) }),
  z.object({ can: z.literal(false), because: z.string() }),
]);

export const lease = z.object({
  id,
  projectId: id,
  name: z.string(),
  state: leaseState,
  /**
   * Why it waits, failed, or ended: for a person. Where its platform says why a machine does not run,
   * `details.advice` is what to do and `details.who` who can, as in `notes`.
   */
  reason: reason.nullable(),
  notes: z.array(note),
  /** Of one that is asked for by itself and waits; null in lists. */
  line: placeInLine.nullable(),
  flavor: usedFlavor,
  image: z.string(),
  restart: restartPolicy,
  /** What pays for its compute: use, or a term that was bought ahead; then `price` is of storage. */
  plan: z.enum(["on_demand", "subscription"]),
  price,
  endpoints: z.array(endpoint),
  host: z.string().nullable(),
  execution: z.enum(["kvm", "emulated", "simulated"]).nullable(),
  start: z.enum(["cold", "warm", "simulated"]).nullable(),
  pendingResize: z.boolean(),
  createdAt: timestamp,
  readyAt: timestamp.nullable(),
  releasedAt: timestamp.nullable(),
  instanceId: id.nullable(),
  /** What its platform does with it, and why not the rest: known before it is asked for. `null` while it has no machine. */
  capabilities: z
    .object({
      diskGrow: ability,
      snapshotWithMemory: ability,
      /** To another host, by the operator's word. */
      moveLive: ability,
      /** On another host once it was stopped, with its disk. */
      startElsewhere: ability,
    })
    .nullable(),
  /** Who asked for it; no name where that is nobody of this tenant, as when the operator acted for it. */
  owner: z.object({ id, name: z.string().nullable() }),
  ...placedBeside,
});
export type Lease = z.output<typeof lease>;

export const operationKind = z.enum([
  "create",
  "start",
  "stop",
  "reboot",
  "resize",
  "move",
  "release",
  "snapshot",
  "revert",
  "snapshot-delete",
]);

/** Long work: ask again, or wait, until it is `succeeded` or `failed`. */
export const operationRecord = z.object({
  id,
  kind: operationKind,
  resourceId: id,
  state: z.enum(["running", "succeeded", "failed", "superseded"]),
  reason: reason.nullable(),
  note: z.string().nullable(),
  createdAt: timestamp,
  endedAt: timestamp.nullable(),
});

export const leaseOperation = z.object({ lease, operation: operationRecord });

export const moveLeaseBody = z.strictObject({
  /** Of the same site; of the platform's choice when left out. */
  hostId: id.optional(),
});
export const movedLease = leaseOperation.extend({
  /** The name of the host that it goes to; null where its platform chooses. */
  to: z.string().nullable(),
});

export const resizeLeaseBody = z
  .strictObject({
    flavor: flavorName.optional(),
    /** The whole disk, as the lease shows it: the flavor's further disks are a part of it. */
    diskGiB: z.number().int().min(1).max(65_536).optional(),
  })
  .refine((body) => body.flavor !== undefined || body.diskGiB !== undefined, {
    message: "name a flavor, a disk size, or both",
  });

export const stopLeaseBody = z.strictObject({
  /** Seconds that the guest has to shut itself down before it is switched off. */
  graceSeconds: z.number().int().min(0).max(600).default(30),
});

export const leaseEvent = z.object({
  at: timestamp,
  kind: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()),
});

export const snapshot = z.object({
  id,
  leaseId: id,
  name: z.string(),
  withMemory: z.boolean(),
  state: z.enum(["creating", "ready", "deleting", "failed"]),
  sizeBytes: z.number().int().nullable(),
  createdAt: timestamp,
  /** Of one that outlives its lease, which was released for idleness: until when. */
  keptUntil: timestamp.nullable(),
  reason: reason.nullable(),
});

export const createSnapshotBody = z.strictObject({
  name: displayName,
  /** When left out: if it runs, and its platform keeps memory. Asked for where it does not, it is refused. */
  withMemory: z.boolean().optional(),
});
