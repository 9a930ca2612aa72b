import { expect, test } from "vitest";
import { z } from "zod";

import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { testDatabase } from "#test/database.ts";

import { insertApiKey, revokeApiKey, type CreatedApiKey } from "./api-keys.ts";
import { authenticate } from "./authenticate.ts";
import { createTenant } from "./tenants.ts";
import { updateUser } from "./users.ts";

const { db } = await testDatabase();
const now = Date.parse("2026-05-04T10:00:00.000Z");
const dayMs = 86_400_000;
const { tenant, administrator } = await db.transaction((tx) =>
  createTenant(tx, { name: "a", now }),
);

function newKey(expiresAt: number | null = null): Promise<CreatedApiKey> {
  const key = { tenantId: tenant.id, userId: administrator.userId, name: "k", now };
  return db.transaction((tx) => insertApiKey(tx, { ...key, scope: "read", expiresAt }));
}

async function lastUsedAt(keyId: string): Promise<number | null> {
  const row = z.object({ at: instant.nullable() });
  const found = await db.one(sql`select last_used_at as at from api_key where id = ${keyId}`, row);
  return found.at;
}

test("a secret leads to its user, and only its hash is stored", async () => {
  const { principal, tenantState } = await authenticate(db, administrator.secret, now);
  expect(principal).toEqual({
    tenantId: tenant.id,
    tenantName: "a",
    userId: administrator.userId,
    userName: "admin",
    role: "domain_admin",
    keyId: administrator.id,
    sessionId: null,
    scope: "all",
  });
  expect(tenantState).toBe("active");
  const stored = await db.rows(
    sql`select to_jsonb(k)::text as text from api_key k`,
    z.object({ text: z.string() }),
  );
  const randomPart = administrator.secret.slice(-43);
  expect(stored.every(({ text }) => !text.includes(randomPart))).toBe(true);
});

test.each([
  ["nothing like a key", "hello"],
  ["an unknown prefix", `mrk_000000000000_${"A".repeat(43)}`],
  ["the right prefix with another rest", `${administrator.secret.slice(0, 17)}${"A".repeat(43)}`],
  ["a NUL", `mrk_000000000000_${"A".repeat(42)}\0`],
])("%s is refused", async (_, text) => {
  await expect(authenticate(db, text, now)).rejects.toMatchObject({ code: "unauthenticated" });
});

test("an expired key is refused from its instant on", async () => {
  const { secret } = await newKey(now + dayMs);
  await expect(authenticate(db, secret, now + dayMs - 1)).resolves.toBeDefined();
  await expect(authenticate(db, secret, now + dayMs)).rejects.toThrow("expired");
});

test("a revoked key is refused at once", async () => {
  const key = await newKey();
  const actor = { userId: administrator.userId, role: "domain_admin" } as const;
  const which = { tenantId: tenant.id, keyId: key.id, now };
  await db.transaction((tx) => revokeApiKey(tx, actor, which));
  await expect(authenticate(db, key.secret, now)).rejects.toThrow("revoked");
  const again = db.transaction((tx) => revokeApiKey(tx, actor, which));
  await expect(again).rejects.toMatchObject({ code: "not_found" });
});

test("a disabled user's keys are refused, and accepted once he is enabled", async () => {
  const opened = await db.transaction((tx) => createTenant(tx, { name: "b", now }));
  const { userId, secret } = opened.administrator;
  const change = { tenantId: opened.tenant.id, userId, now };
  // A second administrator, so that the first may go.
  await db.execute(sql`insert into tenant_user (tenant_id, id, name, role, created_at)
    values (${opened.tenant.id}, gen_random_uuid(), 'second', 'domain_admin', now())`);
  await db.transaction((tx) => updateUser(tx, "domain_admin", { ...change, state: "disabled" }));
  await expect(authenticate(db, secret, now)).rejects.toThrow("disabled");
  await db.transaction((tx) => updateUser(tx, "domain_admin", { ...change, state: "active" }));
  await expect(authenticate(db, secret, now)).resolves.toBeDefined();
});

test("last use is written once a minute", async () => {
  const key = await newKey();
  await authenticate(db, key.secret, now);
  expect(await lastUsedAt(key.id)).toBe(now);
  await authenticate(db, key.secret, now + 59_999);
  expect(await lastUsedAt(key.id)).toBe(now);
  await Promise.all(Array.from({ length: 8 }, () => authenticate(db, key.secret, now + 60_000)));
  expect(await lastUsedAt(key.id)).toBe(now + 60_000);
});
