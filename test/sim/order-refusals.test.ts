/** Orders that are refused: each says why, and leaves money and machine as they were. */
import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";

import { orderCloud, type Customer } from "./order-cloud.ts";

const day = 86_400_000;
const cloud = await orderCloud("2026-04-01T09:00:00", { gpus: "A100=2" });
const { db, until } = cloud;
const units = { gpus: 0, vcpus: 2, memoryGiB: 0 };

interface Rented extends Customer {
  readonly subscriptionId: string;
  readonly leaseId: string;
}

let names = 0;
async function ordered(yuan = "60000.00"): Promise<Rented> {
  const of = await cloud.customer(yuan);
  names += 1;
  const { subscription } = await of.api.call("orderSubscription", {
    body: { name: `m${names}`, flavor: "a100.1", term: "monthly", expectedAmount: "15000.00" },
  });
  return { ...of, subscriptionId: subscription.id, leaseId: subscription.leaseId };
}

async function rented(): Promise<Rented> {
  const of = await ordered();
  const params = { subscriptionId: of.subscriptionId };
  await until(async () => {
    expect((await of.api.call("getSubscription", { params })).state).toBe("active");
  });
  return of;
}

async function canceled({ api, subscriptionId }: Rented): Promise<void> {
  const params = { subscriptionId };
  const { total } = await api.call("quoteCancel", { params });
  await api.call("cancelSubscription", { params, body: { expectedRefund: total } });
}

async function purse({ tenantId }: Customer): Promise<unknown> {
  return db.rows(
    sql`select kind, sum(balance)::text as fen from account where tenant_id = ${tenantId}
      group by kind order by kind`,
    z.object({ kind: z.string(), fen: z.string() }),
  );
}

function expand(
  { api, subscriptionId }: Rented,
  ask: Readonly<Partial<typeof units>> & { readonly days?: number; readonly expected?: string },
): Promise<unknown> {
  const { days = 1, expected = "40.00", ...what } = ask;
  return api.call("orderExpansion", {
    params: { subscriptionId },
    body: { ...units, ...what, days, expectedAmount: expected },
  });
}

test("P-14, R-ELA-1: days are whole, at least one and no more than the term has", async () => {
  const of = await rented();
  const before = await purse(of);
  for (const days of [-1, 0, 1.5, 367, Number.MAX_SAFE_INTEGER]) {
    const bad = { code: "invalid_request" };
    await expect(expand(of, { days })).rejects.toMatchObject(bad);
    const { subscriptionId } = of;
    const body = { kind: "expansion", subscriptionId, ...units, days } as const;
    await expect(of.api.call("quoteOrder", { body })).rejects.toMatchObject(bad);
  }
  await expect(expand(of, { days: 31 })).rejects.toMatchObject({
    code: "rule_violation",
    details: { code: "ELASTIC_EXCEEDS_TERM", daysMax: 29 },
  });
  for (const what of [{ vcpus: 0 }, { vcpus: -2 }, { vcpus: 5000 }, { gpus: 0.5 }]) {
    await expect(expand(of, what)).rejects.toMatchObject({ code: "invalid_request" });
  }
  expect(await purse(of)).toEqual(before);
  await canceled(of);
});

test("P-14: what passes quota or the host's room is refused with the figures; nothing is held", async () => {
  const of = await rented();
  const before = await purse(of);
  await expect(expand(of, { gpus: 8, vcpus: 0, expected: "4800.00" })).rejects.toMatchObject({
    code: "capacity",
  });
  await expect(
    expand(of, { vcpus: 0, memoryGiB: 1024, expected: "2048.00" }),
  ).rejects.toMatchObject({ code: expect.stringMatching(/capacity|quota_exceeded/) });
  await cloud.operator(of).call("updateQuota", { body: { vcpus: 9 } });
  await expect(expand(of, {})).rejects.toMatchObject({
    code: "quota_exceeded",
    details: { quota: [{ resource: "vcpus", used: 8, asked: 2, limit: 9 }] },
  });
  expect(await purse(of)).toEqual(before);
  await canceled(of);
});

test("P-15: another price than the one agreed to is a conflict that names both", async () => {
  const of = await rented();
  const before = await purse(of);
  await expect(expand(of, { expected: "39.99" })).rejects.toMatchObject({
    code: "conflict",
    status: 409,
    details: { price: "40.00", expected: "39.99" },
  });
  const params = { subscriptionId: of.subscriptionId };
  const cheap = { expectedAmount: "1.00" };
  await expect(of.api.call("renewSubscription", { params, body: cheap })).rejects.toMatchObject({
    details: { price: "15000.00" },
  });
  const larger = { flavor: "a100.2", ...cheap };
  await expect(of.api.call("upgradeSubscription", { params, body: larger })).rejects.toMatchObject({
    details: { price: "13000.00" },
  });
  const from = { expectedAmount: "15000.00", expectedFrom: "2026-01-01T00:00:00Z" };
  await expect(of.api.call("renewSubscription", { params, body: from })).rejects.toMatchObject({
    code: "conflict",
    details: { paidUntil: expect.stringMatching(/^2026-05-01/) },
  });
  expect(await purse(of)).toEqual(before);
  await canceled(of);
});

