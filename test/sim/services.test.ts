/** Services that people do, and prices by contract: through the API, on a real database. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";

import { createPriceProfile, seedPriceProfile } from "#catalog/price-profiles.ts";
import { defaultProfileJson } from "#catalog/profile.ts";
import { createClient, type Client } from "#client/client.ts";
import { overrideTier } from "#customers/tier-store.ts";
import { sql } from "#db/sql.ts";
import { checkLedger } from "#flow/ledger/check.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { createTenant } from "#identity/tenants.ts";
import { parseFen } from "#kernel/money.ts";
import { alerts, notices } from "#notices/store.ts";
import { serviceLoop } from "#orders/service-loop.ts";
import { testApi } from "#test/api-server.ts";

import { tierHandlers } from "#api/routes/customers/tier.ts";
import { contractPriceHandlers } from "#api/routes/orders/contract-prices.ts";
import { packageHandlers } from "#api/routes/orders/packages.ts";
import { quoteHandlers } from "#api/routes/orders/quote.ts";
import { serviceHandlers } from "#api/routes/orders/services.ts";

const api = await testApi({
  handlers: {
    ...quoteHandlers,
    ...serviceHandlers,
    ...packageHandlers,
    ...contractPriceHandlers,
    ...tierHandlers,
  },
});
const { db, clock } = api;
await db.transaction((tx) => seedPriceProfile(tx));
const loop = serviceLoop({ db, now: () => clock.now });
const quit = new AbortController();
const look = (): Promise<unknown> => Promise.resolve(loop.pass(quit.signal));

function at(text: string): number {
  return Date.parse(`${text}+08:00`);
}

interface Customer {
  readonly tenantId: string;
  readonly api: Client;
  /** The operator, acting for this customer. */
  readonly operator: Client;
}

let names = 0;
async function customer(yuan: string): Promise<Customer> {
  names += 1;
  const ask = { name: `customer-${names}`, now: clock.now };
  const { tenant, administrator } = await db.transaction((tx) => createTenant(tx, ask));
  const money = { reference: "first", amount: parseFen(yuan), at: clock.now };
  if (money.amount > 0n) await db.tenant(tenant.id, (tx) => recordTopUp(tx, tenant.id, money));
  return {
    tenantId: tenant.id,
    api: createClient({ baseUrl: api.url, credential: administrator.secret }),
    operator: createClient({
      baseUrl: api.url,
      credential: api.operator.secret,
      tenant: ask.name,
    }),
  };
}

async function amounts(of: Customer): Promise<string[]> {
  const { items } = await of.api.call("listOrderItems");
  return items.map(({ amount }) => amount);
}

async function told(of: Customer): Promise<string[]> {
  const first = { after: undefined, limit: 50 };
  const list = await db.tenant(of.tenantId, (tx) => notices(tx, of.tenantId, first));
  return list.map(({ kind }) => kind);
}

const support = { kind: "support_24x7", expectedAmount: "3000.00" } as const;

test("P-18, R-VAS-2: support is paid by anchor months in advance, renewed until canceled, not prorated", async () => {
  clock.now = at("2026-01-31T09:30:00");
  const of = await customer("9500.00");
  expect((await of.api.call("getTier")).benefits).toMatchObject({
    support: "none",
    supportBoughtUntil: null,
  });
  const quote = await of.api.call("quoteOrder", { body: { kind: "support_24x7" } });
  expect(quote).toMatchObject({
    amount: "3000.00",
    rates: { hourly: "4.17", daily: "100.00", monthly: "3000.00", term: "3000.00" },
    description: { "zh-CN": "7×24 技术支持:2026-01-31 - 2026-02-28" },
  });
  const ordered = await of.api.call("orderService", { body: { ...support, autoRenew: true } });
  expect(ordered).toMatchObject({ state: "active", paidUntil: "2026-02-28T01:30:00.000Z" });
  expect(await of.api.call("getTier")).toMatchObject({
    tier: "normal",
    benefits: { support: "24x7", supportBoughtUntil: ordered.paidUntil },
  });
  await expect(of.api.call("orderService", { body: support })).rejects.toMatchObject({
    code: "conflict",
  });
  // Away over two renewals: each month is charged, in order, by the first anchor.
  clock.now = at("2026-04-10T00:00:00");
  await look();
  await look();
  const params = { serviceId: ordered.id };
  expect(await of.api.call("getService", { params })).toMatchObject({
    paidUntil: "2026-04-30T01:30:00.000Z",
  });
  expect(await amounts(of)).toEqual(["3000.00", "3000.00", "3000.00"]);
  expect(await of.api.call("cancelService", { params })).toMatchObject({
    state: "active",
    autoRenew: false,
  });
  await expect(of.api.call("cancelService", { params })).rejects.toMatchObject({
    code: "wrong_state",
  });
  clock.now = at("2026-04-30T09:30:00");
  await look();
  expect(await of.api.call("getService", { params })).toMatchObject({
    state: "ended",
    reason: { code: "over" },
  });
  expect(await amounts(of)).toHaveLength(3);
});

