/**
 * Subscriptions and their expansions from the order to the release: what the machine really has at
 * each moment, what was charged for it, and what was given back.
 */
import { expect, test } from "vitest";
import { z } from "zod";

import type { AnswerOf } from "#client/types.ts";
import { sql } from "#db/sql.ts";
import { checkLedger } from "#flow/ledger/check.ts";
import { rateTenant } from "#flow/rate/loop.ts";
import { loadPriceBook } from "#catalog/price-profiles.ts";
import { billingZone } from "#kernel/zone.ts";
import { notices } from "#notices/store.ts";

import { orderCloud, type Customer } from "./order-cloud.ts";

const hour = 3_600_000;
const cloud = await orderCloud("2026-01-31T14:30:00");
const { db, provider, until } = cloud;

type Subscription = AnswerOf<"getSubscription">;
type Expansion = AnswerOf<"getExpansion">;

let names = 0;
async function order(
  of: Customer,
  ask: { readonly term?: "monthly" | "annual"; readonly autoRenew?: boolean } = {},
): Promise<Subscription> {
  names += 1;
  const { term = "monthly", autoRenew = false } = ask;
  const quote = await of.api.call("quoteOrder", {
    body: { kind: "subscription", flavor: "a100.1", term },
  });
  const ordered = await of.api.call("orderSubscription", {
    body: {
      name: `gpu-${names}`,
      flavor: "a100.1",
      term,
      autoRenew,
      expectedAmount: quote.amount,
    },
  });
  return stateOf(of, ordered.subscription.id, "active");
}

function show(of: Customer, subscriptionId: string): Promise<Subscription> {
  return of.api.call("getSubscription", { params: { subscriptionId } });
}

function stateOf(of: Customer, id: string, state: Subscription["state"]): Promise<Subscription> {
  return until(async () => {
    const found = await show(of, id);
    expect(found.state).toBe(state);
    return found;
  });
}

function leaseIs(of: Customer, leaseId: string, state: string): Promise<AnswerOf<"getLease">> {
  return until(async () => {
    const found = await of.api.call("getLease", { params: { leaseId } });
    expect(found.state).toBe(state);
    return found;
  });
}

/** What the machine has at the platform. */
function machine(leaseId: string): { gpus: number; cores: number; gib: number } | undefined {
  const found = provider.platform.machines().find(({ spec }) => spec.owner.resourceId === leaseId);
  if (found === undefined) return undefined;
  const { cpu, memoryBytes, spec } = found;
  return {
    gpus: spec.gpus.length,
    cores: cpu.sockets * cpu.cores * cpu.threads,
    gib: memoryBytes / 2 ** 30,
  };
}

const timeZoneOf = () => Promise.resolve(billingZone);
const small = { gpus: 1, cores: 8, gib: 64 };

async function expand(
  of: Customer,
  subscriptionId: string,
  days: number,
  units = { gpus: 1, vcpus: 16, memoryGiB: 64 },
): Promise<Expansion> {
  const ask = { subscriptionId, days, ...units };
  const quote = await of.api.call("quoteOrder", { body: { kind: "expansion", ...ask } });
  const { expansion } = await of.api.call("orderExpansion", {
    params: { subscriptionId },
    body: { days, ...units, expectedAmount: quote.amount },
  });
  return expansion;
}

function expansionIs(of: Customer, id: string, state: Expansion["state"]): Promise<Expansion> {
  return until(async () => {
    const found = await of.api.call("getExpansion", { params: { expansionId: id } });
    expect(found.state).toBe(state);
    return found;
  });
}

async function money(of: Customer): Promise<{ wallet: string; held: string; revenue: string }> {
  const rows = await db.rows(
    sql`select kind, balance::text from account where tenant_id = ${of.tenantId}`,
    z.object({ kind: z.string(), balance: z.string() }),
  );
  const yuan = (kind: string): string => {
    const fen = Number(rows.find((row) => row.kind === kind)?.balance ?? 0);
    return (fen / 100).toFixed(2);
  };
  return { wallet: yuan("wallet"), held: yuan("held"), revenue: yuan("revenue") };
}

async function told(of: Customer): Promise<string[]> {
  const list = await db.tenant(of.tenantId, (tx) =>
    notices(tx, of.tenantId, { after: undefined, limit: 100 }),
  );
  return list.map(({ kind }) => kind).toReversed();
}

