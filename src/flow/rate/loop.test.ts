/** The rater against a real PostgreSQL: provisional, posted, late, repeated, at once. */
import fc from "fast-check";
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import { z } from "zod";

import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import { defaultProfile } from "#catalog/profile.ts";
import { skuPrice } from "#catalog/sku.ts";
import { sql } from "#db/sql.ts";
import { credit } from "#flow/ledger/accounts.ts";
import { checkLedger } from "#flow/ledger/check.ts";
import { recordTopUp, listJournals } from "#flow/ledger/store.ts";
import { cutDue } from "#flow/meter/cut-loop.ts";
import { checkUsageDays } from "#flow/meter/usage-days.ts";
import { dayStart, localDay, monthOf, type LocalDay, type LocalMonth } from "#kernel/calendar.ts";
import { interval } from "#kernel/interval.ts";
import { parseFen } from "#kernel/money.ts";
import { billingZone, timeZone, type TimeZone } from "#kernel/zone.ts";
import { alerts } from "#notices/store.ts";
import { createObserver } from "#observe/observer.ts";
import { testDatabase } from "#test/database.ts";

import { rateMonth, totalOf } from "./decide.ts";
import { rateLoop, rateTenant } from "./loop.ts";
import { chargeLines } from "./charge-lines.ts";
import type { ChargeLine } from "./lines.ts";
import { tenantsToRate } from "./store.ts";
import { quantitiesByDay } from "./usage.ts";

const { db, observer } = await testDatabase();
await db.transaction(seedPriceProfile);
const prices = await loadPriceBook(db);

const hour = 3_600_000;
const dayMs = 24 * hour;

/** An instant by the billing zone's clock: at("05-04", 9) is 9:00 on 4 May 2026. */
function at(monthDay: string, hours = 0): number {
  return dayStart(billingZone, localDay(`2026-${monthDay}`)) + hours * hour;
}

async function newTenant(zone: TimeZone = billingZone): Promise<string> {
  const id = newId();
  await db.execute(sql`
    insert into tenant (id, kind, name, display_name, time_zone, created_at)
    values (${id}, 'customer', ${id}, ${id}, ${zone}, now())`);
  await db.tenant(id, (tx) =>
    recordTopUp(tx, id, { reference: "first", amount: parseFen("1000.00"), at: 0 }),
  );
  return id;
}

interface Use {
  readonly from: number;
  readonly until?: number;
  readonly sku?: string;
  readonly units?: bigint;
  readonly slice?: bigint;
  readonly plan?: "on_demand" | "subscription";
}

async function use(tenant: string, ask: Use): Promise<string> {
  const id = newId();
  const { from, until, sku = "gpu.T4", units = 1n, slice = 1n, plan = "on_demand" } = ask;
  await db.execute(sql`
    insert into usage_interval (tenant_id, id, instance_id, request_id, project_id, sku, units,
      slice, started_at, ended_at, plan, source_seq)
    values (${tenant}, ${id}, ${id}, ${id}, ${id}, ${sku}, ${units}, ${slice}, ${new Date(from)},
      ${until === undefined ? null : new Date(until)}, ${plan}, 1)`);
  return id;
}

async function rate(tenant: string, now: number): Promise<readonly unknown[]> {
  while (await cutDue(db, now));
  return rateTenant({ db, now: () => now, timeZoneOf: async () => billingZone }, tenant, prices);
}

function linesOf(tenant: string): Promise<ChargeLine[]> {
  const [from, through] = [localDay("2025-01-01"), localDay("2027-12-31")];
  return chargeLines(db, tenant, { kind: "days", from, through });
}

/** "05-04 gpu.T4 5.00 provisional", for reading. */
async function book(tenant: string): Promise<string[]> {
  return (await linesOf(tenant)).map(({ serviceDay, sku, revision, amount, postedAt }) => {
    const state = postedAt === undefined ? "provisional" : "posted";
    const late = revision === 0 ? "" : ` late ${revision}`;
    return `${serviceDay.slice(5)} ${sku} ${amount} ${state}${late}`;
  });
}

test("R-DAY-3: an open interval is charged provisionally up to now, pass after pass", async () => {
  const tenant = await newTenant();
  await use(tenant, { from: at("05-04", 9) });
  await rate(tenant, at("05-04", 10));
  expect(await book(tenant)).toEqual(["05-04 gpu.T4 500 provisional"]);
  expect(await credit(db, tenant)).toMatchObject({ balance: 100_000n, available: 99_500n });
  await rate(tenant, at("05-05", 1));
  expect(await book(tenant)).toEqual([
    "05-04 gpu.T4 7500 provisional",
    "05-05 gpu.T4 500 provisional",
  ]);
  expect(await credit(db, tenant)).toMatchObject({ provisional: 8000n, available: 92_000n });
});

