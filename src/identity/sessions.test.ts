/** Sessions as rows: how many there are, and how long they are kept. */
import { v4 as uuid } from "uuid";
import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { testDatabase } from "#test/database.ts";

import { authenticate } from "./authenticate.ts";
import { sessionsPerUserMax } from "./limits.ts";
import { endSessions, forgetSessions, openSession, type OpenedSession } from "./sessions.ts";
import { insertCode } from "./sign-in-codes.ts";
import { createTenant } from "./tenants.ts";

const { db } = await testDatabase();
const now = Date.parse("2026-05-04T10:00:00.000Z");
const dayMs = 86_400_000;
interface User {
  readonly tenantId: string;
  readonly userId: string;
}

/** Of a tenant of its own. */
async function newUser(): Promise<User> {
  const name = `t${uuid()}`;
  const { administrator, tenant } = await db.transaction((tx) => createTenant(tx, { name, now }));
  return { tenantId: tenant.id, userId: administrator.userId };
}

function open({ tenantId, userId }: User, at: number): Promise<OpenedSession> {
  const from = { userAgent: "x".repeat(1000), address: "127.0.0.1" };
  const what = { keyId: null, scope: "all", madeBy: "code" } as const;
  return db.tenant(tenantId, (tx) =>
    openSession(tx, { tenantId, userId, ...what, ...from, now: at }),
  );
}

/** Sessions, codes. */
async function counts({ tenantId }: User): Promise<readonly [number, number]> {
  const found = await db.one(
    sql`select (select count(*)::int4 from session where tenant_id = ${tenantId}) as sessions,
      (select count(*)::int4 from sign_in_code where tenant_id = ${tenantId}) as codes`,
    z.object({ sessions: z.int(), codes: z.int() }),
  );
  return [found.sessions, found.codes];
}

test("a user has so many sessions; then the one seen least lately ends", async () => {
  const user = await newUser();
  const first = await open(user, now);
  const others: OpenedSession[] = [];
  for (let n = 1; n < sessionsPerUserMax; n += 1) {
    // oxlint-disable-next-line no-await-in-loop -- in this order
    others.push(await open(user, now + n));
  }
  // It is used again: another is now the one that was seen least lately.
  await authenticate(db, first.secret, now + 61_000);
  await open(user, now + 62_000);
  await expect(authenticate(db, first.secret, now + 63_000)).resolves.toBeDefined();
  const [eldest] = others;
  await expect(authenticate(db, eldest?.secret ?? "", now + 63_000)).rejects.toMatchObject({
    details: { reason: "session_ended" },
  });
  expect(first.userAgent).toHaveLength(300);
});

test("what is over stays for a week and is then swept, with its codes", async () => {
  const user = await newUser();
  const code = { ...user, keyId: null, scope: "all", purpose: "sign_in", lifeMs: 1000 } as const;
  await db.tenant(user.tenantId, (tx) => insertCode(tx, { ...code, now }));
  await open(user, now);
  await db.tenant(user.tenantId, (tx) =>
    endSessions(tx, { ...user, by: "password_changed", now: now + dayMs }),
  );
  await open(user, now);
  const alive = await open(user, now + 8 * dayMs);
  await forgetSessions(db, now + 7 * dayMs);
  expect(await counts(user)).toEqual([3, 1]);
  // Ended on the second day: gone seven days later. The other expired on the eighth.
  await forgetSessions(db, now + 8 * dayMs);
  expect(await counts(user)).toEqual([2, 0]);
  await forgetSessions(db, now + 14 * dayMs);
  expect(await counts(user)).toEqual([1, 0]);
  await expect(authenticate(db, alive.secret, now + 8 * dayMs)).resolves.toBeDefined();
});
