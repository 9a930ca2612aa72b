/** Signs, reviews and revenue on a real database. */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";

import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import { defaultProfile } from "#catalog/profile.ts";
import { overrideTier } from "#customers/tier-store.ts";
import { sql } from "#db/sql.ts";
import { createTenant } from "#identity/tenants.ts";
import { localDay, localMonth } from "#kernel/calendar.ts";
import { parseFen, zeroFen } from "#kernel/money.ts";
import { rational } from "#kernel/rational.ts";
import { notices } from "#notices/store.ts";
import { testDatabase } from "#test/database.ts";

import { insightLoop } from "./loop.ts";
import { cohortMonths, registrations, revenueByMonth } from "./revenue.ts";
import { periodBefore, reviewOf, reviewPeriod, type ReviewLine } from "./review.ts";
import { finishTask, tasks } from "./tasks.ts";

const { db } = await testDatabase();
await db.transaction(seedPriceProfile);
const [profile] = await loadPriceBook(db);
const firstPage = { after: undefined, limit: 50, open: true };

function at(text: string): number {
  return Date.parse(`${text}+08:00`);
}

let names = 0;
async function customer(registered: string): Promise<string> {
  names += 1;
  const ask = { name: `customer-${names}`, now: at(registered) };
  const { tenant } = await db.transaction((tx) => createTenant(tx, ask));
  return tenant.id;
}

async function charged(tenantId: string, day: string, amount: string): Promise<void> {
  await db.execute(sql`
    insert into charge_line (tenant_id, service_date, sku, quantity, quantity_divisor, unit,
      base_per_unit, list_price, multiplier, amount, paid_wallet, profile_id, billed_month, state,
      posted_at)
    values (${tenantId}, ${day}::date, 'gpu.T4', 3600, 1, 'GPU-hour', 3600, '5', '1',
      ${parseFen(amount)}::int8, ${parseFen(amount)}::int8, ${profile?.id}, ${day.slice(0, 7)},
      'posted', now())`);
}

async function gpuDay(tenantId: string, day: string, hours: number): Promise<void> {
  await db.execute(sql`
    insert into usage_day (tenant_id, day, sku, slice, plan, work, unit_seconds)
    values (${tenantId}, ${day}::date, 'gpu.T4', 2, 'on_demand', 'job', ${hours * 3600 * 2})`);
}

async function look(when: string): Promise<void> {
  await insightLoop({ db, now: () => at(when) }).pass(new AbortController().signal);
}

async function openTasks(tenantId: string) {
  const all = await tasks(db, firstPage);
  return all.filter((task) => task.tenantId === tenantId);
}

test("C-13: two months without spend, after some before, make a task at the month start, once", async () => {
  const tenantId = await customer("2026-02-01T00:00:00");
  const never = await customer("2026-02-01T00:00:00");
  await charged(tenantId, "2026-03-30", "120.00");
  await look("2026-05-31T12:00:00");
  expect(await openTasks(tenantId)).toEqual([]);
  await look("2026-06-01T00:05:00");
  await look("2026-06-01T09:00:00");
  await look("2026-06-02T09:00:00");
  expect(await openTasks(tenantId)).toMatchObject([
    { kind: "no_spend_2m", data: { month: "2026-06", months: "2" } },
  ]);
  expect(await openTasks(never)).toEqual([]);
  const [task] = await openTasks(tenantId);
  const finish = (by: string) =>
    db.transaction((tx) =>
      finishTask(tx, { id: task?.id ?? "", by, note: "called", at: at("2026-06-03T00:00:00") }),
    );
  expect(await finish("li")).toMatchObject({ doneBy: "li" });
  expect(await finish("wang")).toMatchObject({ doneBy: "li" });
  expect(await openTasks(tenantId)).toEqual([]);
});

