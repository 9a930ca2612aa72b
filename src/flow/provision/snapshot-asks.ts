/** The asks about snapshots: a row and an operation, which the reconciler makes real. */
import { v7 as uuid } from "uuid";
import { z } from "zod";

import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { overQuota } from "#flow/admit/decide.ts";
import { ask, openLease } from "#flow/admit/lease.ts";
import type { OperationRow } from "#flow/admit/operations.ts";
import { limitsOf, lockQuota, usedBy } from "#flow/admit/quota.ts";
import { Failure } from "#kernel/failure.ts";

import { awaitedCopiesOf } from "./clone-rows.ts";
import { snapshotRow, type SnapshotRow } from "./snapshots.ts";
import { addEvent } from "./store.ts";

interface LeaseKey {
  readonly tenantId: string;
  readonly leaseId: string;
  readonly at: number;
}

const instanceRow = z.object({ id: z.string(), state: z.string() });

export async function askSnapshot(
  tx: Tx,
  wish: LeaseKey & { readonly name: string; readonly withMemory: boolean },
): Promise<{ readonly snapshot: SnapshotRow; readonly operation: OperationRow }> {
  const lease = await openLease(tx, wish);
  const instance = await steadyInstance(tx, wish, lease.name);
  await lockQuota(tx, wish.tenantId);
  const one = { vcpus: 0, memoryMiB: 0, diskGiB: 0, leases: 0, jobs: 0, snapshots: 1 };
  const over = overQuota(
    { ...one, storageGiB: 0, gpus: {} },
    await limitsOf(tx, wish.tenantId),
    await usedBy(tx, wish.tenantId),
  );
  if (over.length > 0) {
    throw new Failure("quota_exceeded", "No snapshot is left in the quota; delete one first.", {
      details: { quota: over },
    });
  }
  // A stopped machine has no memory to keep.
  const withMemory = wish.withMemory && instance.state === "running";
  return make(tx, { ...wish, withMemory, instanceId: instance.id });
}

/** Of the disk, before we release a lease ourselves: no tenant's quota stands in its way. */
export async function askSnapshotToKeep(
  tx: Tx,
  wish: LeaseKey & { readonly name: string },
): Promise<{ readonly snapshot: SnapshotRow; readonly operation: OperationRow }> {
  const lease = await openLease(tx, wish);
  const instance = await steadyInstance(tx, wish, lease.name);
  return make(tx, { ...wish, withMemory: false, instanceId: instance.id });
}

/** Of the disk, for a copy of the lease: it is ours, and goes when the copy has its machine. */
export async function askSnapshotToClone(
  tx: Tx,
  wish: LeaseKey & { readonly name: string },
): Promise<SnapshotRow> {
  const lease = await openLease(tx, wish);
  const instance = await steadyInstance(tx, wish, lease.name);
  const mine = { withMemory: false, instanceId: instance.id, madeFor: "clone" as const };
  return (await make(tx, { ...wish, ...mine })).snapshot;
}

async function make(
  tx: Tx,
  wish: LeaseKey & {
    readonly name: string;
    readonly withMemory: boolean;
    readonly instanceId: string;
    readonly madeFor?: SnapshotRow["made_for"];
  },
): Promise<{ readonly snapshot: SnapshotRow; readonly operation: OperationRow }> {
  const snapshot = await tx.one(
    sql`insert into snapshot (tenant_id, id, request_id, instance_id, name, with_memory, state,
        made_for, created_at)
      values (${wish.tenantId}, ${uuid()}, ${wish.leaseId}, ${wish.instanceId}, ${wish.name},
        ${wish.withMemory}, 'creating', ${wish.madeFor ?? "owner"}, ${new Date(wish.at)}) returning *`,
    snapshotRow,
  );
  const operation = await ask(tx, wish, "snapshot", {
    id: snapshot.id,
    name: snapshot.name,
    withMemory: wish.withMemory,
  });
  return { snapshot, operation };
}

type SnapshotKey = LeaseKey & { readonly snapshotId: string };

