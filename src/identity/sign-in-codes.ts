/**
 * Codes that a link carries into a browser: one use, a short life. `sign_in` opens a session of the
 * user who asked, within his scope; `invitation` lets a user set his password, and is made for him by
 * an administrator. What must stay true: of two uses at once one gets it; a code ends with the key
 * that asked for it and with its user.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { sessionScope } from "#contract/schemas/sessions.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

import { hashOf, newCode } from "./secret.ts";
import type { Session } from "./sessions.ts";

const purpose = z.enum(["sign_in", "invitation"]);

export interface NewSignInCode {
  readonly tenantId: string;
  readonly userId: string;
  readonly keyId: string | null;
  readonly scope: Session["scope"];
  readonly purpose: z.output<typeof purpose>;
  readonly lifeMs: number;
  readonly now: number;
}

export interface SignInCode {
  readonly id: string;
  /** To be shown once; it is stored nowhere. */
  readonly code: string;
  readonly expiresAt: number;
}

/** Without asking who may. */
export async function insertCode(tx: Tx, ask: NewSignInCode): Promise<SignInCode> {
  const { code, hash } = newCode();
  const id = newId();
  const expiresAt = ask.now + ask.lifeMs;
  await tx.execute(sql`
    insert into sign_in_code
      (tenant_id, id, user_id, key_id, scope, purpose, secret_hash, created_at, expires_at)
    values (${ask.tenantId}, ${id}, ${ask.userId}, ${ask.keyId}, ${ask.scope}, ${ask.purpose}, ${hash},
      ${new Date(ask.now)}, ${new Date(expiresAt)})`);
  return { id, code, expiresAt };
}

const codeRow = z.object({
  tenantId: z.string(),
  tenantName: z.string(),
  id: z.string(),
  userId: z.string(),
  userName: z.string(),
  keyId: z.string().nullable(),
  scope: sessionScope,
});
/** Whose it is. */
export type UsableCode = z.output<typeof codeRow>;

interface Presented {
  readonly code: string;
  readonly purpose: z.output<typeof purpose>;
  readonly now: number;
}

/** Needs no tenant: it is what says which. Throws `unauthenticated`. */
export async function findCode(db: Queryable, presented: Presented): Promise<UsableCode> {
  const at = new Date(presented.now);
  const found = await db.maybe(
    sql`select c.tenant_id as "tenantId", t.name as "tenantName", c.id, c.user_id as "userId",
        u.name as "userName", c.key_id as "keyId", c.scope
      from sign_in_code c
      join tenant t on t.id = c.tenant_id
      join tenant_user u on u.tenant_id = c.tenant_id and u.id = c.user_id
      left join api_key k on k.tenant_id = c.tenant_id and k.id = c.key_id
      where c.secret_hash = ${hashOf(presented.code)} and c.purpose = ${presented.purpose}
        and c.used_at is null and c.expires_at > ${at} and u.state = 'active'
        and k.revoked_at is null and (k.expires_at is null or k.expires_at > ${at})`,
    codeRow,
  );
  if (found === undefined) throw noSuchCode();
  return found;
}

/** In the transaction that does what the code is for. Throws `unauthenticated`. */
export async function useCode(tx: Tx, { tenantId, id }: UsableCode, now: number): Promise<void> {
  const used = await tx.execute(sql`
    update sign_in_code set used_at = ${new Date(now)}
    where tenant_id = ${tenantId} and id = ${id} and used_at is null`);
  if (used === 0) throw noSuchCode();
}

/** Unused ones of a user: what they let in has changed. */
export async function voidCodes(
  tx: Tx,
  { tenantId, userId }: { readonly tenantId: string; readonly userId: string },
): Promise<void> {
  await tx.execute(sql`
    delete from sign_in_code
    where tenant_id = ${tenantId} and user_id = ${userId} and used_at is null`);
}

function noSuchCode(): Failure {
  return new Failure(
    "unauthenticated",
    "This link was used, has expired, or was never given out. Ask for another.",
    { details: { reason: "code_unknown" } },
  );
}
