/**
 * The asks about leases. Each is one transaction: it checks, writes what is wanted from now on and
 * an operation to wait for, and nudges the stages that make it so.
 */
import { v7 as uuid } from "uuid";

import type { Tx } from "#db/pool.ts";
import { Failure } from "#kernel/failure.ts";
import type { Fen } from "#kernel/money.ts";
import type { Shape } from "#kernel/shape.ts";

import { decideAdmission, overQuota, type Quantities } from "./decide.ts";
import {
  addOperation,
  runningOperations,
  supersedeOperations,
  type OperationRow,
} from "./operations.ts";
import { limitsOf, lockQuota, usedBy } from "./quota.ts";
import {
  insertRequest,
  lockRequest,
  setReason,
  setWanted,
  type Kind,
  type Plan,
  type Request,
} from "./requests.ts";
import type { Workload } from "./rows.ts";
import { requireActive } from "./suspension.ts";

/** What admission needs of the ledger, so that money stays the ledger's business. */
export interface Credit {
  /** What the tenant can still spend on it, its account locked until the transaction ends. */
  available(
    tx: Tx,
    ask: { readonly tenantId: string; readonly kind: Kind; readonly at: number },
  ): Promise<Fen>;
  hold(
    tx: Tx,
    hold: {
      readonly tenantId: string;
      readonly requestId: string;
      readonly kind: Kind;
      readonly amount: Fen;
      readonly at: number;
    },
  ): Promise<void>;
}

export interface Priced {
  /** List price of an hour; `undefined` when something in it has no price. */
  readonly hourly: Fen | undefined;
  /** For display, kept with the request. */
  readonly shown: Readonly<Record<string, unknown>>;
}

export interface NewWork {
  readonly tenantId: string;
  readonly projectId: string;
  readonly userId: string;
  readonly kind: Kind;
  readonly name: string;
  readonly shape: Shape;
  readonly image: string;
  readonly loginUser: string;
  readonly sshKeys: readonly string[];
  readonly userData: string | undefined;
  readonly restart: "never" | "on-failure";
  readonly priority: number;
  readonly workload: Workload | undefined;
  readonly plan: Plan;
  /** Of a subscription, what is charged by use: its storage. */
  readonly price: Priced;
  readonly at: number;
}

/** Admits new work, or throws the refusal. The request id is returned with its operation. */
export async function admitWork(
  tx: Tx,
  credit: Credit,
  work: NewWork,
): Promise<{ readonly requestId: string; readonly operation: OperationRow }> {
  const { tenantId, at } = work;
  await lockQuota(tx, tenantId);
  await requireActive(tx, tenantId);
  const admission = decideAdmission({
    ask: { kind: work.kind, shape: work.shape },
    limits: await limitsOf(tx, tenantId),
    used: await usedBy(tx, tenantId),
    hourly: work.price.hourly,
    secondsMax: work.workload?.timeLimitSeconds,
    available: await credit.available(tx, { tenantId, kind: work.kind, at }),
  });
  if (!admission.admitted) {
    throw new Failure(admission.code, admission.message, { details: admission.details });
  }
  const requestId = uuid();
  await insertRequest(tx, {
    tenantId,
    id: requestId,
    projectId: work.projectId,
    kind: work.kind,
    name: work.name,
    createdBy: work.userId,
    shape: work.shape,
    image: work.image,
    loginUser: work.loginUser,
    sshKeys: work.sshKeys,
    userData: work.userData,
    restart: work.restart,
    price: work.price.shown,
    priority: work.priority,
    workload: work.workload,
    plan: work.plan,
    at,
  });
  await credit.hold(tx, { tenantId, requestId, kind: work.kind, amount: admission.hold, at });
  const operation = await addOperation(tx, {
    tenantId,
    requestId,
    kind: "create",
    arguments: {},
    at,
  });
  await tx.nudge("request");
  return { requestId, operation };
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
  if (lease.plan === "on_demand" && (await credit.available(tx, forLease)) <= 0n) {
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

/** Releasing what is being released is the same wish; it answers with the operation under way. */
export async function askRelease(tx: Tx, key: LeaseKey): Promise<OperationRow> {
  const lease = await lockRequest(tx, { ...keyOf(key), kind: "lease" });
  if (lease.ended_at !== null) {
    throw new Failure("wrong_state", `The lease ${lease.name} was released already.`);
  }
  await setWanted(tx, { ...keyOf(key), wanted: "released", at: key.at });
  await setReason(tx, { ...keyOf(key), reason: null });
  await supersede(tx, key, [
    "create",
    "start",
    "stop",
    "reboot",
    "resize",
    "release",
    "snapshot",
    "revert",
    "snapshot-delete",
  ]);
  return ask(tx, key, "release", {});
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
  await tx.nudge("request");
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
