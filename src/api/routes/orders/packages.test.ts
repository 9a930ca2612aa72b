/** Packages through the API, on a real database, with a clock of the test's own. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { z } from "zod";

import { createPriceProfile, seedPriceProfile } from "#catalog/price-profiles.ts";
import { defaultProfileJson } from "#catalog/profile.ts";
import { sql } from "#db/sql.ts";
import { priorityOf } from "#api/routes/priority.ts";
import { checkLedger } from "#flow/ledger/check.ts";
import { charge } from "#flow/ledger/charges.ts";
import { expirePackage } from "#flow/ledger/purchases.ts";
import { book, recordTopUp } from "#flow/ledger/store.ts";
import { createTenant } from "#identity/tenants.ts";
import { localDay } from "#kernel/calendar.ts";
import { parseFen, zeroFen } from "#kernel/money.ts";
import { notices } from "#notices/store.ts";
import { packageLoop } from "#orders/package-loop.ts";
import { testApi, type Answer } from "#test/api-server.ts";

import { packageHandlers } from "./packages.ts";
import { quoteHandlers } from "./quote.ts";

const api = await testApi({ handlers: { ...packageHandlers, ...quoteHandlers } });
const { db, clock } = api;
await db.transaction((tx) => seedPriceProfile(tx));
const quit = new AbortController();
const loop = packageLoop({ db, now: () => clock.now });

function at(text: string): number {
  return Date.parse(`${text}+08:00`);
}

interface Customer {
  readonly tenantId: string;
  readonly secret: string;
}

let names = 0;
async function customer(yuan: string): Promise<Customer> {
  names += 1;
  const ask = { name: `customer-${names}`, now: clock.now };
  const { tenant, administrator } = await db.transaction((tx) => createTenant(tx, ask));
  const money = { reference: "first", amount: parseFen(yuan), at: clock.now };
  if (money.amount > 0n) await db.tenant(tenant.id, (tx) => recordTopUp(tx, tenant.id, money));
  return { tenantId: tenant.id, secret: administrator.secret };
}

function post(of: Customer, path: string, body?: unknown, key = randomUUID()): Promise<Answer> {
  const headers = { "idempotency-key": key };
  return api.ask("POST", path, {
    secret: of.secret,
    headers,
    ...(body === undefined ? {} : { body }),
  });
}

const packageShape = z.looseObject({ id: z.string() });
async function buy(of: Customer, code: string, amount: string): Promise<string> {
  const answer = await post(of, "/v1/packages", { code, expectedAmount: amount });
  expect(answer.status).toBe(201);
  return packageShape.parse(answer.body).id;
}

/** A day of jobs that costs so much, paid by the package. */
async function use(of: Customer, packageId: string, day: string, yuan: string): Promise<void> {
  const amount = parseFen(yuan);
  const shares = [{ packageId, principal: amount, bonus: zeroFen }];
  const paid = { packages: shares, wallet: zeroFen, receivable: zeroFen, promotion: zeroFen };
  const draft = charge({ day: localDay(day), lines: [{ sku: "gpu.T4", amount, paid }] });
  if (draft === undefined) throw new Error("nothing to charge");
  await db.tenant(of.tenantId, (tx) => book(tx, of.tenantId, { draft, at: clock.now }));
}

async function available(of: Customer): Promise<string> {
  const quote = await post(of, "/v1/orders/quote", { kind: "package", code: "P1000" });
  return z.object({ available: z.string() }).parse(quote.body).available;
}

test("P-07, P-08, R-PKG-1: what was quoted is bought, with its bonus and its last day", async () => {
  clock.now = at("2026-11-30T09:00:00");
  const of = await customer("6000.00");
  const quote = await post(of, "/v1/orders/quote", { kind: "package", code: "P5000" });
  expect(quote.body).toMatchObject({
    amount: "5000.00",
    vatIncluded: "283.02",
    affordable: true,
    until: "2027-05-30T16:00:00.000Z",
    description: { "zh-CN": "算力包 P5000,额度 5500.00 元,可用至 2027-05-30" },
  });
  const id = await buy(of, "P5000", "5000.00");
  const shown = await api.ask("GET", `/v1/packages/${id}`, { secret: of.secret });
  expect(shown.body).toMatchObject({
    state: "usable",
    left: { principal: "5000.00", bonus: "500.00" },
    usableFrom: "2026-11-30",
    usableThrough: "2027-05-30",
  });
  expect(await available(of)).toBe("1000.00");
  const items = await api.ask("GET", "/v1/order-items?language=zh-CN", { secret: of.secret });
  expect(items.body).toMatchObject({
    items: [{ kind: "package", amount: "5000.00", isPrepayment: true, billedMonth: "2026-11" }],
  });
});

