/**
 * The ask to resize: holds the larger of both shapes on the host at once, so that a resize that
 * was accepted cannot fail for lack of room.
 */
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { overQuota } from "#flow/admit/decide.ts";
import { ask, isBeingResized, openLease, type Priced } from "#flow/admit/lease.ts";
import type { OperationRow } from "#flow/admit/operations.ts";
import { limitsOf, lockQuota, usedBy } from "#flow/admit/quota.ts";
import { growPlacement } from "#flow/place/store.ts";
import { Failure } from "#kernel/failure.ts";
import type { Shape } from "#kernel/shape.ts";

export interface ResizeAsk {
  readonly tenantId: string;
  readonly leaseId: string;
  readonly at: number;
  readonly shape: Shape;
  readonly price: Priced;
}

export async function askResize(tx: Tx, wish: ResizeAsk): Promise<OperationRow> {
  const lease = await openLease(tx, wish);
  const { shape: from } = lease;
  const to = wish.shape;
  if (to.diskGiB < from.diskGiB) {
    throw new Failure(
      "rule_violation",
      `A disk only grows: ${from.diskGiB} GiB now, ${to.diskGiB} GiB asked.`,
    );
  }
  if (JSON.stringify(to.gpu) !== JSON.stringify(from.gpu) || to.hugePages !== from.hugePages) {
    throw new Failure(
      "rule_violation",
      "GPUs and huge pages cannot be changed on a lease; rent another one and move.",
    );
  }
  const instance = await tx.maybe(
    sql`select id, state from instance
      where tenant_id = ${wish.tenantId} and request_id = ${wish.leaseId} and state <> 'gone'`,
    z.object({ id: z.string(), state: z.string() }),
  );
  if (instance === undefined || !["running", "stopped"].includes(instance.state)) {
    throw new Failure(
      "wrong_state",
      `The lease ${lease.name} is ${instance?.state ?? "queued"}; resize it when it runs or is stopped.`,
    );
  }
  if (instance.state === "stopped" && lease.wanted === "running") {
    throw new Failure(
      "wrong_state",
      `The lease ${lease.name} is about to start; resize it when it runs.`,
    );
  }
  if (await isBeingResized(tx, wish)) {
    throw new Failure(
      "wrong_state",
      `The lease ${lease.name} is being resized already; wait until that is done.`,
    );
  }
  await requireQuota(tx, wish, from);
  const room = await growPlacement(
    tx,
    { tenantId: wish.tenantId, instanceId: instance.id },
    largerOf(from, to),
  );
  if (room === "full") {
    throw new Failure(
      "capacity",
      "The host of this lease has no room for that now. Try later, or release and rent it anew.",
    );
  }
  return ask(tx, wish, "resize", { shape: to, price: wish.price.shown });
}

async function requireQuota(tx: Tx, wish: ResizeAsk, from: Shape): Promise<void> {
  await lockQuota(tx, wish.tenantId);
  const grown = {
    vcpus: Math.max(0, wish.shape.vcpus - from.vcpus),
    memoryMiB: Math.max(0, wish.shape.memoryMiB - from.memoryMiB),
    diskGiB: Math.max(0, wish.shape.diskGiB - from.diskGiB),
    leases: 0,
    jobs: 0,
    snapshots: 0,
    storageGiB: 0,
    gpus: {},
  };
  const over = overQuota(grown, await limitsOf(tx, wish.tenantId), await usedBy(tx, wish.tenantId));
  if (over.length === 0) return;
  throw new Failure(
    "quota_exceeded",
    `Over quota: ${over.map((each) => `${each.resource} ${each.used} used + ${each.asked} more > ${each.limit}`).join("; ")}.`,
    { details: { quota: over } },
  );
}

function largerOf(a: Shape, b: Shape): Shape {
  return {
    ...b,
    vcpus: Math.max(a.vcpus, b.vcpus),
    memoryMiB: Math.max(a.memoryMiB, b.memoryMiB),
    overcommitPercent: Math.min(a.overcommitPercent, b.overcommitPercent),
  };
}