test("R-DAY-3: a day is posted 48 h after its end, once, however often the pass runs", async () => {
  const tenant = await newTenant();
  await use(tenant, { from: at("05-04", 9), until: at("05-05", 1) });
  await use(tenant, { from: at("05-04", 9), until: at("05-05", 1), sku: "cpu.core", units: 4n });
  await rate(tenant, at("05-07") - 1000);
  expect(new Set((await linesOf(tenant)).map(({ postedAt }) => postedAt))).toEqual(
    new Set([undefined]),
  );
  await Promise.all(Array.from({ length: 4 }, () => rate(tenant, at("05-07"))));
  await rate(tenant, at("05-07", 1));
  expect(await book(tenant)).toEqual([
    "05-04 cpu.core 3000 posted",
    "05-04 gpu.T4 7500 posted",
    "05-05 cpu.core 200 provisional",
    "05-05 gpu.T4 500 provisional",
  ]);
  expect(await credit(db, tenant)).toMatchObject({ balance: 89_500n, provisional: 700n });
  const [posted] = await listJournals(db, tenant, { after: undefined, limit: 1 });
  expect(posted).toMatchObject({ key: "charge:2026-05-04", kind: "charge" });
  const change = db.execute(sql`update charge_line set amount = 0 where tenant_id = ${tenant}`);
  await expect(change).rejects.toThrow("append-only");
});

test("R-DAY-3: after a long silence the days are posted in order, one journal each", async () => {
  const tenant = await newTenant();
  await use(tenant, { from: at("03-30"), until: at("04-03") });
  await rate(tenant, at("08-01"));
  expect(await book(tenant)).toEqual([
    "03-30 gpu.T4 12000 posted",
    "03-31 gpu.T4 12000 posted",
    "04-01 gpu.T4 12000 posted",
    "04-02 gpu.T4 12000 posted",
  ]);
  expect(await credit(db, tenant)).toMatchObject({ balance: 52_000n, provisional: 0n });
});

test("R-LATE-1: late usage adds an adjustment, on the open invoice if its month is final", async () => {
  const tenant = await newTenant();
  await use(tenant, { from: at("05-30"), until: at("05-31"), units: 4n });
  await use(tenant, { from: at("06-01", 1), until: at("06-01", 2) });
  await rate(tenant, at("06-03"));
  // 96 GPU-hours at 5.00; 8 more found late: 4 at 5.00 and 4 at 4.75.
  await use(tenant, { from: at("05-31", 2), until: at("05-31", 10) });
  await rate(tenant, at("06-03", 1));
  expect(await book(tenant)).toEqual(["05-30 gpu.T4 48000 posted", "06-01 gpu.T4 500 provisional"]);
  await rate(tenant, at("06-04"));
  await rate(tenant, at("06-05"));
  expect(await book(tenant)).toEqual([
    "05-30 gpu.T4 48000 posted",
    "05-31 gpu.T4 3900 posted late 1",
    "06-01 gpu.T4 500 posted",
  ]);
  const late = (await linesOf(tenant)).find(({ revision }) => revision === 1);
  expect(late).toMatchObject({ billedMonth: "2026-06", multiplier: "re-rated" });
  expect(await credit(db, tenant)).toMatchObject({ balance: 47_600n, provisional: 0n });
});

test("a clock that was set back by weeks takes nothing back: rating waits, says so, and goes on", async () => {
  const tenant = await newTenant();
  await use(tenant, { from: at("05-04", 9), until: at("05-04", 19) });
  await use(tenant, { from: at("05-20", 9) });
  await rate(tenant, at("05-24", 1));
  const before = await book(tenant);
  expect(before.filter((line) => line.includes("posted"))).toEqual([
    "05-04 gpu.T4 5000 posted",
    "05-20 gpu.T4 7500 posted",
    "05-21 gpu.T4 12000 posted",
  ]);
  let now = at("05-10", 1);
  const context = {
    db,
    observer: createObserver({ level: "silent" }),
    now: () => now,
    timeZoneOf: async () => billingZone,
  };
  const loop = rateLoop(context);
  const pass = (): Promise<unknown> => loop.pass(new AbortController().signal);
  const saidBehind = async (): Promise<boolean> =>
    (await alerts(db, { open: true, after: undefined, limit: 100 })).some(
      ({ kind }) => kind === "clock_behind",
    );
  await pass();
  expect(await book(tenant)).toEqual(before);
  expect(await saidBehind()).toBe(true);
  // Late enough for the days of all other tenants here, too.
  now = at("12-01");
  await pass();
  expect(await saidBehind()).toBe(false);
  const after = (await book(tenant)).filter((line) => line.includes("late"));
  expect(after).toEqual([]);
});

