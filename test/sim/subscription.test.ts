/**
 * Subscriptions from the order to the release: what the machine really has at each moment, what was
 * charged for it, and what was given back.
 */
import { expect, test } from "vitest";
import { z } from "zod";

import { loadPriceBook } from "#catalog/price-profiles.ts";
import { sql } from "#db/sql.ts";
import { checkLedger } from "#flow/ledger/check.ts";
import { rateTenant } from "#flow/rate/loop.ts";
import { billingZone } from "#kernel/zone.ts";

import { orderCloud } from "./order-cloud.ts";
import { orderLife, small } from "./order-life.ts";

const hour = 3_600_000;
const cloud = await orderCloud("2026-01-31T14:30:00");
const { db, until } = cloud;
const { rented, show, stateOf, leaseIs, sizeOf, sizeIs, expand, expansionIs, money, told } =
  orderLife(cloud);
const timeZoneOf = () => Promise.resolve(billingZone);

test("P-09, P-13, R-VM-2: held when ordered, charged when ready, for periods from the first start", async () => {
  const of = await rented("50000.00");
  const subscription = await show(of);
  const { leaseId, subscriptionId: id } = of;
  expect(sizeOf(of)).toEqual(small);
  expect(subscription).toMatchObject({ sku: "vm.a100x1", amount: "15000.00", state: "active" });
  expect(subscription.startedAt).toMatch(/^2026-01-31T06:3/);
  expect(subscription.paidUntil).toMatch(/^2026-02-28T06:3/);
  expect((await money(of)).revenue).toBe("15000.00");
  const lease = await of.api.call("getLease", { params: { leaseId } });
  expect(lease).toMatchObject({ plan: "subscription", price: { lines: [{ sku: "storage" }] } });
  // The next term begins where this one ends, counted from the first start.
  const quote = await of.api.call("quoteOrder", {
    body: { kind: "renewal", subscriptionId: id },
  });
  expect(quote).toMatchObject({ amount: "15000.00", from: subscription.paidUntil });
  const renewed = await of.api.call("renewSubscription", {
    params: { subscriptionId: id },
    body: { expectedAmount: quote.amount },
  });
  expect(renewed.paidUntil).toMatch(/^2026-03-31T06:3/);
  const items = await of.api.call("listOrderItems", { query: { subjectId: id } });
  expect(items.items.map(({ kind, amount }) => [kind, amount])).toEqual([
    ["renewal", "15000.00"],
    ["subscription", "15000.00"],
  ]);
});

test("R-VM-1, P-22: what is not sold by the term, or not at that price, is refused with reasons", async () => {
  const of = await cloud.customer("1000.00");
  const quote = (flavor: string, term: "monthly" | "quarterly") =>
    of.api.call("quoteOrder", { body: { kind: "subscription", flavor, term } });
  await expect(quote("nano", "monthly")).rejects.toMatchObject({
    code: "rule_violation",
    details: { sold: expect.arrayContaining(["a100.1", "a100.2"]) },
  });
  await expect(quote("mislabeled", "monthly")).rejects.toThrow("is not what vm.a100x1 contains");
  await expect(quote("a100.1", "quarterly")).rejects.toThrow("monthly or annual");
  const body = {
    name: "x",
    flavor: "a100.1",
    term: "monthly",
    expectedAmount: "15000.00",
  } as const;
  await expect(of.api.call("orderSubscription", { body })).rejects.toMatchObject({
    code: "insufficient_credit",
    details: { price: "15000.00" },
  });
  const cheap = { ...body, expectedAmount: "14000.00" };
  await expect(of.api.call("orderSubscription", { body: cheap })).rejects.toMatchObject({
    code: "conflict",
    details: { price: "15000.00", expected: "14000.00" },
  });
  expect((await money(of)).held).toBe("0.00");
});

test("P-10, R-VM-5: an upgrade is charged by the days that are left, once the machine has it", async () => {
  const of = await rented("90000.00");
  const { subscriptionId: id } = of;
  const { paidUntil } = await show(of);
  const { id: expansionId } = await expand(of, 2, { gpus: 1, vcpus: 0, memoryGiB: 0 });
  await expansionIs(of, expansionId, "active");
  const quote = await of.api.call("quoteOrder", {
    body: { kind: "upgrade", subscriptionId: id, flavor: "a100.2" },
  });
  expect(quote.amount).toBe("13000.00");
  await of.api.call("upgradeSubscription", {
    params: { subscriptionId: id },
    body: { flavor: "a100.2", expectedAmount: quote.amount },
  });
  const upgraded = await until(async () => {
    const found = await show(of);
    expect(found.sku).toBe("vm.a100x2");
    return found;
  });
  expect(upgraded.paidUntil).toBe(paidUntil);
  // The expansion stays on top.
  expect(sizeOf(of)).toEqual({ gpus: 3, cores: 16, gib: 128 });
  expect((await money(of)).revenue).toBe("29200.00");
  const smaller = of.api.call("quoteOrder", {
    body: { kind: "upgrade", subscriptionId: id, flavor: "a100.1" },
  });
  await expect(smaller).rejects.toThrow("renew with that flavor");
  // R-VM-5: smaller at the next renewal, when its term begins.
  const renewal = await of.api.call("quoteOrder", {
    body: { kind: "renewal", subscriptionId: id, flavor: "a100.1" },
  });
  await of.api.call("renewSubscription", {
    params: { subscriptionId: id },
    body: { flavor: "a100.1", expectedAmount: renewal.amount },
  });
  cloud.advance(Date.parse(paidUntil ?? "") - cloud.now() + 1000);
  await sizeIs(of, small);
});

