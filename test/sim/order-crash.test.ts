/**
 * An order's life with a process that dies at every statement, and after every commit: bought,
 * expanded, reverted, lapsed, renewed, released. Afterwards each thing was charged once, nothing is
 * held, the machine is what was paid for, and the books balance at each moment between.
 */
import { randomUUID } from "node:crypto";
import { expect, test, vi } from "vitest";
import { z } from "zod";

import type { AnswerOf } from "#client/types.ts";
import { sql } from "#db/sql.ts";
import { checkLedger } from "#flow/ledger/check.ts";
import { serviceLoop } from "#orders/service-loop.ts";

import { brittleDb, type Fuse } from "./brittle.ts";
import { orderCloud, type Customer } from "./order-cloud.ts";

const hour = 3_600_000;
const day = 24 * hour;
/** More than any step has. */
const crashesMax = 400;
const quit = new AbortController();

const fuses: Fuse[] = [];
let brittle: ReturnType<typeof brittleDb>["db"] | undefined;
const cloud = await orderCloud("2026-03-10T09:00:00", {
  wrap: (whole) => {
    const { db: breaking, fuse } = brittleDb(whole);
    fuses.push(fuse);
    brittle = breaking;
    return breaking;
  },
});
const { db, provider } = cloud;
const [fuse] = fuses;
if (fuse === undefined || brittle === undefined) throw new Error("nothing is brittle");
const services = serviceLoop({ db: brittle, now: cloud.now });

type Death = "statement" | "commit";

/** Again and again, dying one statement or commit later each time, until it is done. */
async function throughCrashes<T>(
  death: Death,
  of: Customer,
  attempt: () => Promise<T>,
): Promise<{ readonly value: T; readonly crashes: number }> {
  if (fuse === undefined) throw new Error("nothing is brittle");
  for (let at = 1; at <= crashesMax; at += 1) {
    fuse.arm(death === "statement" ? { statement: at } : { commit: at });
    const value = await attempt().catch(() => undefined);
    const died = fuse.blown();
    fuse.disarm();
    expect(await checkLedger(db)).toEqual([]);
    await nothingIsLost(of);
    if (!died) {
      if (value === undefined) throw new Error("refused, though nothing died");
      return { value, crashes: at - 1 };
    }
  }
  throw new Error(`not done after ${crashesMax} crashes`);
}

/** As a client does: the same key until there is an answer. */
async function order(
  death: Death,
  of: Customer,
  ask: { readonly path: string; readonly body?: unknown },
): Promise<Record<string, unknown>> {
  const key = randomUUID();
  const { value } = await throughCrashes(death, of, async () => {
    const answer = await fetch(`${cloud.url}${ask.path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${of.secret}`,
        "idempotency-key": key,
        "content-type": "application/json",
      },
      body: JSON.stringify(ask.body ?? {}),
    });
    const body = z.record(z.string(), z.unknown()).parse(await answer.json());
    if (answer.status >= 300) throw new Error(JSON.stringify(body));
    return body;
  });
  return value;
}

async function look(death: Death, of: Customer): Promise<number> {
  const { crashes } = await throughCrashes(death, of, async () => {
    await cloud.look();
    return true;
  });
  return crashes;
}

const accountRow = z.object({ kind: z.string(), fen: z.coerce.number() });

async function balances(of: Customer): Promise<Readonly<Record<string, number>>> {
  const rows = await db.rows(
    sql`select kind, sum(balance)::text as fen from account
      where tenant_id = ${of.tenantId} group by kind`,
    accountRow,
  );
  return Object.fromEntries(rows.map(({ kind, fen }) => [kind, fen / 100]));
}

const toppedUp = 60_000;

/** What is held for orders, and turned over; a lease holds some yuan for its first hour besides. */
async function stands(of: Customer, held: number, revenue: number): Promise<void> {
  const found = await balances(of);
  expect(found["revenue"] ?? 0).toBe(revenue);
  expect(Math.floor((found["held"] ?? 0) / 10) * 10).toBe(Math.floor(held / 10) * 10);
}

/** What he paid in is in his purse, held, or turned over. */
async function nothingIsLost(of: Customer): Promise<void> {
  const { wallet = 0, held = 0, revenue = 0, principal = 0 } = await balances(of);
  expect(wallet + held + revenue + principal).toBeCloseTo(toppedUp, 6);
}

async function charged(of: Customer): Promise<string[]> {
  const { items } = await of.api.call("listOrderItems");
  return items.map(({ kind, amount }) => `${kind} ${amount}`).toReversed();
}