test("P-07: the same purchase twice is one; another price, code or purse is refused", async () => {
  clock.now = at("2026-05-04T09:00:00");
  const of = await customer("1500.00");
  const key = randomUUID();
  const body = { code: "P1000", expectedAmount: "1000.00" };
  const [first, again] = [
    await post(of, "/v1/packages", body, key),
    await post(of, "/v1/packages", body, key),
  ];
  expect(again.body).toEqual(first.body);
  expect(await available(of)).toBe("500.00");
  const changed = await post(of, "/v1/packages", { ...body, expectedAmount: "900.00" });
  expect(changed.body).toMatchObject({
    code: "conflict",
    details: { price: "1000.00", expected: "900.00" },
  });
  const unknown = await post(of, "/v1/packages", { ...body, code: "P2000" });
  expect(unknown.body).toMatchObject({ code: "rule_violation" });
  const poor = await post(of, "/v1/packages", body);
  expect([poor.status, poor.body]).toMatchObject([402, { details: { available: "500.00" } }]);
});

test("R-PKG-8: credit of a package puts work in the class of gold", async () => {
  clock.now = at("2026-05-04T09:00:00");
  const of = await customer("1000.00");
  const classOf = (): Promise<number> =>
    db.tenant(of.tenantId, (tx) => priorityOf({ tx, tenantId: of.tenantId, now: () => clock.now }));
  expect(await classOf()).toBe(30);
  await buy(of, "P1000", "1000.00");
  expect(await classOf()).toBe(20);
});

test("R-PKG-7: before it expires, unused principal goes back and the bonus is void, once", async () => {
  clock.now = at("2026-05-01T09:00:00");
  const of = await customer("1000.00");
  const id = await buy(of, "P1000", "1000.00");
  await use(of, id, "2026-05-02", "600.00");
  clock.now = at("2026-08-01T23:59:59");
  const refund = await post(of, `/v1/packages/${id}/refund`);
  expect(refund.body).toMatchObject({
    refunded: "400.00",
    bonusVoided: "50.00",
    package: { state: "refunded", left: { principal: "0.00", bonus: "0.00" } },
  });
  const again = await post(of, `/v1/packages/${id}/refund`);
  expect(again.body).toEqual(refund.body);
  expect(await available(of)).toBe("400.00");
  const items = await api.ask("GET", `/v1/order-items?subjectId=${id}`, { secret: of.secret });
  expect(items.body).toMatchObject({ items: [{ amount: "-400.00" }, { amount: "1000.00" }] });
  expect(await checkLedger(db)).toEqual([]);
});

test("R-PKG-7: an expired package is not given back; nor is another tenant's", async () => {
  clock.now = at("2026-05-01T09:00:00");
  const [of, stranger] = [await customer("1000.00"), await customer("0.00")];
  const id = await buy(of, "P1000", "1000.00");
  expect((await post(stranger, `/v1/packages/${id}/refund`)).status).toBe(404);
  clock.now = at("2026-08-02T00:00:00");
  expect((await post(of, `/v1/packages/${id}/refund`)).body).toMatchObject({ code: "wrong_state" });
  await db.tenant(of.tenantId, (tx) => expirePackage(tx, of.tenantId, id));
  expect((await post(of, `/v1/packages/${id}/refund`)).body).toMatchObject({ code: "wrong_state" });
  await loop.pass(quit.signal);
  const shown = await api.ask("GET", `/v1/packages/${id}`, { secret: of.secret });
  expect(shown.body).toMatchObject({ state: "expired", left: { principal: "0.00" } });
});

test("R-PKG-6: reminders 30, 7 and 1 days before, each once, while there is something left", async () => {
  clock.now = at("2026-05-01T09:00:00");
  const of = await customer("1000.00");
  await buy(of, "P1000", "1000.00");
  const told = async (when: string): Promise<number> => {
    clock.now = at(when);
    await loop.pass(quit.signal);
    await loop.pass(quit.signal);
    const first = { after: undefined, limit: 50 };
    return (await db.tenant(of.tenantId, (tx) => notices(tx, of.tenantId, first))).length;
  };
  expect(await told("2026-07-01T23:59:00")).toBe(0);
  expect(await told("2026-07-02T00:00:30")).toBe(1);
  expect(await told("2026-07-20T00:00:30")).toBe(1);
  // Away over the second and third: one sentence, of the nearest.
  expect(await told("2026-07-31T08:00:00")).toBe(2);
  expect(await told("2026-08-05T08:00:00")).toBe(2);
});

test("R-PKG-6: where the profile says extend, the last day moves before anything is forfeited", async () => {
  clock.now = at("2026-05-01T09:00:00");
  const of = await customer("1000.00");
  const id = await buy(of, "P1000", "1000.00");
  const json = { ...defaultProfileJson, on_expiry: "extend", on_expiry_extend_months: 6 };
  const draft = await createPriceProfile(db, { name: "Extends", profile: json });
  await db.execute(sql`
    update price_profile set active_from = '2026-07-01' where id = ${draft.id}`);
  clock.now = at("2026-08-01T10:00:00");
  await loop.pass(quit.signal);
  await loop.pass(quit.signal);
  const shown = await api.ask("GET", `/v1/packages/${id}`, { secret: of.secret });
  expect(shown.body).toMatchObject({ state: "usable", usableThrough: "2027-02-01" });
});
