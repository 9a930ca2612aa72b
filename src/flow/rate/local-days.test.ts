/** Days of 23 and 25 hours, prices that change at a local midnight, and usage that nobody can price. */
import fc from "fast-check";
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";

import {
  activatePriceProfile,
  createPriceProfile,
  loadPriceBook,
  seedPriceProfile,
} from "#catalog/price-profiles.ts";
import { defaultProfile, defaultProfileJson } from "#catalog/profile.ts";
import { skuPrice } from "#catalog/sku.ts";
import { sql } from "#db/sql.ts";
import { credit } from "#flow/ledger/accounts.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { cutDue } from "#flow/meter/cut-loop.ts";
import { addDays, dayStart, localDay, monthOf, type LocalDay } from "#kernel/calendar.ts";
import { interval, wholeSeconds } from "#kernel/interval.ts";
import { parseFen } from "#kernel/money.ts";
import { add, rational, sum, zero, type Rational } from "#kernel/rational.ts";
import { roundToFen } from "#kernel/rounding.ts";
import { billingZone, timeZone, type TimeZone } from "#kernel/zone.ts";
import { alerts } from "#notices/store.ts";
import { testDatabase } from "#test/database.ts";

import { costOfStep } from "./bands.ts";
import { chargeLines } from "./charge-lines.ts";
import { rateMonth, totalOf } from "./decide.ts";
import { rateTenant } from "./loop.ts";
import { quantitiesByDay } from "./usage.ts";

const { db } = await testDatabase();
await db.transaction(seedPriceProfile);
const hour = 3_600_000;
const newYork = timeZone("America/New_York");

function at(zone: TimeZone, day: string, hours = 0): number {
  return dayStart(zone, localDay(day)) + hours * hour;
}

async function newTenant(zone: TimeZone): Promise<string> {
  const id = newId();
  await db.execute(sql`
    insert into tenant (id, kind, name, display_name, time_zone, created_at)
    values (${id}, 'customer', ${id}, ${id}, ${zone}, now())`);
  await db.tenant(id, (tx) =>
    recordTopUp(tx, id, { reference: "first", amount: parseFen("10000.00"), at: 0 }),
  );
  return id;
}

async function use(
  tenant: string,
  { sku = "gpu.T4", from, until }: { sku?: string; from: number; until: number },
): Promise<void> {
  const id = newId();
  await db.execute(sql`
    insert into usage_interval (tenant_id, id, instance_id, request_id, project_id, sku, units,
      started_at, ended_at, source_seq)
    values (${tenant}, ${id}, ${id}, ${id}, ${id}, ${sku}, 1, ${new Date(from)},
      ${new Date(until)}, 1)`);
}

async function rate(tenant: string, zone: TimeZone, now: number): Promise<readonly unknown[]> {
  while (await cutDue(db, now));
  const context = { db, now: () => now, timeZoneOf: async () => zone };
  return rateTenant(context, tenant, await loadPriceBook(db));
}

async function book(tenant: string): Promise<string[]> {
  const [from, through] = [localDay("2026-01-01"), localDay("2027-12-31")];
  const lines = await chargeLines(db, tenant, { kind: "days", from, through });
  return lines.map(({ serviceDay, sku, amount, postedAt }) => {
    return `${serviceDay.slice(5)} ${sku} ${amount} ${postedAt === undefined ? "open" : "posted"}`;
  });
}

test("R-DAY-2, MT-02: days of 23 and 25 hours cost their real seconds, and are posted 48 h after their end", async () => {
  const spring = await newTenant(newYork);
  await use(spring, { from: at(newYork, "2026-03-07"), until: at(newYork, "2026-03-10") });
  await rate(spring, newYork, at(newYork, "2026-03-11") - 1);
  expect(await book(spring)).toEqual([
    "03-07 gpu.T4 12000 posted",
    "03-08 gpu.T4 11500 open",
    "03-09 gpu.T4 12000 open",
  ]);
  await rate(spring, newYork, at(newYork, "2026-03-12"));
  const autumn = await newTenant(newYork);
  await use(autumn, { from: at(newYork, "2026-10-31"), until: at(newYork, "2026-11-02") });
  await rate(autumn, newYork, at(newYork, "2026-11-04") - 1);
  // The night has 25 hours, and 48 hours after its end are 48 hours.
  expect(await book(autumn)).toEqual(["10-31 gpu.T4 12000 posted", "11-01 gpu.T4 12500 open"]);
  await rate(autumn, newYork, at(newYork, "2026-11-04"));
  expect(await book(autumn)).toEqual(["10-31 gpu.T4 12000 posted", "11-01 gpu.T4 12500 posted"]);
  // 23 h, 24 h and 24 h: 71 GPU-hours are in the first band, and the days sum to them.
  expect(await book(spring)).toEqual(
    ["03-07 gpu.T4 12000", "03-08 gpu.T4 11500", "03-09 gpu.T4 12000"].map(
      (line) => `${line} posted`,
    ),
  );
});

const zones = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo"];
const aroundDst = fc.record({
  zone: fc.constantFrom(...zones).map((name) => timeZone(name)),
  sku: fc.constantFrom("gpu.T4", "gpu.A100", "cpu.core", "mem.gib"),
  from: fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 11, 1) }),
  lengthMs: fc.integer({ min: 0, max: 70 * 24 * hour }),
  units: fc.bigInt({ min: 1n, max: 16n }),
});