test("P-18: a month that cannot be paid ends the support; nothing is owed", async () => {
  clock.now = at("2026-05-04T09:00:00");
  const of = await customer("3000.00");
  const { id } = await of.api.call("orderService", { body: support });
  clock.now = at("2026-06-04T09:00:01");
  await look();
  expect(await of.api.call("getService", { params: { serviceId: id } })).toMatchObject({
    state: "ended",
    reason: { code: "not_paid" },
  });
  expect(await amounts(of)).toEqual(["3000.00"]);
  expect(await told(of)).toEqual(["service_lapsed"]);
});

test("P-18, R-VAS-2: for diamonds support is included: a line of 0.00 that says why", async () => {
  clock.now = at("2026-05-04T09:00:00");
  const of = await customer("0.00");
  await db.tenant(of.tenantId, (tx) =>
    overrideTier(tx, {
      tenantId: of.tenantId,
      tier: "diamond",
      reason: "contract",
      approvedBy: "Li",
      untilAt: clock.now + 1e10,
      createdBy: "test",
      now: clock.now,
    }),
  );
  const quote = await of.api.call("quoteOrder", { body: { kind: "support_24x7" } });
  expect(quote).toMatchObject({
    listPrice: "3000.00",
    amount: "0.00",
    discounts: [{ rule: "R-VAS-2", amount: "-3000.00", text: { "zh-CN": "客户等级已包含" } }],
  });
  await of.api.call("orderService", { body: { ...support, expectedAmount: "0.00" } });
  expect(await amounts(of)).toEqual(["0.00"]);
  const offers = await of.api.call("listServiceOffers");
  expect(offers.support24x7).toEqual({ listPrice: "3000.00", monthly: "0.00" });
});

test("P-17, R-VAS-1: an optimization is asked for, offered within its range, charged once when accepted", async () => {
  clock.now = at("2026-05-04T09:00:00");
  const of = await customer("20000.00");
  const stranger = await customer("0.00");
  const body = { kind: "model_optimization", description: "Twice the tokens" } as const;
  const { id, state } = await of.api.call("orderService", { body });
  expect(state).toBe("asked");
  const open = await alerts(db, { after: undefined, limit: 50, open: true });
  expect(open).toMatchObject([{ kind: "service_asked", tenantId: of.tenantId }]);
  const params = { serviceId: id };
  const offer = (amount: string, until = "2026-05-20T00:00:00+08:00") =>
    of.operator.call("offerService", { params, body: { amount, until } });
  for (const amount of ["4999.99", "20000.01"]) {
    await expect(offer(amount)).rejects.toMatchObject({
      code: "rule_violation",
      details: { from: "5000.00", to: "20000.00" },
    });
  }
  await expect(offer("5000", "2026-05-01T00:00:00Z")).rejects.toThrow("end before it begins");
  const early = of.api.call("acceptService", { params, body: { expectedAmount: "8000.00" } });
  await expect(early).rejects.toMatchObject({ code: "wrong_state" });
  await offer("8000");
  expect(await alerts(db, { after: undefined, limit: 50, open: true })).toEqual([]);
  const quote = await of.api.call("quoteOrder", { body: { kind: "offer", serviceId: id } });
  expect(quote).toMatchObject({ amount: "8000.00", rates: null });
  const accept = (amount: string, who = of) =>
    who.api.call("acceptService", { params, body: { expectedAmount: amount } });
  await expect(accept("8000.00", stranger)).rejects.toMatchObject({ code: "not_found" });
  await expect(accept("7000.00")).rejects.toMatchObject({
    code: "conflict",
    details: { price: "8000.00", expected: "7000.00" },
  });
  // Two at once: one is charged.
  const both = await Promise.allSettled([accept("8000.00"), accept("8000.00")]);
  expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(await amounts(of)).toEqual(["8000.00"]);
  await expect(of.api.call("cancelService", { params })).rejects.toThrow("ask the operator");
  const done = await of.operator.call("finishService", {
    params,
    body: { outcome: "done", note: "2.1 times" },
  });
  expect(done).toMatchObject({ service: { state: "ended" }, refund: null });
  const again = of.operator.call("finishService", {
    params,
    body: { outcome: "refunded", note: "no" },
  });
  await expect(again).rejects.toMatchObject({ code: "wrong_state" });
  expect(await told(of)).toEqual(["service_done", "service_offered"]);
});

