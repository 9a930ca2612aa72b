/** Money in and back, as customers and the operator see it. */
import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { checkLedger } from "#flow/ledger/check.ts";
import { credit } from "#flow/ledger/accounts.ts";
import { bankTransfer } from "#payments/bank-transfer.ts";
import { paymentLoop } from "#payments/loop.ts";
import type { PaymentProvider } from "#payments/provider.ts";
import { testProvider } from "#payments/test-provider.ts";
import { testApi } from "#test/api-server.ts";

import { paymentHandlers } from "./payments.ts";

const api = await testApi({ handlers: paymentHandlers });
const { db, clock, customer, operator } = api;
const tenantId = customer.tenant.id;
const payer = customer.administrator.secret;
const root = operator.secret;
const providers: PaymentProvider[] = [
  bankTransfer("Millrace GmbH, Bank of Tests, 0815"),
  testProvider(() => clock.now),
];

const shown = z.looseObject({ id: z.string(), code: z.string(), state: z.string() });
type Shown = z.output<typeof shown>;

/** One pass of the loop, so many milliseconds later. */
async function pass(laterMs = 0): Promise<void> {
  clock.now += laterMs;
  const loop = paymentLoop({ db, providers, now: () => clock.now });
  await loop.pass(new AbortController().signal);
}

async function pay(amount: string, method = "bank_transfer"): Promise<Shown> {
  const answer = await api.ask("POST", "/v1/payments", { secret: payer, body: { amount, method } });
  expect(answer.status).toBe(201);
  await pass();
  return payment(shown.parse(answer.body).id);
}

async function payment(id: string): Promise<Shown> {
  const answer = await api.ask("GET", `/v1/payments/${id}`, { secret: payer });
  return shown.parse(answer.body);
}

let receipts = 0;

async function receive(code: string, amount: string, bankReference?: string): Promise<Shown> {
  receipts += 1;
  const body = {
    code,
    amount,
    bankReference: bankReference ?? `bank-${receipts}`,
    receivedOn: "2026-05-04",
  };
  const answer = await api.ask("POST", "/v1/bank-receipts", { secret: root, body });
  if (answer.status !== 201) return { id: "", code: "", state: String(answer.status) };
  return shown.parse(answer.body);
}

async function balance(): Promise<bigint> {
  return (await credit(db, tenantId)).balance;
}

async function resolve(id: string, body: object): Promise<number> {
  const path = `/v1/bank-receipts/${id}/resolve`;
  return (await api.ask("POST", path, { secret: root, body })).status;
}

test("a bank transfer: instructions with a code, booked once when the operator has seen it", async () => {
  const before = await balance();
  const asked = await pay("100");
  expect(asked).toMatchObject({ state: "pending", amount: "100.00", received: "0.00" });
  expect(JSON.stringify(asked["next"])).toContain(`0815 and write ${asked.code}`);
  const receipt = await receive(asked.code.toLowerCase(), "100.00", "bank-a");
  expect(receipt).toMatchObject({ state: "matched", reason: null, tenantId, paymentId: asked.id });
  expect(await receive(asked.code, "100.00", "bank-a")).toMatchObject({ id: receipt.id });
  expect(await payment(asked.id)).toMatchObject({ state: "settled", received: "100.00" });
  expect(await balance()).toBe(before + 10_000n);
  expect(await receive(asked.code, "99.00", "bank-a")).toMatchObject({ state: "409" });
});

