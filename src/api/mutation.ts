/**
 * A mutation is one transaction: the idempotency record, what the handler does, the check of its
 * answer, and the audit row commit together or not at all. A refused one leaves nothing behind but
 * an audit row in a transaction of its own.
 */
import { z } from "zod";

import { audit, auditAll, type AuditEntry } from "#audit/audit.ts";
import type { Tx } from "#db/pool.ts";
import { present } from "#kernel/assert.ts";
import type { Failure, FailureCode } from "#kernel/failure.ts";

import { isOperatorOperation } from "./authorize.ts";
import type { Call, Environment } from "./call.ts";
import type { AuditItem, AuditNote } from "./handler.ts";
import { claimAnswer, keepAnswer, type IdempotentRequest, type KeptAnswer } from "./idempotency.ts";

export interface MutationOutcome extends KeptAnswer {
  /** Answered from the record of an earlier request. */
  readonly replayed: boolean;
}

export interface Mutation {
  readonly call: Call;
  readonly params: unknown;
  /** Of the whole request; only asked for when there is an idempotency key. */
  readonly requestHash: () => Buffer;
  readonly work: (tx: Tx, note: (entry: AuditNote) => void) => Promise<unknown>;
}

/** As the tenant, behind row-level security, or as the operator. */
async function inTransaction<T>(
  { db }: Environment,
  { operation, tenantId }: Pick<Call, "operation" | "tenantId">,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  return isOperatorOperation(operation) ? db.transaction(work) : db.tenant(tenantId, work);
}

export async function mutate(
  environment: Environment,
  { call, params, requestHash, work }: Mutation,
): Promise<MutationOutcome> {
  const { operation } = call;
  const request = idempotentRequest(call, requestHash);
  const done = inTransaction(environment, call, async (tx) => {
    const now = environment.now();
    const kept = request === undefined ? undefined : await claimAnswer(tx, request, now);
    if (kept !== undefined) return { ...kept, replayed: true };
    // Anew in each attempt of the transaction.
    const notes: AuditNote[] = [];
    const result = await work(tx, (entry) => notes.push(entry));
    const body = answerText(operation.result, result);
    const entry = entryOf(call, now);
    const whole = { ...entry, ...noted(notes, targetOf(params) ?? idOf(result)) };
    await auditAll(tx, [
      ...(notes.some(({ unchanged }) => unchanged) ? [] : [{ ...whole, outcome: "done" } as const]),
      ...notes.flatMap(({ items = [] }) => items.flatMap((item) => entryOfItem(entry, item))),
    ]);
    const answer = { status: operation.status, body };
    if (request !== undefined) await keepAnswer(tx, request, answer);
    return { ...answer, replayed: false };
  });
  // Whatever it changed about who may call holds before anybody is told how it went.
  return done.finally(() => environment.keys.forget());
}

/** Throws, and so takes the mutation back, when the answer is not what the contract promises. */
export function answerText(schema: z.ZodType, result: unknown): string {
  const parsed = schema.parse(result);
  return parsed === undefined ? "" : JSON.stringify(parsed);
}

function idempotentRequest(
  { tenantId, authenticated, idempotencyKeyHash }: Call,
  requestHash: () => Buffer,
): IdempotentRequest | undefined {
  if (idempotencyKeyHash === undefined) return undefined;
  return {
    tenantId,
    userId: authenticated.principal.userId,
    secret: authenticated.secret,
    keyHash: idempotencyKeyHash,
    requestHash: requestHash(),
  };
}

function noted(
  notes: readonly AuditNote[],
  otherwise: string | undefined,
): Pick<AuditEntry, "target" | "details"> {
  const target = notes.findLast((note) => note.target !== undefined)?.target ?? otherwise;
  return {
    ...(target === undefined ? {} : { target }),
    details: Object.assign({}, ...notes.map((note) => note.details ?? {})),
  };
}

/** What was done, or refused as one alone would be. */
function entryOfItem(
  whole: Omit<AuditEntry, "outcome">,
  { action, target, refusal, details }: AuditItem,
): AuditEntry[] {
  const of = { ...whole, action, ...(target === undefined ? {} : { target }) };
  if (refusal === undefined) return [{ ...of, details, outcome: "done" }];
  if (!auditedRefusals.has(refusal.code)) return [];
  return [{ ...of, details: { ...details, ...refusalDetails(refusal) }, outcome: "refused" }];
}

function refusalDetails({ code, message, details }: Failure): Record<string, unknown> {
  return { code, message, ...details };
}

const withId = z.object({ id: z.string() });
const pathValues = z.record(z.string(), z.string());

function idOf(result: unknown): string | undefined {
  return withId.safeParse(result).data?.id;
}

function targetOf(params: unknown): string | undefined {
  const values = Object.values(pathValues.safeParse(params).data ?? {});
  return values.length === 0 ? undefined : values.join("/");
}

function entryOf(call: Call, at: number): Omit<AuditEntry, "outcome"> {
  const { principal } = call.authenticated;
  const { tenantId, tenantName, userId, userName, keyId, sessionId } = principal;
  const name = tenantId === call.tenantId ? userName : `${tenantName}/${userName}`;
  return {
    tenantId: call.tenantId,
    actor: { kind: "user", name, tenantId, userId, keyId, sessionId },
    action: present(call.operation.audit, "audit name of a mutation"),
    requestId: call.requestId,
    at,
  };
}

/**
 * Refusals that decide about something somebody tried to do. What was never a request (malformed,
 * too large, too many) is not audited, and neither are faults of ours.
 */
const auditedRefusals: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "insufficient_credit",
  "forbidden",
  "quota_exceeded",
  "not_found",
  "conflict",
  "wrong_state",
  "idempotency_mismatch",
  "rule_violation",
  "unplaceable",
  "unsupported",
  "capacity",
]);

/** Never fails: the refusal is answered whether or not it could be written down. */
export async function auditRefusal(
  environment: Environment,
  { call, params, failure }: { readonly call: Call; readonly params: unknown; failure: Failure },
): Promise<void> {
  if (!auditedRefusals.has(failure.code)) return;
  const target = targetOf(params);
  try {
    await environment.db.tenant(call.tenantId, (tx) =>
      audit(tx, {
        ...entryOf(call, environment.now()),
        ...(target === undefined ? {} : { target }),
        outcome: "refused",
        details: refusalDetails(failure),
      }),
    );
  } catch (error) {
    environment.observer.log.error(
      { err: error, requestId: call.requestId, operation: call.id },
      "refusal could not be audited",
    );
  }
}