test("P-09, P-13, R-VM-2: held when ordered, charged when ready, for periods from the first start", async () => {
  const of = await cloud.customer("50000.00");
  const subscription = await order(of);
  const { leaseId, id } = subscription;
  expect(machine(leaseId)).toEqual(small);
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

test("P-14, P-15, R-ELA-2: an expansion is really there, charged from then, and really gone after", async () => {
  const of = await cloud.customer("50000.00");
  const { id, leaseId } = await order(of);
  const before = await money(of);
  const ordered = await expand(of, id, 3);
  expect(ordered).toMatchObject({ state: "resizing", amount: "3144.00" });
  const active = await expansionIs(of, ordered.id, "active");
  expect(machine(leaseId)).toEqual({ gpus: 2, cores: 24, gib: 128 });
  const [from, to] = [Date.parse(active.activatedAt ?? ""), Date.parse(active.endsAt ?? "")];
  expect(to - from).toBe(72 * hour);
  expect((await money(of)).revenue).toBe("18144.00");
  expect(Number((await money(of)).wallet)).toBe(Number(before.wallet) - 3144);
  cloud.advance(71 * hour);
  await cloud.look();
  expect(machine(leaseId)?.gpus).toBe(2);
  // The platform was away: what it gives too long is free.
  cloud.advance(5 * hour);
  const over = await expansionIs(of, ordered.id, "ended");
  expect(over.endsAt).toBe(active.endsAt);
  await until(async () => {
    const { revertedAt } = await of.api.call("getExpansion", {
      params: { expansionId: ordered.id },
    });
    expect(revertedAt).not.toBeNull();
    await Promise.resolve();
  });
  expect(machine(leaseId)).toEqual(small);
  expect((await money(of)).revenue).toBe("18144.00");
  expect((await leaseIs(of, leaseId, "running")).flavor.gpu?.count).toBe(1);
});

test("R-ELA-2: what the platform could not add is not charged", async () => {
  const of = await cloud.customer("50000.00");
  const { id, leaseId } = await order(of);
  const before = await money(of);
  provider.platform.faults.failNext("resize", { code: "refused", effect: "accepted" });
  const ordered = await expand(of, id, 2);
  const failed = await expansionIs(of, ordered.id, "ended");
  expect(failed).toMatchObject({ activatedAt: null, reason: { code: expect.any(String) } });
  expect(await money(of)).toEqual(before);
  expect(machine(leaseId)).toEqual(small);
  expect(await told(of)).toContain("expansion_failed");
});

test("R-ELA-3, R-ELA-6: released early, begun days are kept; what extends it goes with it", async () => {
  const of = await cloud.customer("50000.00");
  const { id, leaseId } = await order(of);
  const { id: expansionId } = await expand(of, id, 3);
  const { endsAt } = await expansionIs(of, expansionId, "active");
  const quote = await of.api.call("quoteOrder", {
    body: { kind: "extension", expansionId, days: 1 },
  });
  const extension = await of.api.call("extendExpansion", {
    params: { expansionId },
    body: { days: 1, expectedAmount: quote.amount },
  });
  expect(extension).toMatchObject({ state: "scheduled", startsAt: endsAt, amount: "1048.00" });
  const again = of.api.call("extendExpansion", {
    params: { expansionId },
    body: { days: 1, expectedAmount: quote.amount },
  });
  await expect(again).rejects.toMatchObject({ code: "conflict" });
  cloud.advance(30 * hour);
  const released = await of.api.call("releaseExpansion", { params: { expansionId } });
  expect(released).toMatchObject({ refund: "1048.00", expansion: { state: "ended" } });
  expect(await expansionIs(of, extension.id, "ended")).toMatchObject({ activatedAt: null });
  await until(async () => {
    expect(machine(leaseId)).toEqual(small);
    await Promise.resolve();
  });
  expect(await money(of)).toMatchObject({ revenue: "17096.00" });
});

test("R-ELA-4, R-ELA-6: an extension goes on where the first ends; neither outlasts the term", async () => {
  const of = await cloud.customer("90000.00");
  const { id, leaseId, paidUntil } = await order(of);
  const far = expand(of, id, 40);
  await expect(far).rejects.toMatchObject({
    code: "rule_violation",
    details: { code: "ELASTIC_EXCEEDS_TERM", paidUntil },
  });
  const { id: expansionId } = await expand(of, id, 1, { gpus: 0, vcpus: 2, memoryGiB: 0 });
  const { endsAt } = await expansionIs(of, expansionId, "active");
  const quote = await of.api.call("quoteOrder", {
    body: { kind: "extension", expansionId, days: 2 },
  });
  // dearer than on demand, and said so.
  expect(quote.remarks.map(({ en }) => en)).toEqual([
    "Dearer than on demand: cpu.core: 20 a day, 12 on demand.",
  ]);
  const extension = await of.api.call("extendExpansion", {
    params: { expansionId },
    body: { days: 2, expectedAmount: quote.amount },
  });
  cloud.advance(25 * hour);
  expect(await expansionIs(of, extension.id, "active")).toMatchObject({ activatedAt: endsAt });
  expect(machine(leaseId)).toEqual({ ...small, cores: 10 });
  expect((await money(of)).revenue).toBe("15120.00");
  cloud.advance(48 * hour);
  await expansionIs(of, extension.id, "ended");
  await until(async () => {
    expect(machine(leaseId)).toEqual(small);
    await Promise.resolve();
  });
});

test("P-10, R-VM-5: an upgrade is charged by the days that are left, once the machine has it", async () => {
  const of = await cloud.customer("90000.00");
  const { id, leaseId, paidUntil } = await order(of);
  const { id: expansionId } = await expand(of, id, 2, { gpus: 1, vcpus: 0, memoryGiB: 0 });
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
    const found = await show(of, id);
    expect(found.sku).toBe("vm.a100x2");
    return found;
  });
  expect(upgraded.paidUntil).toBe(paidUntil);
  // The expansion stays on top.
  expect(machine(leaseId)).toEqual({ gpus: 3, cores: 16, gib: 128 });
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
  await until(async () => {
    expect(machine(leaseId)).toEqual(small);
    await Promise.resolve();
  });
});