test("C-13: a sharp drop of GPU-hours makes a task, at most once in 28 days", async () => {
  const tenantId = await customer("2026-06-01T00:00:00");
  // Four weeks of 20 GPU-hours a week, then 5.
  for (const day of ["2026-06-02", "2026-06-09", "2026-06-16", "2026-06-23"]) {
    // oxlint-disable-next-line no-await-in-loop -- four rows
    await gpuDay(tenantId, day, 20);
  }
  await gpuDay(tenantId, "2026-06-30", 5);
  await look("2026-07-06T12:00:00");
  await look("2026-07-07T12:00:00");
  const seen = await openTasks(tenantId);
  expect(seen.map(({ kind, data }) => [kind, data["ratio"]])).toEqual([["usage_drop", "0.25"]]);
});

test("C-07, O-13: a diamond customer is told each month that his review is there", async () => {
  const tenantId = await customer("2026-01-01T00:00:00");
  const now = at("2026-06-15T00:00:00");
  await db.transaction((tx) =>
    overrideTier(tx, {
      tenantId,
      tier: "diamond",
      reason: "test",
      approvedBy: "Li",
      createdBy: "root",
      untilAt: at("2027-01-01T00:00:00"),
      now,
    }),
  );
  await look("2026-07-20T12:00:00");
  await look("2026-08-01T00:00:01");
  const told = await db.tenant(tenantId, (tx) => notices(tx, tenantId, firstPage));
  expect(told.map(({ data }) => data["period"])).toEqual(["2026-07", "2026-06"]);
});

test("P-23: revenue, active customers, their average, and cohorts", async () => {
  const [a, b] = [await customer("2025-01-10T00:00:00"), await customer("2025-01-31T23:59:00")];
  await charged(a, "2025-01-31", "10.00");
  await charged(a, "2025-02-01", "30.00");
  await charged(b, "2025-02-02", "0.01");
  await db.execute(sql`
    insert into order_item (tenant_id, id, kind, sku, subject_id, data, list_price, amount,
      is_prepayment, at, billed_month)
    values (${b}, ${newId()}, 'service', 'support_24x7', ${newId()}, '{}', 3000, 3000, false,
        now(), '2025-02'),
      (${b}, ${newId()}, 'package', 'P1000', ${newId()}, '{}', 100000, 100000, true, now(),
        '2025-02')`);
  const range = { from: localMonth("2025-01"), through: localMonth("2025-02") };
  const cells = await cohortMonths(db, range);
  expect(cells).toEqual([
    { cohort: "2025-01", month: "2025-01", active: 1, revenue: 1000n },
    { cohort: "2025-01", month: "2025-02", active: 2, revenue: 6001n },
  ]);
  expect(revenueByMonth(cells)).toMatchObject([{ arpu: 1000n }, { arpu: 3001n, active: 2 }]);
  expect((await registrations(db)).get(localMonth("2025-01"))).toBe(2);
});

test("O-13: a review compares with the period before, and advises a package that fits the pace", () => {
  const period = reviewPeriod("2026-Q2");
  expect(period).toMatchObject({ from: "2026-04-01", through: "2026-06-30", months: 3 });
  expect(period && periodBefore(period)).toEqual({ from: "2026-01-01", through: "2026-03-31" });
  expect(reviewPeriod("2026-05")).toMatchObject({ from: "2026-05-01", through: "2026-05-31" });
  expect(reviewPeriod("2026-Q5")).toBeUndefined();
  expect(reviewPeriod("2026-13")).toBeUndefined();
  const line: ReviewLine = {
    day: localDay("2026-04-02"),
    sku: "gpu.T4",
    quantity: rational(400n),
    unit: "GPU-hour",
    amount: parseFen("2000.00"),
    jobAmount: parseFen("1000.00"),
    paidByPackages: zeroFen,
  };
  const ask = { lines: [line], before: [{ ...line, amount: parseFen("500.00") }] };
  const review = period && reviewOf({ ...ask, period, profile: defaultProfile });
  expect(review).toMatchObject({
    total: 200_000n,
    totalBefore: 50_000n,
    busiest: { day: "2026-04-02" },
    daysWithoutUse: 90,
    advice: [{ code: "P1000", saves: 5000n }],
  });
  const paid = { ...line, paidByPackages: parseFen("999.99") };
  expect(
    period && reviewOf({ ...ask, lines: [paid], period, profile: defaultProfile }).advice,
  ).toEqual([]);
});
