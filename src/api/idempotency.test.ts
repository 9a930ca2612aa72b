import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { testApi, type Answer } from "#test/api-server.ts";

import { forgetAnswers } from "./idempotency.ts";

const arrived: (() => void)[] = [];
let slow: Promise<void> | undefined;

const api = await testApi({
  handlers: {
    // A mutation that can be held up half-way.
    createTopUp: async ({ body }, { tx, tenantId }) => {
      await tx.execute(sql`insert into effect values (${body.reference})`);
      for (const each of arrived) each();
      await slow;
      const at = new Date(0).toISOString();
      const money = {
        currency: "CNY",
        balance: "1.00",
        provisional: "0.00",
        held: "0.00",
        owed: "0.00",
        available: "1.00",
        packages: { principal: "0.00", bonus: "0.00" },
        burnPerHour: "0.00",
      } as const;
      return {
        journal: { id: tenantId, kind: "top-up", at, description: "", postings: [] },
        balance: money,
      };
    },
  },
});
const { ask, db, operator, customer } = api;
await db.execute(sql`create table effect (reference text)`);

let keys = 0;
function newKey(): string {
  keys += 1;
  return `key-${keys}`;
}

function createProject(
  name: string,
  key: string,
  secret = customer.administrator.secret,
): Promise<Answer> {
  return ask("POST", "/v1/projects", {
    secret,
    body: { name },
    headers: { "idempotency-key": key },
  });
}

async function projectCount(name: string): Promise<number> {
  const row = z.object({ n: z.int() });
  const { n } = await db.one(
    sql`select count(*)::int4 as n from project where name = ${name}`,
    row,
  );
  return n;
}

test("the same request again gets the same answer and has no second effect", async () => {
  const key = newKey();
  const first = await createProject("once", key);
  const second = await createProject("once", key);
  expect(first.status).toBe(201);
  expect([second.status, second.text]).toEqual([201, first.text]);
  expect(first.headers.get("idempotency-replayed")).toBeNull();
  expect(second.headers.get("idempotency-replayed")).toBe("true");
  expect(await projectCount("once")).toBe(1);
  const audited = await ask("GET", "/v1/audit", { secret: customer.administrator.secret });
  expect(audited.text.match(/"project\.create"/g)).toHaveLength(1);
});

test("the order of fields and spaces make no other request; another value does", async () => {
  const key = newKey();
  const headers = { "idempotency-key": key };
  const { secret } = customer.administrator;
  const bodies = ['{"name":"x","role":"user"}', ' { "role" : "user", "name" : "x" } '];
  const statuses = [];
  for (const body of bodies) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    statuses.push((await ask("POST", "/v1/users", { secret, body, headers })).status);
  }
  expect(statuses).toEqual([201, 201]);
  const other = await ask("POST", "/v1/users", {
    secret,
    headers,
    body: { name: "y", role: "user" },
  });
  expect(other).toMatchObject({ status: 422, body: { code: "idempotency_mismatch" } });
  // Another operation with an equal body is another request.
  const elsewhere = await createProject("x", key);
  expect(elsewhere.status).toBe(422);
});

test("keys of different users and tenants do not meet", async () => {
  const key = newKey();
  const second = await api.keyOf("domain_admin");
  expect((await createProject("mine", key)).status).toBe(201);
  expect((await createProject("yours", key, second.secret)).status).toBe(201);
  const headers = { "idempotency-key": key, "millrace-tenant": "customer" };
  const body = { name: "theirs" };
  const other = await ask("POST", "/v1/projects", { secret: operator.secret, headers, body });
  expect(other.status).toBe(201);
});

test("a refused request leaves no record: it may succeed later with the same key", async () => {
  const key = newKey();
  expect((await createProject("taken", newKey())).status).toBe(201);
  expect((await createProject("taken", key)).status).toBe(409);
  await db.execute(sql`update project set deleted_at = now() where name = 'taken'`);
  expect((await createProject("taken", key)).status).toBe(201);
});

