/**
 * The same request again gets the same answer and has no second effect. A record is claimed at the
 * start of the mutation's transaction and completed at its end: whoever comes second with the key
 * waits on the claimed row, and then reads the answer, or, where the first was refused and so left
 * nothing behind, goes ahead himself.
 *
 * Answers may carry secrets (a new API key), so they are sealed with a key that follows from the
 * caller's credential, of which the database has only a hash. See
 * docs/decisions/0010-idempotent-answers.md.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

import canonicalize from "canonicalize";
import { z } from "zod";

import type { Db, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { sealingKeyOf, type Secret } from "#identity/secret.ts";
import { present } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";

import { idempotencyKeyCharactersMax, idempotencyMs } from "./limits.ts";

const sealingPurpose = "millrace idempotent answer";
const cipher = "aes-256-gcm";
const ivBytes = 12;
const tagBytes = 16;
const forgottenPerPassMax = 1000;

/** What makes two requests the same request. */
export interface IdempotentRequest {
  readonly tenantId: string;
  readonly userId: string;
  readonly secret: Secret;
  readonly keyHash: Buffer;
  readonly requestHash: Buffer;
}

export interface KeptAnswer {
  readonly status: number;
  /** As it was sent; empty for 204. */
  readonly body: string;
}

/** Throws `invalid_request`. */
export function parseIdempotencyKey(text: string): Buffer {
  if (/^[\u0021-\u007E]+$/.test(text) && text.length <= idempotencyKeyCharactersMax) {
    return sha256(text);
  }
  throw new Failure(
    "invalid_request",
    `An Idempotency-Key is 1 to ${idempotencyKeyCharactersMax} visible ASCII characters; a uuid is a good one.`,
    { details: { header: "Idempotency-Key" } },
  );
}

/** Of the parsed input, so that spacing and the order of fields make no difference. */
export function hashOfRequest(request: unknown): Buffer {
  return sha256(present(canonicalize(request), "canonical form of a request"));
}

/** The kept answer, or `undefined` when the caller is the first and goes ahead. */
export async function claimAnswer(
  tx: Tx,
  request: IdempotentRequest,
  now: number,
): Promise<KeptAnswer | undefined> {
  const { tenantId, userId, keyHash, requestHash } = request;
  // `do update … where` rather than `do nothing`: it also takes over a record that is too old and
  // not yet removed. Both wait for another transaction that has claimed the row.
  const claimed = await tx.execute(sql`
    insert into idempotent_answer as kept (tenant_id, user_id, key_hash, request_hash, created_at)
    values (${tenantId}, ${userId}, ${keyHash}, ${requestHash}, ${new Date(now)})
    on conflict (tenant_id, user_id, key_hash) do update
      set request_hash = excluded.request_hash, created_at = excluded.created_at,
        status = null, sealed_answer = null
      where kept.created_at <= ${new Date(now - idempotencyMs)}`);
  if (claimed === 1) return undefined;
  const kept = await tx.one(
    sql`select request_hash as "requestHash", status, sealed_answer as "sealedAnswer"
      from idempotent_answer
      where tenant_id = ${tenantId} and user_id = ${userId} and key_hash = ${keyHash}`,
    keptRow,
  );
  if (!requestHash.equals(kept.requestHash)) {
    throw new Failure(
      "idempotency_mismatch",
      "This Idempotency-Key was used for another request. Use a new key for a new request.",
    );
  }
  return { status: kept.status, body: unseal(request, kept.sealedAnswer) };
}

const keptRow = z.object({
  requestHash: z.instanceof(Uint8Array),
  status: z.int(),
  sealedAnswer: z.instanceof(Uint8Array),
});

export async function keepAnswer(
  tx: Tx,
  request: IdempotentRequest,
  answer: KeptAnswer,
): Promise<void> {
  await tx.execute(sql`
    update idempotent_answer
    set status = ${answer.status}, sealed_answer = ${seal(request, answer.body)}
    where tenant_id = ${request.tenantId} and user_id = ${request.userId}
      and key_hash = ${request.keyHash}`);
}

function seal({ secret, keyHash }: IdempotentRequest, body: string): Buffer {
  const iv = randomBytes(ivBytes);
  const sealing = createCipheriv(cipher, sealingKeyOf(secret, sealingPurpose), iv);
  sealing.setAAD(keyHash);
  const sealed = Buffer.concat([sealing.update(body, "utf8"), sealing.final()]);
  return Buffer.concat([iv, sealing.getAuthTag(), sealed]);
}

function unseal({ secret, keyHash }: IdempotentRequest, sealed: Uint8Array): string {
  const opening = createDecipheriv(
    cipher,
    sealingKeyOf(secret, sealingPurpose),
    sealed.subarray(0, ivBytes),
  );
  opening.setAAD(keyHash);
  opening.setAuthTag(sealed.subarray(ivBytes, ivBytes + tagBytes));
  try {
    const body = opening.update(sealed.subarray(ivBytes + tagBytes));
    return Buffer.concat([body, opening.final()]).toString("utf8");
  } catch (cause) {
    throw new Failure(
      "idempotency_mismatch",
      "This request was made before with another API key of the same user; only that key can read its answer.",
      { cause },
    );
  }
}

/** Removes answers that are too old, oldest first; says how many. For a loop. */
export async function forgetAnswers(db: Db, now: number): Promise<number> {
  return db.execute(sql`
    delete from idempotent_answer where ctid in (
      select ctid from idempotent_answer
      where created_at <= ${new Date(now - idempotencyMs)}
      order by created_at limit ${forgottenPerPassMax}
      for update skip locked)`);
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