test("R-LATE-2, R-PAYG-7: an attempt that the platform loses on a later day is given back", async () => {
  const tenant = await newTenant();
  const id = await use(tenant, { from: at("05-04", 1) });
  await rate(tenant, at("05-07"));
  expect((await book(tenant))[0]).toBe("05-04 gpu.T4 11500 posted");
  await db.execute(sql`
    update usage_interval set ended_at = ${new Date(at("05-07", 1))}, billable = false,
      end_reason = 'platform_fault', cut_next_at = 'epoch' where id = ${id}`);
  await rate(tenant, at("05-08"));
  expect(await book(tenant)).toEqual([
    "05-04 gpu.T4 11500 posted",
    "05-04 gpu.T4 -11500 posted late 1",
  ]);
  expect(await credit(db, tenant)).toMatchObject({ balance: 100_000n });
  expect(await checkUsageDays(db)).toEqual([]);
});

test("R-LATE-3: usage of a posted day that comes after 35 days is kept, and not charged", async () => {
  const tenant = await newTenant();
  await use(tenant, { from: at("05-04", 1), until: at("05-04", 2) });
  await rate(tenant, at("05-08"));
  // Come on the 35th day, looked at a week later; and come on the day after that.
  await use(tenant, { from: at("05-04", 3), until: at("05-04", 4) });
  await cutDue(db, at("06-08"));
  await rate(tenant, at("06-15"));
  await use(tenant, { from: at("05-04", 5), until: at("05-04", 6) });
  await rate(tenant, at("06-20"));
  expect(await book(tenant)).toEqual(["05-04 gpu.T4 500 posted", "05-04 gpu.T4 500 posted late 1"]);
  const { kept } = await db.one(
    sql`select count(*)::int as kept from usage_event where tenant_id = ${tenant}`,
    z.object({ kept: z.int() }),
  );
  expect(kept).toBe(3);
});

test("a day is not posted before all its usage is events", async () => {
  const tenant = await newTenant();
  await use(tenant, { from: at("05-04", 9), until: at("05-04", 10) });
  await use(tenant, { from: at("05-04", 9) });
  const uncut = { db, now: () => at("05-09"), timeZoneOf: async () => billingZone };
  await rateTenant(uncut, tenant, prices);
  expect((await book(tenant)).filter((line) => line.includes("posted"))).toEqual([]);
  await rate(tenant, at("05-09"));
  expect((await book(tenant)).filter((line) => line.includes("posted"))).toEqual([
    "05-04 gpu.T4 8000 posted",
    "05-05 gpu.T4 12000 posted",
    "05-06 gpu.T4 12000 posted",
  ]);
});

test("compute of a subscription costs nothing by its plan; its storage does", async () => {
  const tenant = await newTenant();
  const plan = "subscription";
  await use(tenant, { from: at("05-04", 9), plan });
  await use(tenant, { from: at("05-04"), plan, sku: "storage", units: 100n << 30n });
  await rate(tenant, at("05-05"));
  expect(await book(tenant)).toEqual(["05-04 storage 500 provisional"]);
  await rate(tenant, at("05-07"));
  expect(await book(tenant)).toContain("05-04 storage 500 posted");
  expect((await book(tenant)).join()).not.toContain("gpu");
});

test("usage of a SKU without a price is reported, never charged at zero", async () => {
  const tenant = await newTenant();
  await use(tenant, { from: at("05-04", 1), until: at("05-04", 2), sku: "gpu.H100" });
  await use(tenant, { from: at("05-04", 1), until: at("05-04", 2) });
  expect(await rate(tenant, at("05-04", 3))).toEqual([
    { kind: "refused", sku: "gpu.H100", day: "2026-05-04", reason: "no_price" },
  ]);
  expect(await book(tenant)).toEqual(["05-04 gpu.T4 500 provisional"]);
});

test("R-DAY-2: a tenant's zone is frozen with his first rating", async () => {
  const tenant = await newTenant(timeZone("America/New_York"));
  // 23:30 to 00:30 in New York
  await use(tenant, { from: at("05-05", 11.5), until: at("05-05", 12.5) });
  await rate(tenant, at("05-05", 13));
  await db.execute(sql`update tenant set time_zone = 'Asia/Shanghai' where id = ${tenant}`);
  await use(tenant, { from: at("05-05", 12.5), until: at("05-05", 12.75) });
  await rate(tenant, at("05-05", 14));
  expect(await book(tenant)).toEqual([
    "05-04 gpu.T4 250 provisional",
    "05-05 gpu.T4 375 provisional",
  ]);
  const change = db.execute(sql`
    update usage_account set time_zone = 'Asia/Shanghai' where tenant_id = ${tenant}`);
  await expect(change).rejects.toThrow("append-only");
});