function topUp(): Promise<Answer> {
  return ask("POST", "/v1/top-ups", {
    secret: operator.secret,
    body: { amount: "1.00", reference: "bank 1" },
    headers: { "idempotency-key": "top-up" },
  });
}

test("of two at once the second waits for the first and gets its answer", async () => {
  const gate = Promise.withResolvers<void>();
  const inside = Promise.withResolvers<void>();
  slow = gate.promise;
  arrived.push(inside.resolve);
  const first = topUp();
  await inside.promise;
  const second = topUp();
  const waiting = z.object({ n: z.int() });
  await expect
    .poll(async () => {
      const { n } = await db.one(
        sql`select count(*)::int4 as n from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`,
        waiting,
      );
      return n;
    })
    .toBe(1);
  gate.resolve();
  slow = undefined;
  const answers = await Promise.all([first, second]);
  expect(answers.map(({ status }) => status)).toEqual([201, 201]);
  expect(answers[1].text).toBe(answers[0].text);
  expect(answers[1].headers.get("idempotency-replayed")).toBe("true");
  expect(await db.rows(sql`select reference from effect`, z.object({}))).toHaveLength(1);
});

test("a replay shows the secret again, and only to the same credential", async () => {
  const key = newKey();
  const headers = { "idempotency-key": key };
  const body = { name: "k" };
  const { secret } = customer.administrator;
  const first = await ask("POST", "/v1/api-keys", { secret, body, headers });
  const second = await ask("POST", "/v1/api-keys", { secret, body, headers });
  expect(second.text).toBe(first.text);
  expect(second.text).toContain('"secret":"mrk_');
  // The row holds neither that secret nor anything that opens it.
  const made = z.object({ secret: z.string() }).parse(first.body);
  const rows = await db.rows(
    sql`select encode(sealed_answer, 'escape') as text from idempotent_answer where status = 201`,
    z.object({ text: z.string() }),
  );
  expect(rows.some(({ text }) => text.includes(made.secret.slice(-43)))).toBe(false);
  // The same user with another of his keys.
  const other = await ask("POST", "/v1/api-keys", { secret: made.secret, body, headers });
  expect(other).toMatchObject({ status: 422, body: { code: "idempotency_mismatch" } });
});

test("an answer without a body is replayed too", async () => {
  const { body } = await createProject("short-lived", newKey());
  const { id } = z.object({ id: z.string() }).parse(body);
  const remove = (): Promise<Answer> =>
    ask("DELETE", `/v1/projects/${id}`, {
      secret: customer.administrator.secret,
      headers: { "idempotency-key": "remove" },
    });
  expect((await remove()).status).toBe(204);
  const again = await remove();
  expect([again.status, again.text]).toEqual([204, ""]);
});

test("a key that is none is refused", async () => {
  for (const key of ["", "a b", "k".repeat(256), "ü"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const answer = await createProject("never", key);
    expect([key, answer.status]).toEqual([key, 400]);
  }
  expect(await projectCount("never")).toBe(0);
});

test("after a day a key is new again, and old records are removed", async () => {
  const key = newKey();
  const { secret } = customer.administrator;
  const headers = { "idempotency-key": key };
  const body = { name: "daily", role: "user" };
  expect((await ask("POST", "/v1/users", { secret, headers, body })).status).toBe(201);
  api.clock.now += 86_400_000;
  // Not replayed: the user is there already.
  expect((await ask("POST", "/v1/users", { secret, headers, body })).status).toBe(409);
  const kept = z.object({ n: z.int() });
  const count = sql`select count(*)::int4 as n from idempotent_answer`;
  const { n } = await db.one(count, kept);
  expect(n).toBeGreaterThan(5);
  expect(await forgetAnswers(db, api.clock.now)).toBe(n);
  expect(await db.one(count, kept)).toEqual({ n: 0 });
});
