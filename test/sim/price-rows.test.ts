/**
 * The price list as a customer meets it: usage is metered, becomes events, is rated, and stands on
 * the statement that the API shows.
 */
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";

import { statementHandlers } from "#api/routes/billing/statements.ts";
import { quoteHandler } from "#api/routes/leases/quote.ts";
import { quoteHandlers } from "#api/routes/orders/quote.ts";
import { addPresetFlavors } from "#catalog/flavors.ts";
import { createPriceProfile, loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import { defaultProfileJson } from "#catalog/profile.ts";
import { createClient, type Client } from "#client/client.ts";
import { overrideTier } from "#customers/tier-store.ts";
import { sql } from "#db/sql.ts";
import { cutDue } from "#flow/meter/cut-loop.ts";
import { rateTenant } from "#flow/rate/loop.ts";
import { createTenant } from "#identity/tenants.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";
import { testApi } from "#test/api-server.ts";

const api = await testApi({
  handlers: { ...statementHandlers, ...quoteHandlers, quote: quoteHandler },
});
const { db, clock } = api;
await db.transaction(async (tx) => {
  await seedPriceProfile(tx);
  await addPresetFlavors(tx);
});
const hour = 3_600_000;
const gib = 2n ** 30n;

/** An instant by the billing zone's clock. */
function at(day: string, hours = 0): number {
  return dayStart(billingZone, localDay(day)) + hours * hour;
}

interface Customer {
  readonly tenantId: string;
  readonly api: Client;
}

let names = 0;
async function customer(): Promise<Customer> {
  names += 1;
  const ask = { name: `customer-${names}`, now: clock.now };
  const { tenant, administrator } = await db.transaction((tx) => createTenant(tx, ask));
  const options = { baseUrl: api.url, credential: administrator.secret };
  return { tenantId: tenant.id, api: createClient(options) };
}

/** Held on a day, from its midnight on. */
async function held(
  { tenantId }: Customer,
  use: {
    readonly sku: string;
    readonly units: bigint;
    readonly hours: number;
    readonly day: string;
  },
): Promise<void> {
  const id = newId();
  await db.execute(sql`
    insert into usage_interval (tenant_id, id, instance_id, request_id, project_id, sku, units,
      slice, started_at, ended_at, plan, source_seq)
    values (${tenantId}, ${id}, ${id}, ${id}, ${id}, ${use.sku}, ${use.units}, 1,
      ${new Date(at(use.day))}, ${new Date(at(use.day, use.hours))}, 'on_demand', 1)`);
}

const timeZoneOf = () => Promise.resolve(billingZone);

/** "sku amount" of a month's lines, as the statement shows them. */
async function billed(of: Customer, month: string): Promise<string[]> {
  clock.now = at(`${month}-28`);
  while (await cutDue(db, clock.now));
  const now = (): number => clock.now;
  await rateTenant({ db, now, timeZoneOf }, of.tenantId, await loadPriceBook(db));
  const { lines } = await of.api.call("getStatement", { query: { month } });
  return lines.map(({ sku, amount }) => `${sku} ${amount}`);
}

async function billedFor(sku: string, count: number, units = 1n): Promise<string[]> {
  const of = await customer();
  await held(of, { sku, units, hours: count, day: "2026-05-04" });
  return billed(of, "2026-05");
}

test("P-01: an hour of T4 is 5.00 on the statement", async () => {
  expect(await billedFor("gpu.T4", 1)).toEqual(["gpu.T4 5.00"]);
});

test("P-02: an hour of A10 is 15.00 on the statement", async () => {
  expect(await billedFor("gpu.A10", 1)).toEqual(["gpu.A10 15.00"]);
});

test("P-03: an hour of A100 is 50.00 on the statement", async () => {
  expect(await billedFor("gpu.A100", 1)).toEqual(["gpu.A100 50.00"]);
});

test("P-04: a core-hour is 0.50; seven cores for three hours are 10.50", async () => {
  expect(await billedFor("cpu.core", 1)).toEqual(["cpu.core 0.50"]);
  expect(await billedFor("cpu.core", 3, 7n)).toEqual(["cpu.core 10.50"]);
});

test("P-05: a GiB of memory is 0.10 an hour; 128 GiB for three hours are 38.40", async () => {
  expect(await billedFor("mem.gib", 1)).toEqual(["mem.gib 0.10"]);
  expect(await billedFor("mem.gib", 3, 128n)).toEqual(["mem.gib 38.40"]);
});

test("P-06: the more hours of a GPU in a month, the less the next one costs", async () => {
  const of = await customer();
  // 240 GPU-hours on the first day: 100 at 5.00, 140 at 4.75; another 240 on the next at 4.75.
  await held(of, { sku: "gpu.T4", units: 10n, hours: 24, day: "2026-05-04" });
  await held(of, { sku: "gpu.T4", units: 10n, hours: 24, day: "2026-05-05" });
  // 20 hours up to 500, then 220 at 4.50.
  await held(of, { sku: "gpu.T4", units: 10n, hours: 24, day: "2026-05-06" });
  expect(await billed(of, "2026-05")).toEqual([
    "gpu.T4 1165.00",
    "gpu.T4 1140.00",
    "gpu.T4 1085.00",
  ]);
});

test("P-21: the same hour costs by its model of GPU, each with bands of its own", async () => {
  const of = await customer();
  for (const sku of ["gpu.T4", "gpu.A10", "gpu.A100"]) {
    await held(of, { sku, units: 4n, hours: 24, day: "2026-05-04" });
  }
  expect(await billed(of, "2026-05")).toEqual([
    "gpu.A10 1440.00",
    "gpu.A100 4800.00",
    "gpu.T4 480.00",
  ]);
});

test("P-16, R-STO-2, R-STO-3: storage is 0.05 a GiB and day, half for gold, free up to 10 TiB for diamonds", async () => {
  const amounts: string[][] = [];
  for (const tier of [undefined, "gold", "diamond"] as const) {
    const of = await customer();
    if (tier !== undefined) {
      const why = { tier, reason: "contract", approvedBy: "Li", createdBy: "test" };
      const span = { untilAt: at("2027-01-01"), now: at("2026-05-01") };
      await db.tenant(of.tenantId, (tx) =>
        overrideTier(tx, { tenantId: of.tenantId, ...why, ...span }),
      );
    }
    await held(of, { sku: "storage", units: 12_288n * gib, hours: 24, day: "2026-05-04" });
    amounts.push(await billed(of, "2026-05"));
  }
  expect(amounts).toEqual([["storage 614.40"], ["storage 307.20"], ["storage 102.40"]]);
});

test("P-20, R-BASE-1: a base fee and the usage: one line a month, where the profile has one", async () => {
  const json = { ...defaultProfileJson, platform_base_fee_monthly: "199.00" };
  const draft = await createPriceProfile(db, { name: "With a base fee", profile: json });
  await db.execute(sql`
    update price_profile set active_from = '2026-06-01' where id = ${draft.id}`);
  const of = await customer();
  const feeOn = async (day: string): Promise<string | null> => {
    clock.now = at(day, 9);
    return (await of.api.call("quote", { body: { flavor: "small" } })).baseFeeMonthly;
  };
  expect([await feeOn("2026-05-31"), await feeOn("2026-06-01")]).toEqual([null, "199.00"]);
  await held(of, { sku: "gpu.T4", units: 1n, hours: 2, day: "2026-05-30" });
  await held(of, { sku: "gpu.T4", units: 1n, hours: 1, day: "2026-06-10" });
  await held(of, { sku: "gpu.T4", units: 1n, hours: 2, day: "2026-06-11" });
  expect(await billed(of, "2026-06")).toEqual([
    "platform.base 199.00",
    "gpu.T4 5.00",
    "gpu.T4 10.00",
  ]);
  // Rated again it is the same; in the month before there was none.
  expect(await billed(of, "2026-06")).toHaveLength(3);
  const { lines } = await of.api.call("getStatement", { query: { month: "2026-05" } });
  expect(lines.map(({ sku, amount }) => [sku, amount])).toEqual([["gpu.T4", "10.00"]]);
});

test("P-11, R-VM-1: a year is 12 months for the price of 10, and nothing says 70 %", async () => {
  clock.now = at("2026-05-04", 9);
  const of = await customer();
  const quote = await of.api.call("quoteOrder", {
    body: { kind: "subscription", flavor: "a100.2", term: "annual" },
  });
  expect(quote).toMatchObject({
    amount: "280000.00",
    remarks: [{ en: "12 months for the price of 10.", "zh-CN": "付 10 个月,享 12 个月。" }],
  });
  expect(JSON.stringify(quote)).not.toMatch(/70 ?%|7 ?折|七折/);
});

test("P-22, R-VM-3: by the month and year; by the quarter where the profile says so, at three months", async () => {
  const of = await customer();
  const quote = (term: "monthly" | "quarterly" | "annual") =>
    of.api.call("quoteOrder", { body: { kind: "subscription", flavor: "a100.1", term } });
  clock.now = at("2026-05-04", 9);
  await expect(quote("quarterly")).rejects.toMatchObject({
    code: "rule_violation",
    details: { terms: ["monthly", "annual"] },
  });
  const json = { ...defaultProfileJson, quarterly_enabled: true };
  const draft = await createPriceProfile(db, { name: "Quarters", profile: json });
  await db.execute(sql`
    update price_profile set active_from = '2026-09-01' where id = ${draft.id}`);
  clock.now = at("2026-09-01", 9);
  expect(await quote("quarterly")).toMatchObject({
    amount: "45000.00",
    rates: { monthly: "15000.00", term: "45000.00" },
    description: { "zh-CN": "a100.1:vm.a100x1,包季" },
  });
});
