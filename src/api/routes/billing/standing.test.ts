/** Every step of the ladder as a customer sees it, and that a top-up undoes it. */
import { beforeEach, expect, test } from "vitest";
import { v7 as newId } from "uuid";
import { z } from "zod";

import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import { sql } from "#db/sql.ts";
import { lookAt } from "#dunning/loop.ts";
import { rulesAt } from "#dunning/means.ts";
import { requireMeans } from "#dunning/require.ts";
import { chargeOrder } from "#flow/ledger/purchases.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { createTenant } from "#identity/tenants.ts";
import { parseFen, subtractFen } from "#kernel/money.ts";
import { testApi } from "#test/api-server.ts";
import { lease, rent } from "#test/sim/cloud.ts";

import { createTopUp } from "./money.ts";
import { getStanding } from "./standing.ts";

const api = await testApi({ handlers: { getStanding, createTopUp } });
const { db, clock, operator } = api;
await db.transaction(seedPriceProfile);
const rules = rulesAt(await loadPriceBook(db), clock.now);
const hour = 3_600_000;

const standing = z.looseObject({
  stage: z.string(),
  next: z.looseObject({ stage: z.string(), at: z.string() }).nullable(),
  toLeave: z.string(),
  toBeWell: z.string(),
  text: z.string(),
});
const row = z.object({ wanted: z.string() });

let tenantId = "";
let leaseId = "";
let names = 0;

/** A customer who paid 1000.00 and has a machine of one yuan an hour. */
beforeEach(async () => {
  names += 1;
  const ask = { name: `customer-${names}`, now: clock.now };
  const opened = await db.transaction((tx) => createTenant(tx, ask));
  tenantId = opened.tenant.id;
  await db.tenant(tenantId, (tx) =>
    recordTopUp(tx, tenantId, { reference: "r", amount: parseFen("1000.00"), at: clock.now }),
  );
  const { id: projectId } = await db.one(
    sql`select id from project where tenant_id = ${tenantId} limit 1`,
    z.object({ id: z.string() }),
  );
  leaseId = await rent(db, lease({ tenantId, projectId }));
  await db.execute(sql`update request set price = '{"hourly": "1.00"}' where id = ${leaseId}`);
});

async function see(language = "en") {
  const answer = await api.ask("GET", `/v1/standing?language=${language}`, {
    secret: operator.secret,
    headers: { "millrace-tenant": tenantId },
  });
  expect(answer.status).toBe(200);
  return standing.parse(answer.body);
}

/** Spends, so that so much is left of the 1000.00. */
async function spendTo(left: string): Promise<void> {
  const amount = subtractFen(parseFen("1000.00"), parseFen(left));
  const order = { orderItemId: newId(), sku: "x", description: "spent", at: clock.now };
  await db.tenant(tenantId, (tx) => chargeOrder(tx, tenantId, { ...order, amount }));
}

async function look(laterMs = 0): Promise<void> {
  clock.now += laterMs;
  await lookAt(db, { tenantId, rules, now: clock.now });
}

async function topUp(amount: string): Promise<void> {
  const answer = await api.ask("POST", "/v1/top-ups", {
    secret: operator.secret,
    headers: { "millrace-tenant": tenantId },
    body: { amount, reference: newId() },
  });
  expect(answer.status).toBe(201);
}

function wanted(): Promise<{ wanted: string }> {
  return db.one(sql`select wanted from request where id = ${leaseId}`, row);
}

const mayStart = (): Promise<void> => requireMeans(db, { tenantId, kind: "lease" });

test.each([
  { stage: "forecast", left: "60.00", next: "warning", toLeave: "12.00" },
  { stage: "warning", left: "20.00", next: "no_new_work", toLeave: "4.00" },
  { stage: "no_new_work", left: "0.40", next: "grace", toLeave: "0.60" },
  { stage: "grace", left: "0.00", next: "stopped", toLeave: "0.01" },
])("$stage is shown with what comes next, and a top-up leads out of it", async (rung) => {
  const { stage, left, next, toLeave } = rung;
  await spendTo(left);
  await look();
  const seen = await see();
  expect(seen).toMatchObject({ stage, next: { stage: next }, toLeave });
  expect(seen.text).toContain(toLeave);
  expect((await see("zh-CN")).text).toMatch(/支付 .* 元可脱离此状态/);
  await topUp(seen.toLeave);
  await look(1000);
  expect((await see()).stage).not.toBe(stage);
  await topUp("72.00");
  await look(1000);
  expect(await see()).toMatchObject({ stage: "ok", toLeave: "0.00" });
  await mayStart();
  expect(await wanted()).toEqual({ wanted: "running" });
});

test("nothing new starts on the third rung and below, until money comes in", async () => {
  await mayStart();
  await spendTo("0.40");
  await look();
  await expect(mayStart()).rejects.toMatchObject({ code: "insufficient_credit" });
  await topUp("0.60");
  await look(1000);
  await mayStart();
});

test("what the ladder stopped runs again after a top-up, and the standing says for how much", async () => {
  await spendTo("0.00");
  await look();
  expect(await see()).toMatchObject({ stage: "grace", next: { stage: "stopped" } });
  await look(24 * hour);
  expect(await wanted()).toEqual({ wanted: "stopped" });
  const seen = await see();
  const releaseAt = new Date(clock.now + rules.keep_days * 24 * hour).toISOString();
  expect(seen).toMatchObject({
    stage: "stopped",
    next: { stage: "released", at: releaseAt },
    toLeave: "0.01",
    toBeWell: "72.00",
  });
  await topUp(seen.toBeWell);
  await look(1000);
  expect(await wanted()).toEqual({ wanted: "running" });
  await look(1000);
  expect(await see()).toMatchObject({ stage: "ok" });
});

test("after the release a top-up brings back what is left to bring back: new work may start", async () => {
  await spendTo("0.00");
  await look();
  await look(24 * hour);
  await look(rules.keep_days * 24 * hour);
  expect(await wanted()).toEqual({ wanted: "released" });
  expect(await see()).toMatchObject({ stage: "released", next: null });
  await expect(mayStart()).rejects.toMatchObject({ code: "insufficient_credit" });
  await topUp("10.00");
  await look(1000);
  expect(await see()).toMatchObject({ stage: "ok" });
  await mayStart();
  expect(await wanted()).toEqual({ wanted: "released" });
});

test("who owes and runs nothing is told so, and what to pay before anything starts again", async () => {
  await db.execute(sql`update request set ended_at = now() where id = ${leaseId}`);
  await spendTo("0.00");
  await look();
  expect(await see()).toMatchObject({ toLeave: "0.01", next: { stage: "stopped" } });
  await db.execute(sql`delete from dunning_state where tenant_id = ${tenantId}`);
  const seen = await see();
  expect(seen).toMatchObject({ stage: "ok", next: null, toLeave: "0.01" });
  expect(seen.text).toMatch(/^Nothing is left on the balance/);
});

test("who was never looked at stands well, and says so", async () => {
  expect(await see()).toMatchObject({ stage: "ok", since: null, left: "1000.00" });
});
