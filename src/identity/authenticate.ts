/**
 * From a secret, of an API key or of a session, to who calls, by one indexed query: a revoked key,
 * an ended session, a disabled user and a changed role act at once, whichever process hears.
 * `known-keys.ts` spares most requests that query.
 */
import type { Role } from "#contract/operation.ts";
import type { KeyScope } from "#contract/schemas/identity.ts";
import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { present } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";

import {
  findKey,
  findSession,
  type CredentialRow,
  type KeyRow,
  type SessionRow,
} from "./credential-rows.ts";
import { isSecretOf, kindOf, matches, type Secret } from "./secret.ts";

const lastUsedEveryMs = 60_000;
/** A session that nobody uses for so long is over. */
export const sessionIdleMs = 12 * 3_600_000;

/** Who calls, by a key, by a session, or by a session that was made of a key. */
export interface Principal {
  readonly tenantId: string;
  readonly tenantName: string;
  readonly userId: string;
  readonly userName: string;
  readonly role: Role;
  readonly keyId: string | null;
  readonly sessionId: string | null;
  readonly scope: KeyScope;
}

export interface Authenticated {
  readonly principal: Principal;
  readonly tenantState: "active" | "suspended";
  readonly secret: Secret;
}

/** Of what it came with: whose rate a request counts to. */
export function credentialId({ principal }: Authenticated): string {
  return present(principal.sessionId ?? principal.keyId, "key or session of a caller");
}

/** Why a session does not count, for a page that has to tell them apart: `details.reason`. */
export type SessionRefusal = "session_unknown" | "session_expired" | "session_ended";

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
  const found = await findCredential(db, secret);
  const authenticated = judge(found, secret, now);
  if (isUseDue(found, now)) await noteUse(db, found, now);
  return authenticated;
}

/**
 * For what stays open: whether its credential has ended meanwhile. It is no use of the credential; a
 * database that does not answer ends nothing.
 */
export async function hasEnded(read: () => Promise<unknown>): Promise<boolean> {
  try {
    await read();
    return false;
  } catch (error) {
    return error instanceof Failure && error.code === "unauthenticated";
  }
}

/** Throws `unauthenticated`. */
export function secretOf(text: string): Secret {
  if (isSecretOf("key", text) || isSecretOf("session", text)) return text;
  throw new Failure("unauthenticated", "That is not a Millrace API key.");
}

/** By the public part of the secret; throws `unauthenticated` where there is none. */
export async function findCredential(db: Queryable, secret: Secret): Promise<CredentialRow> {
  switch (kindOf(secret)) {
    case "key": {
      const key = await findKey(db, secret);
      if (key === undefined) throw noSuchKey();
      return key;
    }
    case "session": {
      const session = await findSession(db, secret);
      if (session === undefined) throw noSuchSession();
      return session;
    }
  }
}

/** Throws `unauthenticated`. */
export function judge(found: CredentialRow, secret: Secret, now: number): Authenticated {
  if (found.kind === "key") judgeKey(found, secret, now);
  else judgeSession(found, secret, now);
  const { tenantId, tenantName, userId, userName, role, keyId, scope } = found;
  const sessionId = found.kind === "session" ? found.sessionId : null;
  return {
    principal: { tenantId, tenantName, userId, userName, role, keyId, sessionId, scope },
    tenantState: found.tenantState,
    secret,
  };
}

function judgeKey(key: KeyRow, secret: Secret, now: number): void {
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
}

function judgeSession(session: SessionRow, secret: Secret, now: number): void {
  if (!matches(secret, session.secretHash)) throw noSuchSession();
  if (session.endedAt !== null || session.revokedAt !== null || session.userState === "disabled") {
    throw sessionRefused("session_ended", "This session was ended. Sign in again.");
  }
  if (session.expiresAt <= now || session.lastUsedAt + sessionIdleMs <= now) {
    throw sessionRefused("session_expired", "This session has expired. Sign in again.");
  }
}

function noSuchKey(): Failure {
  return new Failure("unauthenticated", "No API key has this secret.");
}

function noSuchSession(): Failure {
  return sessionRefused("session_unknown", "There is no such session. Sign in.");
}

function sessionRefused(reason: SessionRefusal, message: string): Failure {
  return new Failure("unauthenticated", message, { details: { reason } });
}

/** A use is written down once a minute. */
export function isUseDue({ lastUsedAt }: CredentialRow, now: number): boolean {
  return lastUsedAt === null || lastUsedAt <= now - lastUsedEveryMs;
}

/** Many requests may find the minute over at once; one of them writes, none waits. */
export async function noteUse(db: Queryable, found: CredentialRow, now: number): Promise<void> {
  const { tenantId } = found;
  if (found.kind === "key") {
    await db.execute(sql`
      update api_key set last_used_at = ${new Date(now)}
      where (tenant_id, id) in (
        select tenant_id, id from api_key
        where tenant_id = ${tenantId} and id = ${found.keyId}
        for no key update skip locked)`);
    return;
  }
  await db.execute(sql`
    update session set last_seen_at = greatest(last_seen_at, ${new Date(now)})
    where (tenant_id, id) in (
      select tenant_id, id from session
      where tenant_id = ${tenantId} and id = ${found.sessionId}
      for no key update skip locked)`);
}