function soon<T>(check: () => Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 15_000, interval: 20 });
}

function leaseIs(of: Customer, leaseId: string, state: string): Promise<void> {
  return soon(async () => {
    const found = await of.api.call("getLease", { params: { leaseId } });
    expect(found.state).toBe(state);
    // Running, and seen to be ready, is what the term begins with.
    if (state === "running" && found.readyAt === null) throw new Error("not ready yet");
  });
}

/** The platform has done what was asked of it. */
async function settled(of: Customer): Promise<void> {
  await soon(async () => {
    const rows = await db.rows(
      sql`select id from operation where tenant_id = ${of.tenantId} and state = 'running'`,
      z.object({ id: z.string() }),
    );
    expect(rows).toEqual([]);
  });
}

function gpusOf(leaseId: string): number | undefined {
  return provider.platform.machines().find(({ spec }) => spec.owner.resourceId === leaseId)?.spec
    .gpus.length;
}

const ordered = z.object({ subscription: z.object({ id: z.string(), leaseId: z.string() }) });
const expanded = z.object({ expansion: z.object({ id: z.string() }) });

function show(of: Customer, subscriptionId: string): Promise<AnswerOf<"getSubscription">> {
  return of.api.call("getSubscription", { params: { subscriptionId } });
}

test.for(["statement", "commit"] as const)(
  "R-VM-2, R-VM-10, R-ELA-2: a process that dies at every %s charges once and loses nothing",
  { timeout: 120_000 },
  async (death) => {
    const of = await cloud.customer(`${toppedUp}.00`);
    const body = {
      name: `crash-${death}`,
      flavor: "a100.1",
      term: "monthly",
      expectedAmount: "15000.00",
    };
    const { subscription } = ordered.parse(
      await order(death, of, { path: "/v1/subscriptions", body }),
    );
    const { id, leaseId } = subscription;
    await leaseIs(of, leaseId, "running");
    await stands(of, 15_000, 0);
    expect(await look(death, of)).toBeGreaterThan(0);
    await stands(of, 0, 15_000);

    const units = { gpus: 1, vcpus: 16, memoryGiB: 64, days: 3, expectedAmount: "3144.00" };
    const { expansion } = expanded.parse(
      await order(death, of, { path: `/v1/subscriptions/${id}/expansions`, body: units }),
    );
    await settled(of);
    await stands(of, 3_144, 15_000);
    await look(death, of);
    await stands(of, 0, 18_144);
    expect(gpusOf(leaseId)).toBe(2);
    cloud.advance(3 * day + hour);
    await look(death, of);
    await settled(of);
    await look(death, of);
    const over = await of.api.call("getExpansion", { params: { expansionId: expansion.id } });
    expect(over).toMatchObject({ state: "ended", revertedAt: expect.any(String) });
    expect(gpusOf(leaseId)).toBe(1);

    const { paidUntil } = await show(of, id);
    cloud.advance(Date.parse(paidUntil ?? "") - cloud.now() + 1000);
    await look(death, of);
    expect(await show(of, id)).toMatchObject({ state: "lapsed" });
    await leaseIs(of, leaseId, "stopped");
    const renewal = { expectedAmount: "15000.00", expectedFrom: paidUntil };
    await order(death, of, { path: `/v1/subscriptions/${id}/renew`, body: renewal });
    await look(death, of);
    await leaseIs(of, leaseId, "running");
    await stands(of, 0, 33_144);

    const { paidUntil: end } = await show(of, id);
    cloud.advance(Date.parse(end ?? "") - cloud.now() + 1000);
    await look(death, of);
    await leaseIs(of, leaseId, "stopped");
    cloud.advance(7 * day + hour);
    await look(death, of);
    expect(await show(of, id)).toMatchObject({ state: "ended", reason: { code: "lapsed" } });
    await leaseIs(of, leaseId, "released");
    expect(gpusOf(leaseId)).toBeUndefined();
    expect(await charged(of)).toEqual([
      "subscription 15000.00",
      "expansion 3144.00",
      "renewal 15000.00",
    ]);
    expect(await balances(of)).toMatchObject({ wallet: toppedUp - 33_144, held: 0 });
  },
);

