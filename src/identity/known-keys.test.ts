import { expect, test } from "vitest";

import type { Queryable } from "#db/pool.ts";
import { testDatabase } from "#test/database.ts";

import { insertApiKey, revokeApiKey } from "./api-keys.ts";
import { knownKeys } from "./known-keys.ts";
import { createTenant } from "./tenants.ts";

const { db } = await testDatabase();
const now = Date.parse("2026-05-04T10:00:00.000Z");
const { tenant, administrator } = await db.transaction((tx) =>
  createTenant(tx, { name: "a", now }),
);
const { id: tenantId } = tenant;
const { userId } = administrator;

interface Setting {
  readonly keys: ReturnType<typeof knownKeys>;
  readonly asked: () => number;
  readonly clock: { ms: number };
}

/** A process that counts what it asks the database. */
function newProcess(): Setting {
  let asked = 0;
  const counting: Queryable = {
    ...db,
    maybe: (statement, row) => {
      asked += 1;
      return db.maybe(statement, row);
    },
  };
  const clock = { ms: 0 };
  return { keys: knownKeys(counting, () => clock.ms), asked: () => asked, clock };
}

async function newKey(expiresAt: number | null = null): Promise<{ id: string; secret: string }> {
  const key = { tenantId, userId, name: "k", scope: "all", expiresAt, now } as const;
  return db.transaction((tx) => insertApiKey(tx, key));
}

async function revoke(keyId: string): Promise<void> {
  const actor = { userId, role: "domain_admin" } as const;
  await db.transaction((tx) => revokeApiKey(tx, actor, { tenantId, keyId, now }));
}

test("a second is one query, and the next second another", async () => {
  const { keys, asked, clock } = newProcess();
  const { secret } = await newKey();
  for (const [ms, queries] of [
    [0, 1],
    [999, 1],
    [1000, 2],
  ] as const) {
    clock.ms = ms;
    // oxlint-disable-next-line no-await-in-loop -- in turn
    await Promise.all([keys.authenticate(secret, now), keys.authenticate(secret, now)]);
    expect(asked()).toBe(queries);
  }
});

test("a revoked key is refused at once where it is forgotten, elsewhere within a second", async () => {
  const [here, elsewhere] = [newProcess(), newProcess()];
  const key = await newKey();
  await here.keys.authenticate(key.secret, now);
  await elsewhere.keys.authenticate(key.secret, now);
  await revoke(key.id);
  here.keys.forget();
  await expect(here.keys.authenticate(key.secret, now)).rejects.toThrow("revoked");
  elsewhere.clock.ms = 999;
  await expect(elsewhere.keys.authenticate(key.secret, now)).resolves.toBeDefined();
  elsewhere.clock.ms = 1000;
  await expect(elsewhere.keys.authenticate(key.secret, now)).rejects.toThrow("revoked");
});

test("a read that was under way when all was forgotten serves nobody who comes later", async () => {
  const { keys } = newProcess();
  const key = await newKey();
  const before = keys.authenticate(key.secret, now);
  await revoke(key.id);
  keys.forget();
  await Promise.allSettled([before]);
  await expect(keys.authenticate(key.secret, now)).rejects.toThrow("revoked");
});

test("a known key is refused from the instant of its expiry on", async () => {
  const { keys, asked } = newProcess();
  const { secret } = await newKey(now + 500);
  await keys.authenticate(secret, now + 499);
  await expect(keys.authenticate(secret, now + 500)).rejects.toThrow("expired");
  expect(asked()).toBe(1);
});

test("whoever knows the public part of a key neither gets in nor locks its owner out", async () => {
  const { keys } = newProcess();
  const { secret } = await newKey();
  const guess = `${secret.slice(0, 17)}${"A".repeat(43)}`;
  const outcomes = await Promise.allSettled([
    keys.authenticate(guess, now),
    keys.authenticate(secret, now),
    keys.authenticate(guess, now),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected"]);
});

test("what is not there is asked for each time", async () => {
  const { keys, asked } = newProcess();
  const unknown = `mrk_000000000000_${"A".repeat(43)}`;
  for (let count = 1; count <= 2; count += 1) {
    // oxlint-disable-next-line no-await-in-loop -- in turn
    await expect(keys.authenticate(unknown, now)).rejects.toThrow("No API key");
    expect(asked()).toBe(count);
  }
});
