/** The whole book, as the operator reads it: who else may not, filters, pages, and the check. */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";
import { z } from "zod";

import { ingestHandlers } from "#api/routes/metering/ingest.ts";
import { paymentHandlers } from "#api/routes/payments/payments.ts";
import { accountKind, journalKind } from "#contract/schemas/books.ts";
import { sql } from "#db/sql.ts";
import { accountKinds, journalKinds } from "#flow/ledger/journal.ts";
import { createTenant } from "#identity/tenants.ts";
import { testApi, type Answer } from "#test/api-server.ts";

import { bookHandlers } from "./books.ts";
import { createTopUp } from "./money.ts";

const api = await testApi({
  handlers: { ...bookHandlers, ...ingestHandlers, ...paymentHandlers, createTopUp },
});
const { db, clock, customer, operator } = api;
const first = customer.tenant.id;
const second = await db.transaction(async (tx) => {
  const { tenant } = await createTenant(tx, { name: "other", displayName: "<b>Other</b>", now: 0 });
  return tenant.id;
});

const page = z.object({
  items: z.array(z.looseObject({ tenantId: z.string(), tenant: z.string() })),
  next: z.string().optional(),
});

function ask(path: string, secret = operator.secret): Promise<Answer> {
  return api.ask("GET", path, { secret });
}

async function items(path: string): Promise<z.output<typeof page>["items"]> {
  return page.parse((await ask(path)).body).items;
}

async function topUp(tenantId: string, amount: string, reference: string): Promise<void> {
  clock.now += 1000;
  const headers = { "millrace-tenant": tenantId };
  const body = { amount, reference };
  const asked = { secret: operator.secret, body, headers };
  expect((await api.ask("POST", "/v1/top-ups", asked)).status).toBe(201);
}

async function invoice(tenantId: string, number: string, state: string): Promise<void> {
  const id = newId();
  const at = new Date(clock.now);
  await db.transaction(async (tx) => {
    await tx.execute(sql`
      insert into invoice (tenant_id, id, kind, period, gross, net, vat, document, finalized_at,
        number, due_on)
      values (${tenantId}, ${id}, 'monthly', '2026-04', 106, 100, 6, '{}', ${at}, ${number},
        '2026-05-15')`);
    await tx.execute(sql`
      insert into invoice_state (tenant_id, invoice_id, state, outstanding, changed_at)
      values (${tenantId}, ${id}, ${state}, 106, ${at})`);
  });
}

test("the contract names the kinds of journals and accounts that there are", () => {
  expect(journalKind.options).toEqual([...journalKinds]);
  expect(accountKind.options).toEqual([...accountKinds]);
});

test("journals of all tenants, newest first, by tenant, kind, account and time, in pages", async () => {
  await topUp(first, "100", "a");
  const between = new Date(clock.now + 500).toISOString();
  await topUp(second, "50", "b");
  expect((await items("/v1/all-journals")).map(({ tenant }) => tenant)).toEqual([
    "<b>Other</b>",
    "customer",
  ]);
  const counts = await Promise.all(
    [
      `tenantId=${first}`,
      "kind=top_up",
      "kind=payout",
      "account=cash",
      "account=bonus",
      `since=${between}`,
      `until=${between}`,
    ].map(async (query) => (await items(`/v1/all-journals?${query}`)).length),
  );
  expect(counts).toEqual([1, 2, 0, 2, 0, 1, 1]);
  const begin = page.parse((await ask("/v1/all-journals?limit=1")).body);
  const rest = page.parse((await ask(`/v1/all-journals?limit=1&cursor=${begin.next}`)).body);
  expect([begin, rest].map(({ items: [item] }) => item?.tenantId)).toEqual([second, first]);
  expect(rest.next).toBeUndefined();
  expect((await ask("/v1/all-journals?kind=gift")).status).toBe(400);
});

test("payments of all tenants, by state", async () => {
  const body = { amount: "20", method: "bank_transfer" };
  await api.ask("POST", "/v1/payments", { secret: customer.administrator.secret, body });
  expect(await items("/v1/all-payments?state=created")).toMatchObject([
    { tenantId: first, amount: "20.00" },
  ]);
  expect(await items("/v1/all-payments?state=settled")).toEqual([]);
  expect(await items(`/v1/all-payments?tenantId=${second}`)).toEqual([]);
});

test("invoices of all tenants, by month and state", async () => {
  await invoice(first, "MR-1", "overdue");
  await invoice(second, "MR-2", "final");
  expect((await items("/v1/all-invoices?month=2026-04")).length).toBe(2);
  expect(await items("/v1/all-invoices?state=overdue")).toMatchObject([
    { tenantId: first, number: "MR-1", outstanding: "1.06" },
  ]);
  expect(await items("/v1/all-invoices?month=2026-03")).toEqual([]);
  expect(await items("/v1/all-invoices?kind=credit_note")).toEqual([]);
});

test("the book balances; what is held for nothing is named with its tenant", async () => {
  const good = await ask("/v1/ledger/check");
  expect(good.body).toMatchObject({
    sum: "0.00",
    tenants: 2,
    journals: 2,
    postings: 4,
    accounts: [
      { account: "cash", balance: "-150.00" },
      { account: "wallet", balance: "150.00" },
    ],
    problems: [],
    heldForNothing: [],
  });
  const id = newId();
  await db.transaction(async (tx) => {
    await tx.execute(sql`insert into journal (tenant_id, id, key, kind, description, at)
      values (${second}, ${id}, 'hold:nobody', 'hold', 'nothing', ${new Date(clock.now)})`);
    await tx.execute(sql`insert into posting (tenant_id, journal_id, line, account_kind, amount)
      values (${second}, ${id}, 1, 'wallet', -100), (${second}, ${id}, 2, 'held', 100)`);
  });
  expect((await ask("/v1/ledger/check")).body).toMatchObject({
    sum: "0.00",
    problems: [],
    heldForNothing: [{ tenantId: second, tenant: "<b>Other</b>" }],
  });
});

test("where nothing runs, nothing is held and nothing metered", async () => {
  expect((await ask("/v1/usage/allocation")).body).toEqual({
    comparedAt: new Date(clock.now).toISOString(),
    machines: 0,
    starting: 0,
    changing: 0,
    sums: [],
    differences: [],
  });
});

test("a customer reads none of it", async () => {
  const paths = [
    "/v1/all-journals",
    "/v1/all-payments",
    "/v1/all-invoices",
    "/v1/ledger/check",
    "/v1/usage/allocation",
  ];
  const answers = await Promise.all(
    paths.map(async (path) => (await ask(path, customer.administrator.secret)).status),
  );
  expect(answers).toEqual([403, 403, 403, 403, 403]);
});
