/**
 * API keys. A key acts as its user, so whoever makes one for another must be able to grant that
 * user's role. Revoked keys stay as rows: the audit log names them.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import type { Role } from "#contract/operation.ts";
import { mayDo } from "#contract/permissions.ts";
import { keyScope, role, type KeyScope } from "#contract/schemas/identity.ts";
import { oldestFirst, type PageAsk } from "#db/keyset.ts";
import type { Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

import { apiKeysPerUserMax, requireRoom } from "./limits.ts";
import { mayGrant } from "./roles.ts";
import { newSecret } from "./secret.ts";
import { endSessions } from "./sessions.ts";

/** Who asks: a user, perhaps root acting for another tenant than its own. */
export interface Actor {
  readonly userId: string;
  readonly role: Role;
}

const row = z.object({
  id: z.string(),
  name: z.string(),
  userId: z.string(),
  scope: keyScope,
  prefix: z.string(),
  createdAt: instant,
  expiresAt: instant.nullable(),
  lastUsedAt: instant.nullable(),
});
export type ApiKey = z.output<typeof row>;
export type CreatedApiKey = ApiKey & { readonly secret: string };

const columns = sql`id, name, user_id as "userId", scope, prefix, created_at as "createdAt",
  expires_at as "expiresAt", last_used_at as "lastUsedAt"`;
const position = { at: sql`created_at`, id: sql`id` };

/** An administrator sees the tenant's, anyone else his own. */
export async function listApiKeys(
  tx: Tx,
  { tenantId, actor, ask }: { tenantId: string; actor: Actor; ask: PageAsk },
): Promise<ApiKey[]> {
  const whose = mayDo(actor.role, "member.manage") ? sql`true` : sql`user_id = ${actor.userId}`;
  return tx.rows(
    sql`select ${columns} from api_key
      where tenant_id = ${tenantId} and revoked_at is null and ${whose}
        and ${oldestFirst(position, ask)}
      order by created_at, id limit ${ask.limit}`,
    row,
  );
}

export interface NewApiKey {
  readonly tenantId: string;
  readonly userId: string;
  readonly name: string;
  readonly scope: KeyScope;
  readonly expiresAt: number | null;
  readonly now: number;
}

export async function createApiKey(tx: Tx, actor: Actor, ask: NewApiKey): Promise<CreatedApiKey> {
  const user = await requireMayActAs(tx, actor, ask);
  if (ask.scope === "usage.write" && !mayDo(user.role, "usage.write")) {
    throw new Failure(
      "forbidden",
      "Only the operator's users hand in usage: make the key for one.",
      {
        details: { role: user.role, permission: "usage.write" },
      },
    );
  }
  await requireRoom(tx, {
    what: "API keys of this user",
    rows: sql`from api_key where tenant_id = ${ask.tenantId} and user_id = ${ask.userId}
      and revoked_at is null`,
    limit: apiKeysPerUserMax,
  });
  return insertApiKey(tx, ask);
}

/** Without asking who may: for keys that the installation makes itself. */
export async function insertApiKey(tx: Tx, ask: NewApiKey): Promise<CreatedApiKey> {
  const { secret, prefix, hash } = newSecret("key");
  const key = await tx.one(
    sql`insert into api_key
        (tenant_id, id, user_id, name, scope, prefix, secret_hash, created_at, expires_at)
      values (${ask.tenantId}, ${newId()}, ${ask.userId}, ${ask.name}, ${ask.scope}, ${prefix},
        ${hash}, ${new Date(ask.now)}, ${ask.expiresAt === null ? null : new Date(ask.expiresAt)})
      returning ${columns}`,
    row,
  );
  return { ...key, secret };
}

export async function revokeApiKey(
  tx: Tx,
  actor: Actor,
  key: { readonly tenantId: string; readonly keyId: string; readonly now: number },
): Promise<void> {
  const found = await tx.maybe(
    sql`select user_id as "userId" from api_key
      where tenant_id = ${key.tenantId} and id = ${key.keyId} and revoked_at is null`,
    z.object({ userId: z.string() }),
  );
  const own = found?.userId === actor.userId;
  if (found === undefined || (!own && !mayDo(actor.role, "member.manage"))) {
    throw new Failure("not_found", "There is no such API key.");
  }
  await requireMayActAs(tx, actor, { tenantId: key.tenantId, userId: found.userId });
  await tx.execute(sql`update api_key set revoked_at = ${new Date(key.now)}
    where tenant_id = ${key.tenantId} and id = ${key.keyId}`);
  await endSessions(tx, { ...key, by: "key_revoked" });
}

async function requireMayActAs(
  tx: Tx,
  actor: Actor,
  { tenantId, userId }: { tenantId: string; userId: string },
): Promise<{ readonly role: Role }> {
  const own = userId === actor.userId;
  const user = await tx.maybe(
    sql`select role from tenant_user where tenant_id = ${tenantId} and id = ${userId}`,
    z.object({ role }),
  );
  if (user === undefined) throw new Failure("not_found", "There is no such user in this tenant.");
  if (!own && !mayDo(actor.role, "member.manage")) {
    throw new Failure("forbidden", "Only an administrator makes API keys for other users.");
  }
  if (!mayGrant(actor.role, user.role)) {
    throw new Failure(
      "forbidden",
      `A ${actor.role} does not handle API keys of a ${user.role}, who may do more.`,
    );
  }
  return user;
}
