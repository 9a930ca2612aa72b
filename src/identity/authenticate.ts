/**
 * From a secret to who calls, by one indexed query: a revoked key, a disabled user and a changed
 * role act at once, whichever process hears. `known-keys.ts` spares most requests that query.
 */
import { z } from "zod";

import type { Role } from "#contract/operation.ts";
import { keyScope, role, type KeyScope } from "#contract/schemas/identity.ts";
import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

import { isSecret, matches, prefixOf, type Secret } from "./secret.ts";

const lastUsedEveryMs = 60_000;

/** Who calls. */
export interface Principal {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly userId: string;
  readonly userName: string;
  readonly role: Role;
  readonly keyId: string;
  readonly scope: KeyScope;
}

export interface Authenticated {
  readonly principal: Principal;
  readonly tenantState: "active" | "suspended";
  readonly secret: Secret;
}

const row = z.object({
  tenantId: z.string(),
  tenantName: z.string(),
  tenantState: z.enum(["active", "suspended"]),
  userId: z.string(),
  userName: z.string(),
  userState: z.enum(["active", "disabled"]),
  role,
  keyId: z.string(),
  scope: keyScope,
  secretHash: z.instanceof(Uint8Array),
  expiresAt: instant.nullable(),
  lastUsedAt: instant.nullable(),
  revokedAt: instant.nullable(),
});
/** A key with its user and tenant, as they were when it was read. */
export type KeyRow = z.output<typeof row>;

/**
 * `text` is what the caller presented; throws `unauthenticated`. Reasons are told only to one who
 * has the whole secret.
 */
export async function authenticate(
  db: Queryable,
  text: string,
  now: number,
): Promise<Authenticated> {
  const secret = secretOf(text);
  const key = await findKey(db, secret);
  const authenticated = judgeKey(key, secret, now);
  if (isUseDue(key, now)) await noteUse(db, key, now);
  return authenticated;
}

/** Throws `unauthenticated`. */
export function secretOf(text: string): Secret {
  if (isSecret(text)) return text;
  throw new Failure("unauthenticated", "That is not a Millrace API key.");
}

/** By the public part of the secret; throws `unauthenticated` where there is none. */
export async function findKey(db: Queryable, secret: Secret): Promise<KeyRow> {
  const found = await db.maybe(
    sql`select t.id as "tenantId", t.name as "tenantName", t.state as "tenantState",
        u.id as "userId", u.name as "userName", u.state as "userState", u.role,
        k.id as "keyId", k.scope, k.secret_hash as "secretHash", k.expires_at as "expiresAt",
        k.last_used_at as "lastUsedAt", k.revoked_at as "revokedAt"
      from api_key k
      join tenant_user u on u.tenant_id = k.tenant_id and u.id = k.user_id
      join tenant t on t.id = k.tenant_id
      where k.prefix = ${prefixOf(secret)}`,
    row,
  );
  if (found === undefined) throw noSuchKey();
  return found;
}

/** Throws `unauthenticated`. */
export function judgeKey(key: KeyRow, secret: Secret, now: number): Authenticated {
  if (!matches(secret, key.secretHash)) throw noSuchKey();
  if (key.revokedAt !== null) {
    throw new Failure("unauthenticated", "This API key was revoked.");
  }
  if (key.expiresAt !== null && key.expiresAt <= now) {
    throw new Failure("unauthenticated", "This API key has expired.", {
      details: { expiredAt: new Date(key.expiresAt).toISOString() },
    });
  }
  if (key.userState === "disabled") {
    throw new Failure("unauthenticated", "The user of this API key is disabled.");
  }
  const { tenantId, tenantName, userId, userName, role: held, keyId, scope } = key;
  return {
    principal: { tenantId, tenantName, userId, userName, role: held, keyId, scope },
    tenantState: key.tenantState,
    secret,
  };
}

function noSuchKey(): Failure {
  return new Failure("unauthenticated", "No API key has this secret.");
}

/** A use is written down once a minute. */
export function isUseDue({ lastUsedAt }: KeyRow, now: number): boolean {
  return lastUsedAt === null || lastUsedAt <= now - lastUsedEveryMs;
}

/** Many requests may find the minute over at once; one of them writes, none waits. */
export async function noteUse(db: Queryable, key: KeyRow, now: number): Promise<void> {
  await db.execute(sql`
    update api_key set last_used_at = ${new Date(now)}
    where (tenant_id, id) in (
      select tenant_id, id from api_key
      where tenant_id = ${key.tenantId} and id = ${key.keyId}
      for no key update skip locked)`);
}