test("P-17: an engagement that is not done is given back whole; an offer runs out, or is declined", async () => {
  clock.now = at("2026-05-04T09:00:00");
  const of = await customer("6000.00");
  const body = { kind: "model_optimization", description: "Less memory" } as const;
  const until = "2026-05-06T00:00:00+08:00";
  const offered = async (): Promise<{ readonly serviceId: string }> => {
    const { id } = await of.api.call("orderService", { body });
    const params = { serviceId: id };
    await of.operator.call("offerService", { params, body: { amount: "6000", until } });
    return params;
  };
  const [first, second, third] = [await offered(), await offered(), await offered()];
  await of.api.call("acceptService", { params: first, body: { expectedAmount: "6000.00" } });
  const poor = of.api.call("acceptService", {
    params: second,
    body: { expectedAmount: "6000.00" },
  });
  await expect(poor).rejects.toMatchObject({ code: "insufficient_credit" });
  const back = await of.operator.call("finishService", {
    params: first,
    body: { outcome: "refunded", note: "The model does not load" },
  });
  expect(back).toMatchObject({ refund: "6000.00", service: { state: "ended" } });
  expect(await amounts(of)).toEqual(["-6000.00", "6000.00"]);
  expect(await of.api.call("cancelService", { params: third })).toMatchObject({ state: "ended" });
  clock.now = at("2026-05-06T00:00:01");
  await look();
  expect(await of.api.call("getService", { params: second })).toMatchObject({
    state: "ended",
    reason: { code: "offer_over" },
  });
  expect((await of.api.call("listServices")).items).toHaveLength(3);
});

test("P-19: services are sold alone, or bundled at a price of its own", async () => {
  const start = {
    description: "Three months of support and two optimizations",
    price: "16000.00",
    support_24x7_months: 3,
    model_optimizations: 2,
  };
  const json = { ...defaultProfileJson, bundles: { start } };
  const draft = await createPriceProfile(db, { name: "Bundled", profile: json });
  await db.execute(sql`
    update price_profile set active_from = '2026-07-01' where id = ${draft.id}`);
  clock.now = at("2026-07-10T09:00:00");
  const of = await customer("20000.00");
  const { bundles } = await of.api.call("listServiceOffers");
  expect(bundles).toMatchObject([{ code: "start", price: "16000.00", separately: "19000.00" }]);
  const wrong = of.api.call("quoteOrder", { body: { kind: "bundle", code: "end" } });
  await expect(wrong).rejects.toMatchObject({ details: { bundles: ["start"] } });
  const body = { kind: "bundle", code: "start", expectedAmount: "16000.00" } as const;
  const bundle = await of.api.call("orderService", { body });
  expect(bundle).toMatchObject({
    state: "active",
    paidUntil: "2026-10-10T01:00:00.000Z",
    optimizationsLeft: 2,
    autoRenew: false,
  });
  // Its support is not bought a second time.
  await expect(of.api.call("orderService", { body: support })).rejects.toMatchObject({
    code: "conflict",
  });
  const params = { serviceId: bundle.id };
  const finish = (outcome: "done" | "refunded") =>
    of.operator.call("finishService", { params, body: { outcome, note: "n" } });
  await expect(finish("refunded")).rejects.toMatchObject({ code: "rule_violation" });
  expect(await finish("done")).toMatchObject({ service: { optimizationsLeft: 1 } });
  clock.now = at("2026-10-10T09:00:01");
  await look();
  // What is paid and not done keeps it open.
  expect(await finish("done")).toMatchObject({ service: { state: "ended" } });
  expect(await amounts(of)).toEqual(["16000.00"]);
});

test("R-ORD-1: a contract price begins at a midnight to come, for one tenant, and is never changed", async () => {
  clock.now = at("2026-05-04T09:00:00");
  const of = await customer("0.00");
  const set = (price: string | null, from: string) =>
    of.operator.call("setContractPrice", {
      body: { sku: "gpu.A100", from, price, reason: "contract 12" },
    });
  await expect(set("42.5", "2026-05-04")).rejects.toMatchObject({ code: "rule_violation" });
  expect(await set("42.5", "2026-05-05")).toEqual({
    sku: "gpu.A100",
    from: "2026-05-05",
    price: "42.5",
    reason: "contract 12",
  });
  await expect(set("40", "2026-05-05")).rejects.toThrow("begins on 2026-05-05");
  await set(null, "2026-06-01");
  await expect(set("-1", "2026-07-01")).rejects.toMatchObject({ code: "invalid_request" });
  const own = of.api.call("setContractPrice", {
    body: { sku: "gpu.A100", from: "2026-08-01", price: "0.01", reason: "mine" },
  });
  await expect(own).rejects.toMatchObject({ code: "forbidden" });
  const { items } = await of.api.call("listContractPrices");
  expect(items.map(({ from, price }) => [from, price])).toEqual([
    ["2026-05-05", "42.5"],
    ["2026-06-01", null],
  ]);
  const stranger = await customer("0.00");
  expect(await stranger.api.call("listContractPrices")).toEqual({ items: [] });
});

test("the same order twice is one, whatever the answer was", async () => {
  clock.now = at("2026-05-04T09:00:00");
  const of = await customer("9000.00");
  const { secret } = await api.keyOf("billing", of.tenantId);
  const headers = { "idempotency-key": randomUUID() };
  const post = () => api.ask("POST", "/v1/services", { secret, headers, body: support });
  const [first, again] = [await post(), await post()];
  expect([first.status, again.body]).toEqual([201, first.body]);
  expect(await amounts(of)).toEqual(["3000.00"]);
  expect(await checkLedger(db)).toEqual([]);
});
