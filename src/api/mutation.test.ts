import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { testApi, type Answer } from "#test/api-server.ts";
import { aJob } from "#test/cli-things.ts";

let attempts = 0;

const api = await testApi({
  handlers: {
    updateQuota: async (_input, { tx, note }) => {
      await tx.execute(sql`update counter set n = n + 1`);
      note({ target: "quota", details: { before: 1 } });
      note({ details: { after: 2 } });
      return JSON.parse('{"limits":"what the contract does not have"}');
    },
    // Meets another transaction and is repeated, as PostgreSQL asks for.
    cancelJob: async ({ params }, { tx, note }) => {
      attempts += 1;
      note({ details: { attempt: attempts } });
      if (attempts < 3)
        await tx.execute(sql`do $$ begin raise exception using errcode = '40001'; end $$`);
      return aJob({ id: params.jobId, state: "canceling" });
    },
    getBalance: async (_input, { tx }) => {
      await tx.execute(sql`update counter set n = n + 1`);
      throw new Error("a read that writes");
    },
  },
});
const { ask, db, operator, customer } = api;
await db.execute(sql`create table counter as select 0 as n`);
await db.execute(sql`grant all on counter to millrace_tenant`);

const entries = z.object({
  items: z.array(
    z.object({
      action: z.string(),
      actor: z.string(),
      target: z.string().nullable(),
      outcome: z.string(),
      requestId: z.string(),
      details: z.record(z.string(), z.unknown()),
    }),
  ),
});

async function audited(answer: Answer, secret: string, tenant?: string): Promise<unknown[]> {
  const headers: Record<string, string> = tenant === undefined ? {} : { "millrace-tenant": tenant };
  const { body } = await ask("GET", "/v1/audit?limit=200", { secret, headers });
  const requestId = answer.headers.get("x-request-id");
  return entries.parse(body).items.filter((entry) => entry.requestId === requestId);
}

test("a mutation leaves one audit row: who, what, on what, and what the handler adds", async () => {
  const { secret } = customer.administrator;
  const created = await ask("POST", "/v1/users", { secret, body: { name: "u", role: "user" } });
  const { id } = z.object({ id: z.string() }).parse(created.body);
  expect(await audited(created, secret)).toMatchObject([
    {
      action: "user.create",
      actor: "admin",
      target: id,
      outcome: "done",
      details: { name: "u", role: "user" },
    },
  ]);
  const disabled = await ask("PATCH", `/v1/users/${id}`, { secret, body: { state: "disabled" } });
  expect(await audited(disabled, secret)).toMatchObject([{ action: "user.update", target: id }]);
});

test("what root does for a tenant is in that tenant's log, under root's name", async () => {
  const headers = { "millrace-tenant": "customer" };
  const body = { name: "by-root" };
  const answer = await ask("POST", "/v1/projects", { secret: operator.secret, headers, body });
  expect(await audited(answer, customer.administrator.secret)).toMatchObject([
    { action: "project.create", actor: "operator/root", outcome: "done" },
  ]);
});

test("a refused mutation is audited with its reason, and changes nothing", async () => {
  const viewer = await api.keyOf("viewer");
  const forbidden = await ask("POST", "/v1/projects", {
    secret: viewer.secret,
    body: { name: "v" },
  });
  expect(forbidden.status).toBe(403);
  const { secret } = customer.administrator;
  expect(await audited(forbidden, secret)).toMatchObject([
    { action: "project.create", outcome: "refused", details: { code: "forbidden" } },
  ]);
  const taken = await ask("POST", "/v1/projects", { secret, body: { name: "default" } });
  expect(await audited(taken, secret)).toMatchObject([
    { outcome: "refused", details: { code: "conflict" } },
  ]);
  const gone = await ask("DELETE", `/v1/api-keys/${customer.tenant.id}`, { secret });
  expect(await audited(gone, secret)).toMatchObject([
    { action: "api-key.revoke", target: customer.tenant.id, details: { code: "not_found" } },
  ]);
});

test("what was never a request is not audited", async () => {
  const { secret } = customer.administrator;
  const malformed = await ask("POST", "/v1/projects", { secret, body: "{" });
  const invalid = await ask("POST", "/v1/projects", { secret, body: { name: 1 } });
  expect(await audited(malformed, secret)).toEqual([]);
  expect(await audited(invalid, secret)).toEqual([]);
});

test("an answer that breaks the contract takes the mutation back", async () => {
  const headers = { "millrace-tenant": "customer" };
  const ours = { secret: operator.secret, headers, body: { leases: 1 } };
  const answer = await ask("PATCH", "/v1/quota", ours);
  expect(answer.status).toBe(500);
  expect(await db.one(sql`select n from counter`, z.object({ n: z.int() }))).toEqual({ n: 0 });
  expect(await audited(answer, operator.secret, "customer")).toEqual([]);
});

test("a transaction that PostgreSQL asks to repeat is repeated, and audited once", async () => {
  const { secret } = customer.administrator;
  const answer = await ask("POST", `/v1/jobs/${customer.tenant.id}/cancel`, { secret });
  expect(answer.status).toBe(202);
  expect(await audited(answer, secret)).toMatchObject([{ details: { attempt: 3 } }]);
});

test("a read cannot write", async () => {
  const { secret } = customer.administrator;
  const answer = await ask("GET", "/v1/balance", { secret });
  expect(answer.status).toBe(500);
  const logged = api.logged.find(
    ({ requestId }) => requestId === answer.headers.get("x-request-id"),
  );
  expect(JSON.stringify(logged)).toContain("read-only transaction");
});

test("no secret is in the audit log or in the log", async () => {
  const { secret } = customer.administrator;
  const made = await ask("POST", "/v1/api-keys", { secret, body: { name: "k" } });
  const randomPart = z.object({ secret: z.string() }).parse(made.body).secret.slice(-43);
  const log = await ask("GET", "/v1/audit?limit=200", { secret });
  expect(log.text).toContain("api-key.create");
  const everything = log.text + JSON.stringify(api.logged);
  expect(everything).not.toContain(randomPart);
  expect(everything).not.toContain(secret.slice(-43));
});