test("R-VM-10: over, it stops and is kept; renewed it goes on from the old end; else it is released", async () => {
  const of = await cloud.customer("40000.00");
  const { id, leaseId, paidUntil } = await order(of);
  const end = Date.parse(paidUntil ?? "");
  cloud.advance(end - cloud.now() - 7 * 24 * hour + 1000);
  await cloud.look();
  expect(await told(of)).toEqual(["subscription_active", "subscription_ends"]);
  cloud.advance(end - cloud.now() + 1000);
  await stateOf(of, id, "lapsed");
  await leaseIs(of, leaseId, "stopped");
  const started = of.api.call("startLease", { params: { leaseId } });
  await expect(started).rejects.toThrow("renew its subscription");
  cloud.advance(3 * 24 * hour);
  const renewed = await of.api.call("renewSubscription", {
    params: { subscriptionId: id },
    body: { expectedAmount: "15000.00" },
  });
  expect(renewed).toMatchObject({ state: "active", keptUntil: null });
  expect(renewed.periods.at(-1)?.from).toBe(paidUntil);
  await leaseIs(of, leaseId, "running");
  cloud.advance(Date.parse(renewed.paidUntil ?? "") - cloud.now() + 1000);
  await stateOf(of, id, "lapsed");
  cloud.advance(7 * 24 * hour - 60_000);
  await cloud.look();
  expect((await show(of, id)).state).toBe("lapsed");
  cloud.advance(120_000);
  expect(await stateOf(of, id, "ended")).toMatchObject({ reason: { code: "lapsed" } });
  await leaseIs(of, leaseId, "released");
  expect(machine(leaseId)).toBeUndefined();
  expect((await told(of)).slice(-2)).toEqual(["subscription_lapsed", "subscription_released"]);
});

test("P-22: renewed by itself while the balance suffices, and only if that was asked for", async () => {
  const of = await cloud.customer("31000.00");
  const { id, paidUntil } = await order(of, { autoRenew: true });
  cloud.advance(Date.parse(paidUntil ?? "") - cloud.now() + 1000);
  const renewed = await until(async () => {
    const found = await show(of, id);
    expect(found.periods).toHaveLength(2);
    return found;
  });
  expect(renewed.state).toBe("active");
  cloud.advance(Date.parse(renewed.paidUntil ?? "") - cloud.now() + 1000);
  await stateOf(of, id, "lapsed");
  // While it is kept, money is enough to go on.
  await cloud.topUp(of, "15000.00");
  cloud.advance(hour);
  expect((await stateOf(of, id, "active")).periods).toHaveLength(3);
});

test("R-VM-6, R-ELA-3: a year ended early gives back what its begun months leave", async () => {
  const of = await cloud.customer("160000.00");
  const { id, leaseId } = await order(of, { term: "annual" });
  cloud.advance(40 * 24 * hour);
  const { id: expansionId } = await expand(of, id, 3);
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
  await leaseIs(of, leaseId, "released");
  const twice = of.api.call("cancelSubscription", { params, body });
  await expect(twice).rejects.toMatchObject({ code: "wrong_state" });
});

test("P-13: compute of a subscription is metered and rated 0; its storage is rated as usual", async () => {
  const of = await cloud.customer("20000.00");
  await order(of);
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