test("partial, over, unknown and late transfers wait in suspense, and are nobody's until then", async () => {
  const before = await balance();
  const asked = await pay("100");
  const waiting = [
    await receive(asked.code, "60"),
    await receive(asked.code, "160"),
    await receive("no code at all", "5"),
  ];
  expect(waiting.map((each) => each["reason"])).toEqual(["partial", "over", "unknown_reference"]);
  expect(await balance()).toBe(before);
  const path = `/v1/payments/${asked.id}/cancel`;
  await api.ask("POST", path, { secret: payer });
  expect(await receive(asked.code, "100")).toMatchObject({ state: "suspense", reason: "not_open" });
  const { body } = await api.ask("GET", "/v1/bank-receipts", { secret: root });
  expect(body).toMatchObject({ items: [{}, {}, {}, {}] });
  const note = "called the customer";
  expect(await resolve(waiting[0]?.id ?? "", { action: "assign", tenantId, note })).toBe(200);
  expect(await balance()).toBe(before + 6000n);
  expect(await resolve(waiting[0]?.id ?? "", { action: "return", note })).toBe(409);
  expect(await resolve(waiting[1]?.id ?? "", { action: "return", note })).toBe(200);
  const nobody = "0190c2b4-0000-7000-8000-000000000001";
  const toNobody = { action: "assign", tenantId: nobody, note };
  expect(await resolve(waiting[2]?.id ?? "", toNobody)).toBe(404);
  expect(await balance()).toBe(before + 6000n);
});

test("a transfer in suspense settles the open payment that its code names when it is assigned", async () => {
  const asked = await pay("100");
  const receipt = await receive(asked.code, "60");
  await resolve(receipt.id, { action: "assign", tenantId, note: "the rest comes later" });
  expect(await payment(asked.id)).toMatchObject({ state: "settled", received: "60.00" });
});

test("the test provider settles a moment later, once, and declines what ends in .13", async () => {
  const before = await balance();
  const asked = await pay("20.00", "test");
  expect(asked["next"]).toMatchObject({ kind: "redirect" });
  await pass(1000);
  expect(await payment(asked.id)).toMatchObject({ state: "pending" });
  await Promise.all([pass(5000), pass(), pass()]);
  expect(await payment(asked.id)).toMatchObject({ state: "settled" });
  const declined = await pay("20.13", "test");
  await pass(5000);
  expect(await payment(declined.id)).toMatchObject({
    state: "failed",
    failure: "The test provider declined.",
  });
  expect(await balance()).toBe(before + 2000n);
});

test("a refund leaves the wallet at once; what the provider refuses comes back", async () => {
  const asked = await pay("50.00", "test");
  await pass(5000);
  const before = await balance();
  const headers = { "millrace-tenant": tenantId };
  const refund = (amount: string): Promise<number> =>
    api
      .ask("POST", `/v1/payments/${asked.id}/refunds`, {
        secret: root,
        headers,
        body: { amount, reason: "closing" },
      })
      .then(({ status }) => status);
  expect(await refund("50.01")).toBe(422);
  expect(await refund("20.00")).toBe(200);
  expect(await balance()).toBe(before - 2000n);
  expect(await refund("10.13")).toBe(200);
  expect(await payment(asked.id)).toMatchObject({ refunded: "30.13" });
  await pass();
  await pass(120_000);
  expect(await payment(asked.id)).toMatchObject({ refunded: "20.00" });
  expect(await balance()).toBe(before - 2000n);
  const open = await db.one(
    sql`select count(*)::int4 as open from payment_refund where state = 'pending'`,
    z.object({ open: z.int() }),
  );
  expect(open).toEqual({ open: 0 });
});

test("what nobody pays ends after 30 days; too many at once are refused; foreign ones not found", async () => {
  const asked = await pay("7");
  await pass(31 * 86_400_000);
  expect(await payment(asked.id)).toMatchObject({ state: "failed" });
  for (let count = 0; count < 20; count += 1) {
    // oxlint-disable-next-line no-await-in-loop -- up to the limit
    await pay("1");
  }
  const body = { amount: "1", method: "bank_transfer" };
  const refused = await api.ask("POST", "/v1/payments", { secret: payer, body });
  expect(refused).toMatchObject({ body: { code: "quota_exceeded" } });
  const foreign = await api.ask("GET", `/v1/payments/${asked.id}`, { secret: root });
  expect(foreign.status).toBe(404);
});

test("R-LED-1: after all of it the books balance", async () => {
  expect(await checkLedger(db)).toEqual([]);
});