export async function askRevert(tx: Tx, key: SnapshotKey): Promise<OperationRow> {
  const lease = await openLease(tx, key);
  const instance = await steadyInstance(tx, key, lease.name);
  const snapshot = await lockSnapshot(tx, key);
  if (snapshot.with_memory && (instance.state === "stopped" || lease.wanted !== "running")) {
    throw new Failure(
      "wrong_state",
      `The snapshot holds memory, so going back to it makes the lease run: start ${lease.name} first.`,
    );
  }
  if (snapshot.state !== "ready") {
    throw new Failure(
      "wrong_state",
      `The snapshot is ${snapshot.state}, so nothing can go back to it.`,
    );
  }
  await refuseOtherSize(tx, key, snapshot);
  const operation = await ask(tx, key, "revert", argumentsOf(snapshot));
  // Without it the events would show a stop and a start that nobody asked for.
  await addEvent(tx, {
    tenantId: key.tenantId,
    requestId: key.leaseId,
    kind: "revert",
    message: `It goes back to the snapshot ${snapshot.name}: what was written since is lost.`,
    at: key.at,
  });
  return operation;
}

export async function askDeleteSnapshot(tx: Tx, key: SnapshotKey): Promise<OperationRow> {
  await openLease(tx, key);
  const snapshot = await lockSnapshot(tx, key);
  if (snapshot.state === "creating" || snapshot.state === "deleting") {
    throw new Failure("wrong_state", `The snapshot is ${snapshot.state}; wait until that is done.`);
  }
  const [copy] = await awaitedCopiesOf(tx, key);
  if (copy !== undefined) {
    throw new Failure(
      "wrong_state",
      `The snapshot is what ${copy} is made of; it goes by itself when ${copy} runs.`,
    );
  }
  await tx.execute(sql`
    update snapshot set state = 'deleting'
    where tenant_id = ${key.tenantId} and id = ${snapshot.id}`);
  return ask(tx, key, "snapshot-delete", argumentsOf(snapshot));
}

/** A snapshot brings back the machine as it was, its size too; the lease would then pay for another. */
async function refuseOtherSize(tx: Tx, key: SnapshotKey, snapshot: SnapshotRow): Promise<void> {
  const resized = await tx.maybe(
    sql`select id from operation
      where tenant_id = ${key.tenantId} and request_id = ${key.leaseId} and kind = 'resize'
        and state in ('running', 'succeeded') and created_at > ${new Date(snapshot.created_at)}
      limit 1`,
    z.object({ id: z.string() }),
  );
  if (resized === undefined) return;
  throw new Failure(
    "wrong_state",
    `The lease was resized after the snapshot ${snapshot.name} was taken, so nothing can go back to it; delete it.`,
  );
}

function argumentsOf(snapshot: SnapshotRow): Readonly<Record<string, unknown>> {
  return { id: snapshot.id, name: snapshot.name, withMemory: snapshot.with_memory };
}

async function lockSnapshot(tx: Tx, key: SnapshotKey): Promise<SnapshotRow> {
  const found = await tx.maybe(
    sql`select * from snapshot where tenant_id = ${key.tenantId} and id = ${key.snapshotId}
      and request_id = ${key.leaseId} and state <> 'gone' for update`,
    snapshotRow,
  );
  if (found === undefined) throw new Failure("not_found", "There is no such snapshot.");
  return found;
}

async function steadyInstance(
  tx: Tx,
  key: LeaseKey,
  name: string,
): Promise<z.output<typeof instanceRow>> {
  const instance = await tx.maybe(
    sql`select id, state from instance
      where tenant_id = ${key.tenantId} and request_id = ${key.leaseId} and state <> 'gone'`,
    instanceRow,
  );
  if (instance !== undefined && ["running", "stopped"].includes(instance.state)) return instance;
  throw new Failure(
    "wrong_state",
    `The lease ${name} is ${instance?.state ?? "queued"}; this needs it running or stopped.`,
  );
}