test("a clock that steps back an hour charges no more, and nothing twice", async () => {
  const tenant = await newTenant();
  await use(tenant, { from: at("05-04", 9) });
  await rate(tenant, at("05-04", 11));
  await rate(tenant, at("05-04", 10));
  expect(await book(tenant)).toEqual(["05-04 gpu.T4 500 provisional"]);
  await rate(tenant, at("05-04", 8));
  expect(await book(tenant)).toEqual([]);
  await rate(tenant, at("05-04", 11));
  expect(await book(tenant)).toEqual(["05-04 gpu.T4 1000 provisional"]);
});

test("the loop rates who has something new, and leaves the others alone", async () => {
  const [busy, idle] = [await newTenant(), await newTenant()];
  let now = at("05-04", 10);
  const loop = rateLoop({ db, observer, now: () => now, timeZoneOf: async () => billingZone });
  await use(busy, { from: at("05-04", 9), until: at("05-04", 10) });
  await cutDue(db, now);
  await loop.pass(new AbortController().signal);
  expect(await book(busy)).toEqual(["05-04 gpu.T4 500 provisional"]);
  expect(await book(idle)).toEqual([]);
  now = at("05-04", 12);
  await loop.pass(new AbortController().signal);
  const due = (when: number): Promise<string[]> =>
    tenantsToRate(db, { now: when, after: undefined, limit: 1000 });
  expect(await due(now)).not.toContain(busy);
  expect(await due(at("05-07"))).toContain(busy);
});

const t4 = (day: LocalDay): ReturnType<typeof skuPrice> => {
  expect(day).toMatch(/^2026/);
  return skuPrice(defaultProfile, "gpu.T4");
};

/** Usage arrives in any order and late, passes run at any time; in the end the money is right. */
test("R-RND-2, R-LATE-1: after any history the tenant has paid what his usage costs", async () => {
  const start = at("04-20");
  const record = fc.record({
    startsAfterHours: fc.integer({ min: 0, max: 20 * 24 }),
    seconds: fc.integer({ min: 1, max: 3 * 86_400 }),
    units: fc.bigInt({ min: 1n, max: 16n }),
    slice: fc.constantFrom(1n, 2n, 3n, 4n, 7n),
    /** After its end. */
    recordedAfterHours: fc.integer({ min: 0, max: 10 * 24 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { minLength: 1, maxLength: 8 }),
      fc.array(fc.integer({ min: 0, max: 33 * 24 }), { maxLength: 12 }),
      async (records, passHours) => {
        const tenant = await newTenant();
        const uses = records.map(({ startsAfterHours, seconds, recordedAfterHours, ...rest }) => {
          const from = start + startsAfterHours * hour;
          const until = from + seconds * 1000;
          return { ...rest, from, until, recordedAt: until + recordedAfterHours * hour };
        });
        // The pass on day 34 sees everything within the 35 days that late usage has.
        const passes = [
          ...passHours.map((hours) => start + hours * hour),
          start + 34 * dayMs,
          start + 45 * dayMs,
        ];
        let recorded = 0;
        const inOrder = uses.toSorted((a, b) => a.recordedAt - b.recordedAt);
        for (const now of passes.toSorted((a, b) => a - b)) {
          for (; (inOrder[recorded]?.recordedAt ?? Infinity) <= now; recorded += 1) {
            // oxlint-disable-next-line no-await-in-loop -- a history has an order
            await use(tenant, inOrder[recorded] ?? { from: 0 });
          }
          // oxlint-disable-next-line no-await-in-loop -- as above
          await Promise.all([rate(tenant, now), rate(tenant, now)]);
        }
        const expected = costOf(uses);
        const lines = await linesOf(tenant);
        expect(totalOf(lines)).toBe(expected);
        expect(lines.every(({ postedAt }) => postedAt !== undefined)).toBe(true);
        expect(await credit(db, tenant)).toMatchObject({
          balance: 100_000n - expected,
          provisional: 0n,
        });
      },
    ),
    { numRuns: 25, endOnFailure: true },
  );
  expect(await checkLedger(db)).toEqual([]);
});

function costOf(uses: readonly (Use & { readonly until: number })[]): bigint {
  const usages = uses.map(({ from, until, units = 1n, slice = 1n }, index) => ({
    source: "test",
    id: String(index),
    projectId: "",
    sku: "gpu.T4",
    units,
    slice,
    span: interval(from, until),
    billable: true,
    isJob: false,
  }));
  const days = quantitiesByDay(billingZone, usages).get("gpu.T4") ?? new Map<LocalDay, never>();
  const months = new Set<LocalMonth>([...days.keys()].map((day) => monthOf(day)));
  return [...months].reduce((total, month) => {
    const rated = rateMonth({ sku: "gpu.T4", month, days, priceOf: (_, day) => t4(day) });
    return total + (rated.kind === "rated" ? totalOf(rated.lines) : 0n);
  }, 0n);
}
