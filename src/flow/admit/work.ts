/**
 * Admits new work of one tenant: one ask, or many at once. What must stay true: many at once are
 * decided as the same asks one after the other would be, each on what the ones before it left of quota
 * and credit, and are written by as many statements as one. A gang is one ask: all of its members are
 * admitted, each with a request and a hold of its own, or none.
 */
import { v7 as uuid } from "uuid";

import type { Tx } from "#db/pool.ts";
import { assert, present } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";
import type { Fen } from "#kernel/money.ts";
import type { Shape } from "#kernel/shape.ts";

import { askedBy, decideAdmission, withMore } from "./decide.ts";
import { insertOperations, newOperation, type OperationRow } from "./operations.ts";
import { membersOf } from "./gang.ts";
import { limitsOf, lockQuota, usedBy } from "./quota.ts";
import {
  insertRequests,
  type Beside,
  type GangHow,
  type Kind,
  type NewRequest,
  type Plan,
} from "./requests.ts";
import type { Workload } from "./rows.ts";
import { refusedByClass } from "./service-class.ts";
import { requireActive } from "./suspension.ts";

/** What admission needs of the ledger, so that money stays the ledger's business. */
export interface Credit {
  /** The tenant's account is locked until the transaction ends. */
  open(
    tx: Tx,
    ask: { readonly tenantId: string; readonly kind: Kind; readonly at: number },
  ): Promise<OpenCredit>;
}

export interface OpenCredit {
  /** What the tenant can still spend on it. */
  available(): Fen;
  /** Sets aside, for a request that this transaction makes. */
  hold(requestId: string, amount: Fen): void;
  /** Writes what was set aside. */
  settle(): Promise<void>;
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
  /** So many members that start together and end together. */
  readonly gang?: { readonly size: number; readonly how: GangHow };
  /** Beside which work of the tenant's it wants to lie, and which it keeps away from. */
  readonly beside?: Beside;
  /** A snapshot that outlived its lease, which its machine is made of. */
  readonly fromSnapshot?: string;
  /** Why no host could ever carry it; said where the quota allows it (I-DES-01). */
  readonly impossible?: Failure;
  /** Of a subscription, what is charged by use: its storage. */
  readonly price: Priced;
  readonly at: number;
}

export interface Admitted {
  readonly admitted: true;
  /** Of a gang its first member's, which is the gang's id as well. */
  readonly requestId: string;
  readonly operation: OperationRow;
}

export interface Refused {
  readonly admitted: false;
  readonly failure: Failure;
}

/** Admits new work, or throws the refusal. The request id is returned with its operation. */
export async function admitWork(tx: Tx, credit: Credit, work: NewWork): Promise<Admitted> {
  const [outcome] = await admitAll(tx, credit, [work]);
  const one = present(outcome, "the outcome of what was asked");
  if (!one.admitted) throw one.failure;
  return one;
}

/**
 * An outcome for each, in order: admitted, or why not, and then nothing of it is written. All are of
 * one tenant and one kind, asked at one instant. Throws what keeps out all of them.
 */
export async function admitAll(
  tx: Tx,
  credit: Credit,
  works: readonly NewWork[],
): Promise<(Admitted | Refused)[]> {
  const [first] = works;
  if (first === undefined) return [];
  const { tenantId, kind, at } = first;
  assert(
    works.every((each) => each.tenantId === tenantId && each.kind === kind && each.at === at),
    "what is admitted together is alike",
  );
  await lockQuota(tx, tenantId);
  await requireActive(tx, tenantId);
  const limits = await limitsOf(tx, tenantId);
  let used = await usedBy(tx, tenantId);
  const purse = await credit.open(tx, { tenantId, kind, at });
  const outcomes: (Admitted | Refused)[] = [];
  const requests: NewRequest[] = [];
  const operations: OperationRow[] = [];
  for (const work of works) {
    const ask = { kind, shape: work.shape, members: work.gang?.size ?? 1 };
    if (kind === "lease") {
      // oxlint-disable-next-line no-await-in-loop -- leases are asked for one at a time
      const failure = await refusedByClass(tx, { tenantId, shape: work.shape });
      if (failure !== undefined) {
        outcomes.push({ admitted: false, failure });
        continue;
      }
    }
    const admission = decideAdmission({
      ask,
      limits,
      used,
      impossible: work.impossible,
      hourly: work.price.hourly,
      secondsMax: work.workload?.timeLimitSeconds,
      available: purse.available(),
    });
    if (!admission.admitted) {
      const { code, message, details } = admission;
      outcomes.push({ admitted: false, failure: new Failure(code, message, { details }) });
      continue;
    }
    used = withMore(used, askedBy(ask));
    const { gang, beside, impossible: _none, ...rest } = work;
    const made = membersOf(uuid, { name: work.name, gang }).map((member): NewRequest => ({
      ...rest,
      ...member,
      ...(beside === undefined ? {} : { beside }),
      createdBy: work.userId,
      price: work.price.shown,
    }));
    for (const { id } of made) purse.hold(id, admission.hold);
    const asked = made.map(({ id }) =>
      newOperation({ tenantId, requestId: id, kind: "create", arguments: {}, at }),
    );
    requests.push(...made);
    operations.push(...asked);
    const operation = present(asked[0], "the operation of what was admitted");
    outcomes.push({ admitted: true, requestId: operation.request_id, operation });
  }
  if (requests.length === 0) return outcomes;
  await insertRequests(tx, requests);
  await purse.settle();
  await insertOperations(tx, operations);
  tx.nudge("request");
  return outcomes;
}