test("an expansion needs a subscription that is active; a lease by the hour is none", async () => {
  const of = await rented();
  await of.api.call("createLease", { body: { name: "hourly", flavor: "nano" } });
  const { items } = await of.api.call("listLeases");
  const hourly = items.find(({ name }) => name === "hourly");
  const asked = expand({ ...of, subscriptionId: hourly?.id ?? "" }, {});
  await expect(asked).rejects.toMatchObject({ code: "not_found" });
  // The machine of a subscription is changed by its orders only.
  const grown = of.api.call("resizeLease", {
    params: { leaseId: of.leaseId },
    body: { flavor: "a100.2" },
  });
  await expect(grown).rejects.toMatchObject({ code: expect.stringMatching(/wrong_state|rule/) });
  await of.api.call("stopLease", { params: { leaseId: of.leaseId } });
  await until(async () => {
    const lease = await of.api.call("getLease", { params: { leaseId: of.leaseId } });
    expect(lease.state).toBe("stopped");
  });
  await expect(expand(of, {})).rejects.toThrow("start it before");
  await canceled(of);
  await expect(expand(of, {})).rejects.toMatchObject({ code: "wrong_state" });
  const params = { subscriptionId: of.subscriptionId };
  const body = { expectedAmount: "15000.00" };
  await expect(of.api.call("renewSubscription", { params, body })).rejects.toMatchObject({
    code: "wrong_state",
  });
  const auto = of.api.call("updateSubscription", { params, body: { autoRenew: true } });
  await expect(auto).rejects.toMatchObject({ code: "wrong_state" });
  const end = { expectedRefund: "0.00" };
  await expect(of.api.call("cancelSubscription", { params, body: end })).rejects.toMatchObject({
    code: "wrong_state",
  });
});

test("what belongs to another tenant does not exist", async () => {
  const of = await rented();
  await expand(of, {});
  const { items } = await of.api.call("listExpansions");
  const expansionId = items[0]?.id ?? "";
  await until(async () => {
    const found = await of.api.call("getExpansion", { params: { expansionId } });
    expect(found.state).toBe("active");
  });
  const { api } = await cloud.customer("60000.00");
  const { subscriptionId } = of;
  const params = { subscriptionId };
  const paid = { expectedAmount: "15000.00" };
  const asks: readonly (() => Promise<unknown>)[] = [
    () => api.call("getSubscription", { params }),
    () => api.call("updateSubscription", { params, body: { autoRenew: true } }),
    () => api.call("renewSubscription", { params, body: paid }),
    () => api.call("upgradeSubscription", { params, body: { flavor: "a100.2", ...paid } }),
    () => api.call("quoteCancel", { params }),
    () => api.call("cancelSubscription", { params, body: { expectedRefund: "0.00" } }),
    () => expand({ ...of, api }, {}),
    () => api.call("getExpansion", { params: { expansionId } }),
    () => api.call("extendExpansion", { params: { expansionId }, body: { days: 1, ...paid } }),
    () => api.call("releaseExpansion", { params: { expansionId } }),
    () => api.call("quoteOrder", { body: { kind: "renewal", subscriptionId } }),
    () => api.call("quoteOrder", { body: { kind: "extension", expansionId, days: 1 } }),
    () =>
      api.call("quoteOrder", { body: { kind: "expansion", subscriptionId, vcpus: 1, days: 1 } }),
  ];
  for (const ask of asks) await expect(ask()).rejects.toMatchObject({ code: "not_found" });
  for (const list of ["listSubscriptions", "listExpansions", "listOrderItems"] as const) {
    expect((await api.call(list)).items).toEqual([]);
  }
  await of.api.call("releaseExpansion", { params: { expansionId } });
  const twice = of.api.call("releaseExpansion", { params: { expansionId } });
  await expect(twice).rejects.toMatchObject({ code: "wrong_state" });
  await until(async () => {
    const { revertedAt } = await of.api.call("getExpansion", { params: { expansionId } });
    expect(revertedAt).not.toBeNull();
  });
  await canceled(of);
});

test("an order whose machine never comes is given up: the money that was held is free again", async () => {
  const [first, second] = [await rented(), await rented()];
  // Both GPUs are sold: it waits, and can be canceled.
  const of = await ordered("20000.00");
  await cloud.look();
  const params = { subscriptionId: of.subscriptionId };
  expect(await of.api.call("getSubscription", { params })).toMatchObject({ state: "ordered" });
  await canceled(of);
  expect((await of.api.call("listOrderItems")).items).toEqual([]);
  await until(async () => {
    expect(await of.api.call("getBalance")).toMatchObject({ available: "20000.00" });
  });
  await canceled(first);
  await canceled(second);
});

test("R-VM-5: nobody pays for years ahead; a machine keeps its kind", async () => {
  const of = await rented();
  await cloud.topUp(of, "400000.00");
  const params = { subscriptionId: of.subscriptionId };
  const body = { term: "annual", expectedAmount: "150000.00" } as const;
  await of.api.call("renewSubscription", { params, body });
  // Thirty days and a year ahead; the next year would be paid 395 days before it begins.
  await of.api.call("renewSubscription", { params, body });
  await expect(of.api.call("renewSubscription", { params, body })).rejects.toThrow(
    "renew it later",
  );
  const other = of.api.call("quoteOrder", {
    body: { kind: "renewal", ...params, flavor: "nano" },
  });
  await expect(other).rejects.toMatchObject({ code: "rule_violation" });
  cloud.advance(day);
  const { total } = await of.api.call("quoteCancel", { params });
  // Terms that have not begun come back whole; of the month nothing.
  expect(total).toBe("300000.00");
});
