/** What a credential is judged by: its row with its user and tenant, as they were when it was read. */
import { z } from "zod";

import { keyScope, role } from "#contract/schemas/identity.ts";
import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";

import { prefixOf, type Secret } from "./secret.ts";

const common = {
  tenantId: z.string(),
  tenantName: z.string(),
  tenantState: z.enum(["active", "suspended"]),
  userId: z.string(),
  userName: z.string(),
  userState: z.enum(["active", "disabled"]),
  role,
  scope: keyScope,
  secretHash: z.instanceof(Uint8Array),
  /** Of the key, also of that which a session was made of. */
  revokedAt: instant.nullable(),
};

const keyRow = z.object({
  ...common,
  keyId: z.string(),
  expiresAt: instant.nullable(),
  lastUsedAt: instant.nullable(),
});
export type KeyRow = z.output<typeof keyRow> & { readonly kind: "key" };

const sessionRow = z.object({
  ...common,
  sessionId: z.string(),
  keyId: z.string().nullable(),
  /** With the key, where it was made of one. */
  expiresAt: instant,
  lastUsedAt: instant,
  endedAt: instant.nullable(),
});
export type SessionRow = z.output<typeof sessionRow> & { readonly kind: "session" };

export type CredentialRow = KeyRow | SessionRow;

const whoColumns = sql`t.id as "tenantId", t.name as "tenantName", t.state as "tenantState",
  u.id as "userId", u.name as "userName", u.state as "userState", u.role`;

export async function findKey(db: Queryable, secret: Secret): Promise<KeyRow | undefined> {
  const found = await db.maybe(
    sql`select ${whoColumns}, k.id as "keyId", k.scope, k.secret_hash as "secretHash",
        k.expires_at as "expiresAt", k.last_used_at as "lastUsedAt", k.revoked_at as "revokedAt"
      from api_key k
      join tenant_user u on u.tenant_id = k.tenant_id and u.id = k.user_id
      join tenant t on t.id = k.tenant_id
      where k.prefix = ${prefixOf(secret)}`,
    keyRow,
  );
  return found === undefined ? undefined : { kind: "key", ...found };
}

export async function findSession(db: Queryable, secret: Secret): Promise<SessionRow | undefined> {
  const found = await db.maybe(
    sql`select ${whoColumns}, s.id as "sessionId", s.key_id as "keyId", s.scope,
        s.secret_hash as "secretHash", least(s.expires_at, k.expires_at) as "expiresAt",
        s.last_seen_at as "lastUsedAt", k.revoked_at as "revokedAt", s.ended_at as "endedAt"
      from session s
      join tenant_user u on u.tenant_id = s.tenant_id and u.id = s.user_id
      join tenant t on t.id = s.tenant_id
      left join api_key k on k.tenant_id = s.tenant_id and k.id = s.key_id
      where s.prefix = ${prefixOf(secret)}`,
    sessionRow,
  );
  return found === undefined ? undefined : { kind: "session", ...found };
}
