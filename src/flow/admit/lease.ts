/**
 * The asks about leases. Each is one transaction: it checks, writes what is wanted from now on and
 * an operation to wait for, and nudges the stages that make it so.
 */
import type { Tx } from "#db/pool.ts";
import { Failure } from "#kernel/failure.ts";
import type { Shape } from "#kernel/shape.ts";

import { overQuota, type Quantities } from "./decide.ts";
import {
  addOperation,
  runningOperations,
  supersedeOperations,
  type OperationRow,
} from "./operations.ts";
import { limitsOf, lockQuota, usedBy } from "./quota.ts";
import { lockRequest, setReason, setWanted, type Request } from "./requests.ts";
import { requireActive } from "./suspension.ts";
import type { Credit } from "./work.ts";

/** What an ask led to. */
export interface Asked {
  readonly operation: OperationRow;
  /** It was under way already, so that this ask changed nothing. */
  readonly joined: boolean;
}

interface LeaseKey {
  readonly tenantId: string;
  readonly leaseId: string;
  readonly at: number;
}

export async function askStart(tx: Tx, credit: Credit, key: LeaseKey): Promise<OperationRow> {
  const lease = await openLease(tx, key);
  if (lease.wanted === "running") {
    throw new Failure("wrong_state", `The lease ${lease.name} is running or starting already.`);
  }
  if (lease.paid_until !== null && lease.paid_until <= key.at) {
    throw new Failure(
      "wrong_state",
      `The term of ${lease.name} ended at ${new Date(lease.paid_until).toISOString()}; renew its subscription, then start it.`,
      { details: { paidUntil: new Date(lease.paid_until).toISOString() } },
    );
  }
  // It would be placed with the shape that it has, and then not fit once the resize is done.
  if (await isBeingResized(tx, key)) {
    throw new Failure(
      "wrong_state",
      `The lease ${lease.name} is being resized; start it when that is done.`,
    );
  }
  await lockQuota(tx, key.tenantId);
  await requireActive(tx, key.tenantId);
  const over = overQuota(
    poweredBy(lease.shape),
    await limitsOf(tx, key.tenantId),
    await usedBy(tx, key.tenantId),
  );
  if (over.length > 0) {
    throw new Failure(
      "quota_exceeded",
      `Over quota: ${over.map((each) => `${each.resource} ${each.used} used + ${each.asked} asked > ${each.limit}`).join("; ")}. Stop something else first.`,
      { details: { quota: over } },
    );
  }
  const forLease = { tenantId: key.tenantId, kind: "lease", at: key.at } as const;
  if (lease.plan === "on_demand" && (await credit.open(tx, forLease)).available() <= 0n) {
    throw new Failure(
      "insufficient_credit",
      "Nothing is left on the balance. Top up and start again.",
    );
  }
  await setWanted(tx, { ...keyOf(key), wanted: "running", nextTurn: true, at: key.at });
  await setReason(tx, { ...keyOf(key), reason: null });
  return ask(tx, key, "start", {});
}

export async function askStop(
  tx: Tx,
  key: LeaseKey & { readonly graceSeconds: number },
): Promise<OperationRow> {
  const lease = await openLease(tx, key);
  if (lease.wanted === "stopped") {
    throw new Failure("wrong_state", `The lease ${lease.name} is stopped or stopping already.`);
  }
  await setWanted(tx, { ...keyOf(key), wanted: "stopped", at: key.at });
  await supersede(tx, key, ["create", "start", "reboot"]);
  return ask(tx, key, "stop", { graceSeconds: key.graceSeconds });
}

export async function askReboot(tx: Tx, key: LeaseKey): Promise<OperationRow> {
  const lease = await openLease(tx, key);
  if (lease.wanted !== "running") {
    throw new Failure("wrong_state", `The lease ${lease.name} does not run; start it instead.`);
  }
  const under = await runningOperations(tx, { tenantId: key.tenantId, requestId: key.leaseId });
  if (under.some(({ kind }) => kind === "create" || kind === "start")) {
    throw new Failure(
      "wrong_state",
      `The lease ${lease.name} is starting; reboot it when it runs.`,
    );
  }
  return ask(tx, key, "reboot", {});
}