test("R-DAY-2, R-RND-2: in any zone the days have all seconds of the usage, and sum to the month", () => {
  fc.assert(
    fc.property(aroundDst, ({ zone, sku, from, lengthMs, units }) => {
      const span = interval(from, from + lengthMs);
      const usage = { source: "m", id: "1", projectId: "p", billable: true, isJob: true };
      const found = quantitiesByDay(zone, [{ ...usage, sku, units, slice: 1n, span }]);
      const days = found.get(sku) ?? new Map<LocalDay, Rational>();
      expect(sum(days.values())).toEqual(rational(units * wholeSeconds(span)));
      for (const [day, quantity] of days) {
        const length = dayStart(zone, addDays(day, 1)) - dayStart(zone, day);
        expect(quantity.numerator <= units * BigInt(length / 1000)).toBe(true);
      }
      for (const month of new Set([...days.keys()].map(monthOf))) {
        const priceOf = () => skuPrice(defaultProfile, sku);
        const rated = rateMonth({ sku, month, days, priceOf });
        const price = priceOf();
        if (rated.kind !== "rated" || price.kind !== "priced") throw new Error("priced");
        const inMonth = [...days].filter(([day]) => monthOf(day) === month);
        const used = inMonth.map(([, quantity]) => quantity).reduce(add, zero);
        const whole = costOfStep(price, { before: zero, after: used });
        expect(totalOf(rated.lines)).toBe(roundToFen(whole));
      }
    }),
  );
});

test("R-PAYG-5: a price version begins at each tenant's own midnight, inside what runs", async () => {
  const now = at(billingZone, "2026-05-20");
  const hourly = { ...defaultProfileJson.payg_hourly, "gpu.T4": "6.00" };
  const profile = { ...defaultProfileJson, payg_hourly: hourly };
  await db.transaction(async (tx) => {
    const { id } = await createPriceProfile(tx, { name: "Dearer", profile });
    await activatePriceProfile(tx, { id, from: localDay("2026-05-25"), now });
  });
  for (const zone of [billingZone, newYork]) {
    // oxlint-disable-next-line no-await-in-loop -- two tenants
    const tenant = await newTenant(zone);
    const midnight = at(zone, "2026-05-25");
    // oxlint-disable-next-line no-await-in-loop -- two tenants
    await use(tenant, { from: midnight - hour, until: midnight + hour });
    // oxlint-disable-next-line no-await-in-loop -- two tenants
    await rate(tenant, zone, at(zone, "2026-05-28"));
    // oxlint-disable-next-line no-await-in-loop -- two tenants
    expect(await book(tenant)).toEqual(["05-24 gpu.T4 500 posted", "05-25 gpu.T4 600 posted"]);
  }
});

test.each(["gpu.H100", "fpga.U250"])(
  "usage of %s, which has no price or no unit, stops that tenant's rating and raises an alert; it is never 0",
  async (sku) => {
    const [stopped, other] = [await newTenant(billingZone), await newTenant(billingZone)];
    for (const tenant of [stopped, other]) {
      for (const day of ["2026-07-04", "2026-07-05", "2026-07-06"]) {
        const from = at(billingZone, day, 1);
        // oxlint-disable-next-line no-await-in-loop -- in order
        await use(tenant, { from, until: from + hour });
      }
    }
    while (await cutDue(db, at(billingZone, "2026-07-20")));
    // As a meter may have said it that knows more than this release.
    await db.execute(sql`
      with changed as (
        update usage_account set changes = changes + 1 where tenant_id = ${stopped})
      insert into usage_day (tenant_id, day, sku, slice, plan, work, unit_seconds)
      values (${stopped}, '2026-07-05', ${sku}, 1, 'on_demand', 'job', 3600)`);
    const refused = { kind: "refused", sku, day: "2026-07-05", reason: "no_price" };
    expect(await rate(stopped, billingZone, at(billingZone, "2026-07-20"))).toEqual([refused]);
    expect(await rate(other, billingZone, at(billingZone, "2026-07-20"))).toEqual([]);
    // The days before are posted; its own and later ones wait, and it has no line at all.
    expect(await book(stopped)).toEqual([
      "07-04 gpu.T4 600 posted",
      "07-05 gpu.T4 600 open",
      "07-06 gpu.T4 600 open",
    ]);
    expect((await book(other)).every((line) => line.endsWith("posted"))).toBe(true);
    expect(await credit(db, stopped)).toMatchObject({ balance: 999_400n, provisional: 1200n });
    const raised = async () => {
      const open = await alerts(db, { open: true, after: undefined, limit: 50 });
      return open.filter((each) => each.tenantId === stopped);
    };
    expect(await raised()).toMatchObject([
      { kind: "unpriced_usage", severity: "critical", data: { sku, day: "2026-07-05" } },
    ]);
    // Month after month: it waits, whatever the date.
    await rate(stopped, billingZone, at(billingZone, "2026-09-20"));
    expect((await book(stopped)).filter((line) => line.endsWith("posted"))).toHaveLength(1);
    expect(await raised()).toHaveLength(1);
  },
);

test("with a price for it, a tenant's rating goes on, and the alert is resolved", async () => {
  const tenant = await newTenant(billingZone);
  const from = at(billingZone, "2026-07-05", 1);
  await use(tenant, { sku: "gpu.H100", from, until: from + hour });
  await rate(tenant, billingZone, at(billingZone, "2026-07-20"));
  await db.execute(sql`
    insert into contract_price (tenant_id, sku, from_day, price, reason, created_at)
    values (${tenant}, 'gpu.H100', '2026-07-01', '80', 'agreed', now())`);
  expect(await rate(tenant, billingZone, at(billingZone, "2026-07-21"))).toEqual([]);
  expect(await book(tenant)).toEqual(["07-05 gpu.H100 8000 posted"]);
  const open = await alerts(db, { open: true, after: undefined, limit: 50 });
  expect(open.filter((each) => each.tenantId === tenant)).toEqual([]);
  expect(await credit(db, tenant)).toMatchObject({ balance: 992_000n });
});