test("R-VM-10: over, it stops and is kept; renewed it goes on from the old end; else it is released", async () => {
  const of = await rented("40000.00");
  const { subscriptionId: id, leaseId } = of;
  const { paidUntil } = await show(of);
  const end = Date.parse(paidUntil ?? "");
  cloud.advance(end - cloud.now() - 7 * 24 * hour + 1000);
  await cloud.look();
  expect(await told(of)).toEqual(["subscription_active", "subscription_ends"]);
  cloud.advance(end - cloud.now() + 1000);
  await stateOf(of, "lapsed");
  await leaseIs(of, "stopped");
  const started = of.api.call("startLease", { params: { leaseId } });
  await expect(started).rejects.toThrow("renew its subscription");
  cloud.advance(3 * 24 * hour);
  const renewed = await of.api.call("renewSubscription", {
    params: { subscriptionId: id },
    body: { expectedAmount: "15000.00" },
  });
  expect(renewed).toMatchObject({ state: "active", keptUntil: null });
  expect(renewed.periods.at(-1)?.from).toBe(paidUntil);
  await leaseIs(of, "running");
  cloud.advance(Date.parse(renewed.paidUntil ?? "") - cloud.now() + 1000);
  await stateOf(of, "lapsed");
  cloud.advance(7 * 24 * hour - 60_000);
  await cloud.look();
  expect((await show(of)).state).toBe("lapsed");
  cloud.advance(120_000);
  expect(await stateOf(of, "ended")).toMatchObject({ reason: { code: "lapsed" } });
  await leaseIs(of, "released");
  expect(sizeOf(of)).toBeUndefined();
  expect((await told(of)).slice(-2)).toEqual(["subscription_lapsed", "subscription_released"]);
});

test("P-22: renewed by itself while the balance suffices, and only if that was asked for", async () => {
  const of = await rented("31000.00", { autoRenew: true });
  const { paidUntil } = await show(of);
  cloud.advance(Date.parse(paidUntil ?? "") - cloud.now() + 1000);
  const renewed = await until(async () => {
    const found = await show(of);
    expect(found.periods).toHaveLength(2);
    return found;
  });
  expect(renewed.state).toBe("active");
  cloud.advance(Date.parse(renewed.paidUntil ?? "") - cloud.now() + 1000);
  await stateOf(of, "lapsed");
  // While it is kept, money is enough to go on.
  await cloud.topUp(of, "15000.00");
  cloud.advance(hour);
  expect((await stateOf(of, "active")).periods).toHaveLength(3);
});

test("R-VM-6, R-ELA-3: a year ended early gives back what its begun months leave", async () => {
  const of = await rented("160000.00", { term: "annual" });
  const { subscriptionId: id, leaseId } = of;
  cloud.advance(40 * 24 * hour);
  const { id: expansionId } = await expand(of, 3);
  await expansionIs(of, expansionId, "active");
  const lease = of.api.call("releaseLease", { params: { leaseId } });
  await expect(lease).rejects.toThrow("cancel that");
  const params = { subscriptionId: id };
  const quote = await of.api.call("quoteCancel", { params });
  expect(quote).toEqual({ refund: "120000.00", expansionRefund: "2096.00", total: "122096.00" });
  const wrong = of.api.call("cancelSubscription", { params, body: { expectedRefund: "1.00" } });
  await expect(wrong).rejects.toMatchObject({ code: "conflict" });
  const body = { expectedRefund: quote.total };
  const ended = await of.api.call("cancelSubscription", { params, body });
  expect(ended.subscription).toMatchObject({ state: "ended", reason: { code: "canceled" } });
  expect((await money(of)).revenue).toBe("31048.00");
  await leaseIs(of, "released");
  const twice = of.api.call("cancelSubscription", { params, body });
  await expect(twice).rejects.toMatchObject({ code: "wrong_state" });
});

test("P-13: compute of a subscription is metered and rated 0; its storage is rated as usual", async () => {
  const of = await rented("20000.00");
  cloud.advance(30 * hour);
  await until(async () => {
    const prices = await loadPriceBook(db);
    const context = { db, observer: cloud.observer, now: cloud.now };
    await rateTenant({ ...context, timeZoneOf }, of.tenantId, prices);
    const lines = await db.rows(
      sql`select sku, sum(amount)::int as fen from charge_line
        where tenant_id = ${of.tenantId} group by sku order by sku`,
      z.object({ sku: z.string(), fen: z.int() }),
    );
    expect(lines.filter(({ fen }) => fen !== 0).map(({ sku }) => sku)).toEqual(["storage"]);
  });
});

test("the books balance, and every order's item has its journal", async () => {
  expect(await checkLedger(db)).toEqual([]);
  const rows = await db.rows(
    sql`select i.id from order_item i left join journal j on j.tenant_id = i.tenant_id
        and j.key = i.journal_key
      where i.amount <> 0 and j.id is null`,
    z.object({ id: z.string() }),
  );
  expect(rows).toEqual([]);
});
