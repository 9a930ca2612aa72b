/**
 * Looks at every customer once a day of his: signs that he goes away and what of his ends soon become
 * tasks, whose tier has a review is told that it is there, and at a month's start he is told what would
 * serve him better (R-CHURN-1 to 3, R-CT-7, C-12). A day that was missed is looked at as
 * today: signs are about now.
 */
import { loadPriceBook, pricesOn, type PriceBook } from "#catalog/price-profiles.ts";
import { defaultProfile, type PriceProfile } from "#catalog/profile.ts";
import type { Tier } from "#catalog/sku.ts";
import { benefitsOf } from "#customers/benefits.ts";
import { tierAt } from "#customers/tier-store.ts";
import type { Db, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import {
  addDays,
  addMonths,
  dayOf,
  firstDay,
  monthOf,
  type LocalDay,
  type LocalMonth,
} from "#kernel/calendar.ts";
import { fen, formatFen } from "#kernel/money.ts";
import { formatRational } from "#kernel/rational.ts";
import { timeZone } from "#kernel/zone.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import { notify } from "#notices/store.ts";

import { spendsNothing, usageDrop } from "./churn.ts";
import { recommendPackage, seeNextTier } from "./conversion.ts";
import { endingsOf } from "./endings.ts";
import {
  consumptionByMonth,
  gpuHours,
  hasActiveSubscription,
  overdueInvoices,
  tenantsToLookAt,
  type TenantToLookAt,
} from "./signs.ts";
import { addTask, finishRenewed, lastTaskAt } from "./tasks.ts";

const tenantsPerRead = 200;
const dayMs = 86_400_000;
const dropRestDays = 28;
const overdueDays = 7;

export function insightLoop(context: {
  readonly db: Db;
  readonly now: () => number;
}): LoopDefinition {
  const { db, now } = context;
  return {
    name: "insights",
    periodMs: 300_000,
    channels: [],
    pass: async (signal) => {
      const due = await tenantsToLookAt(db, { now: now(), limit: tenantsPerRead });
      if (due.length === 0) return "rest";
      const book = await loadPriceBook(db);
      const failures: unknown[] = [];
      for (const tenant of due) {
        if (signal.aborted) return "rest";
        try {
          // oxlint-disable-next-line no-await-in-loop -- one tenant at a time
          await lookAtCustomer(db, { tenant, book, now: now() });
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0)
        throw new AggregateError(failures, "some customers were not looked at");
      return due.length === tenantsPerRead ? "again" : "rest";
    },
  };
}

interface Look {
  readonly tenantId: string;
  readonly today: LocalDay;
  /** The first look, or the first in this month. */
  readonly newMonth: boolean;
  readonly profile: PriceProfile;
  readonly now: number;
}

export function lookAtCustomer(
  db: Db,
  ask: { readonly tenant: TenantToLookAt; readonly book: PriceBook; readonly now: number },
): Promise<void> {
  const { tenant, book, now } = ask;
  const today = dayOf(timeZone(tenant.time_zone), now);
  const before = tenant.looked_through;
  const look: Look = {
    tenantId: tenant.id,
    today,
    newMonth: before === null || monthOf(before) < monthOf(today),
    profile: pricesOn(book, today)?.profile ?? defaultProfile,
    now,
  };
  return db.tenant(tenant.id, async (tx) => {
    const tier = await tierAt(tx, tenant.id, now);
    if (look.newMonth) {
      await seeSilence(tx, look);
      await sayThatReviewIsThere(tx, look, tier);
      const start = { ...look, zone: timeZone(tenant.time_zone), tier };
      await recommendPackage(tx, start);
      await seeNextTier(tx, start);
    }
    await seeDrop(tx, look);
    await seeOverdue(tx, look);
    await finishRenewed(tx, { tenantId: tenant.id, at: now });
    for (const task of await endingsOf(tx, { ...look, tier })) {
      // oxlint-disable-next-line no-await-in-loop -- one connection
      await addTask(tx, { ...task, at: now });
    }
    await tx.execute(sql`
      insert into insight_account (tenant_id, looked_through)
      values (${tenant.id}, ${today}::date)
      on conflict (tenant_id) do update set
        looked_through = greatest(insight_account.looked_through, excluded.looked_through)`);
  });
}

async function seeSilence(tx: Tx, { tenantId, today, profile, now }: Look): Promise<void> {
  const thisMonth = monthOf(today);
  const silent = spendsNothing({
    thisMonth,
    netConsumption: await consumptionByMonth(tx, tenantId),
    activeSubscription: await hasActiveSubscription(tx, { tenantId, now }),
    rules: profile.churn,
  });
  if (!silent) return;
  const data = { month: thisMonth, months: String(profile.churn.no_spend_months) };
  await addTask(tx, { tenantId, key: `no-spend:${thisMonth}`, kind: "no_spend_2m", data, at: now });
}

async function seeDrop(tx: Tx, { tenantId, today, profile, now }: Look): Promise<void> {
  const { churn: rules } = profile;
  const last = await lastTaskAt(tx, { tenantId, kind: "usage_drop" });
  if (last !== undefined && now < last + dropRestDays * dayMs) return;
  const recentFrom = addDays(today, -rules.drop_recent_days);
  const baselineFrom = addDays(recentFrom, -rules.drop_baseline_days);
  const recentGpuHours = await gpuHours(tx, { tenantId, from: recentFrom, until: today });
  const baseline = await gpuHours(tx, { tenantId, from: baselineFrom, until: recentFrom });
  const drop = usageDrop({ recentGpuHours, baselineGpuHours: baseline, rules });
  if (!drop.dropped || drop.ratio === undefined) return;
  const data = {
    recent: formatRational(recentGpuHours),
    baseline: formatRational(baseline),
    ratio: formatRational(drop.ratio),
  };
  await addTask(tx, { tenantId, key: `usage-drop:${today}`, kind: "usage_drop", data, at: now });
}

async function seeOverdue(tx: Tx, { tenantId, today, now }: Look): Promise<void> {
  for (const invoice of await overdueInvoices(tx, { tenantId, today, days: overdueDays })) {
    const data = { invoice: invoice.number, outstanding: formatFen(fen(invoice.outstanding)) };
    const key = `overdue:${invoice.id}`;
    // oxlint-disable-next-line no-await-in-loop -- one connection
    await addTask(tx, { tenantId, key, kind: "invoice_overdue", data, at: now });
  }
}

/** Diamond each month, gold each quarter (C-07, C-08): told to him, and a task for who looks after him. */
async function sayThatReviewIsThere(
  tx: Tx,
  { tenantId, today, now }: Look,
  tier: Tier,
): Promise<void> {
  const { review } = benefitsOf(tier);
  const month = monthOf(today);
  const period = review === "monthly" ? addMonths(month, -1) : quarterBefore(month);
  if (review === "none" || period === undefined) return;
  await notify(tx, {
    tenantId,
    key: `review:${period}`,
    kind: "usage_review_ready",
    severity: "info",
    data: { period },
    at: now,
  });
  const key = `review-due:${period}`;
  await addTask(tx, { tenantId, key, kind: "review_due", data: { period, tier }, at: now });
}

/** The quarter that ended with the month before; `undefined` inside a quarter. */
function quarterBefore(month: LocalMonth): string | undefined {
  const before = addMonths(month, -1);
  const number = Number(before.slice(5));
  return number % 3 === 0 ? `${firstDay(before).slice(0, 4)}-Q${number / 3}` : undefined;
}