/** To another host while it runs, of the platform's choice unless one is named as the platform names it. */
export async function askMove(
  tx: Tx,
  key: LeaseKey & { readonly nativeHostId?: string | undefined },
): Promise<Asked> {
  const lease = await openLease(tx, key);
  if (lease.wanted !== "running") {
    throw new Failure(
      "wrong_state",
      `The lease ${lease.name} does not run; what is off has nothing to move.`,
    );
  }
  const under = await runningOperations(tx, { tenantId: key.tenantId, requestId: key.leaseId });
  const moving = under.find(({ kind }) => kind === "move");
  if (moving !== undefined) return { operation: moving, joined: true };
  const values = key.nativeHostId === undefined ? {} : { hostId: key.nativeHostId };
  return { operation: await ask(tx, key, "move", values), joined: false };
}

/** Releasing what is being released is the same wish; it answers with the operation under way. */
export async function askRelease(tx: Tx, key: LeaseKey): Promise<Asked> {
  const lease = await lockRequest(tx, { ...keyOf(key), kind: "lease" });
  if (lease.ended_at !== null) {
    throw new Failure("wrong_state", `The lease ${lease.name} was released already.`);
  }
  const under = await runningOperations(tx, { tenantId: key.tenantId, requestId: key.leaseId });
  const releasing = under.find(({ kind }) => kind === "release");
  if (lease.wanted === "released" && releasing !== undefined) {
    return { operation: releasing, joined: true };
  }
  await setWanted(tx, { ...keyOf(key), wanted: "released", at: key.at });
  await setReason(tx, { ...keyOf(key), reason: null });
  await supersede(tx, key, [
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
  return { operation: await ask(tx, key, "release", {}), joined: false };
}

export async function openLease(tx: Tx, key: LeaseKey): Promise<Request> {
  const lease = await lockRequest(tx, { ...keyOf(key), kind: "lease" });
  if (lease.ended_at !== null || lease.wanted === "released") {
    throw new Failure("wrong_state", `The lease ${lease.name} is being released or was released.`);
  }
  return lease;
}

export async function isBeingResized(
  tx: Tx,
  key: { readonly tenantId: string; readonly leaseId: string },
): Promise<boolean> {
  const of = { tenantId: key.tenantId, requestId: key.leaseId };
  return (await runningOperations(tx, of)).some(({ kind }) => kind === "resize");
}

export async function ask(
  tx: Tx,
  key: LeaseKey,
  kind: OperationRow["kind"],
  values: Readonly<Record<string, unknown>>,
): Promise<OperationRow> {
  const operation = await addOperation(tx, {
    tenantId: key.tenantId,
    requestId: key.leaseId,
    kind,
    arguments: values,
    at: key.at,
  });
  tx.nudge("request");
  return operation;
}

function supersede(tx: Tx, key: LeaseKey, kinds: readonly OperationRow["kind"][]): Promise<void> {
  const of = { tenantId: key.tenantId, requestId: key.leaseId, at: key.at };
  return supersedeOperations(tx, of, kinds);
}

function keyOf(key: LeaseKey): { readonly tenantId: string; readonly id: string } {
  return { tenantId: key.tenantId, id: key.leaseId };
}

function poweredBy(shape: Shape): Quantities {
  return {
    vcpus: shape.vcpus,
    memoryMiB: shape.memoryMiB,
    diskGiB: 0,
    leases: 0,
    jobs: 0,
    snapshots: 0,
    storageGiB: 0,
    gpus: shape.gpu === null ? {} : { [shape.gpu.model]: shape.gpu.count },
  };
}