test.for(["statement", "commit"] as const)(
  "R-PKG-7, R-VAS-2: packages and services, dying at every %s",
  { timeout: 60_000 },
  async (death) => {
    const of = await cloud.customer(`${toppedUp}.00`);
    const bought = z.object({ id: z.string() }).parse(
      await order(death, of, {
        path: "/v1/packages",
        body: { code: "P1000", expectedAmount: "1000.00" },
      }),
    );
    await order(death, of, { path: `/v1/packages/${bought.id}/refund` });
    const body = { kind: "support_24x7", expectedAmount: "3000.00" };
    await order(death, of, { path: "/v1/services", body });
    cloud.advance(70 * day);
    await throughCrashes(death, of, async () => {
      await services.pass(quit.signal);
      return true;
    });
    expect(await charged(of)).toEqual([
      "package 1000.00",
      "package -1000.00",
      "service 3000.00",
      "service 3000.00",
      "service 3000.00",
    ]);
    expect(await balances(of)).toMatchObject({ wallet: toppedUp - 9_000, revenue: 9_000 });
  },
);

test("R-VM-10, R-ELA-2: two processes that see to the same do it once", async () => {
  const of = await cloud.customer(`${toppedUp}.00`);
  const both = async (): Promise<void> => {
    await Promise.all([cloud.look(), cloud.look()]);
  };
  const body = {
    name: "two",
    flavor: "a100.1",
    term: "monthly",
    autoRenew: true,
    expectedAmount: "15000.00",
  } as const;
  const { subscription } = await of.api.call("orderSubscription", { body });
  const { id: subscriptionId, leaseId } = subscription;
  await leaseIs(of, leaseId, "running");
  await both();
  const units = { vcpus: 2, days: 1, expectedAmount: "40.00" };
  const params = { subscriptionId };
  await of.api.call("orderExpansion", { params, body: units });
  await settled(of);
  await both();
  cloud.advance(25 * hour);
  await both();
  const { paidUntil } = await show(of, subscriptionId);
  cloud.advance(Date.parse(paidUntil ?? "") - cloud.now() + 1000);
  await both();
  await both();
  expect(await charged(of)).toEqual([
    "subscription 15000.00",
    "expansion 40.00",
    "renewal 15000.00",
  ]);
  await nothingIsLost(of);
});

async function outcomes(ask: () => Promise<unknown>): Promise<string[]> {
  const both = await Promise.allSettled([ask(), ask()]);
  return both.map(({ status }) => status).toSorted();
}

test("P-07: money for one package buys one, however many ask at once", async () => {
  const of = await cloud.customer("1999.99");
  const body = { code: "P1000", expectedAmount: "1000.00" };
  const asks = Array.from({ length: 5 }, () => of.api.call("buyPackage", { body }));
  const settledAll = await Promise.allSettled(asks);
  const refused = settledAll.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
  expect(refused).toHaveLength(4);
  for (const reason of refused) expect(reason).toMatchObject({ code: "insufficient_credit" });
  expect(await charged(of)).toEqual(["package 1000.00"]);
  expect(await checkLedger(db)).toEqual([]);
});

test("two clerks at once: one renewal, one expansion, one end", async () => {
  const of = await cloud.customer(`${toppedUp}.00`);
  const body = {
    name: "clerks",
    flavor: "a100.1",
    term: "monthly",
    expectedAmount: "15000.00",
  } as const;
  const { subscription } = await of.api.call("orderSubscription", { body });
  const params = { subscriptionId: subscription.id };
  await cloud.until(async () => {
    expect((await show(of, subscription.id)).state).toBe("active");
  });
  const one = ["fulfilled", "rejected"];
  const { paidUntil } = await show(of, subscription.id);
  const renewal = { expectedAmount: "15000.00", expectedFrom: paidUntil ?? "" };
  expect(await outcomes(() => of.api.call("renewSubscription", { params, body: renewal }))).toEqual(
    one,
  );
  const units = { vcpus: 2, days: 1, expectedAmount: "40.00" };
  expect(await outcomes(() => of.api.call("orderExpansion", { params, body: units }))).toEqual(one);
  await cloud.until(async () => {
    const { items } = await of.api.call("listExpansions");
    expect(items.map(({ state }) => state)).toEqual(["active"]);
  });
  const { total } = await of.api.call("quoteCancel", { params });
  expect(total).toBe("15000.00");
  const end = { expectedRefund: total };
  expect(await outcomes(() => of.api.call("cancelSubscription", { params, body: end }))).toEqual(
    one,
  );
  expect(await charged(of)).toEqual([
    "subscription 15000.00",
    "renewal 15000.00",
    "expansion 40.00",
    "renewal -15000.00",
  ]);
  await nothingIsLost(of);
});
