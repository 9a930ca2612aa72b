/**
 * At a month's start: a package that would have fitted is recommended to customers without a tier, and
 * gold customers who are near diamond make a task (C-12). It advises, and changes no price.
 */
import type { PriceProfile } from "#catalog/profile.ts";
import type { Tier } from "#catalog/sku.ts";
import { tierAccount } from "#customers/tier-store.ts";
import type { Tx } from "#db/pool.ts";
import { netPaidByDay } from "#flow/ledger/receipts.ts";
import { addMonths, monthOf, type LocalDay } from "#kernel/calendar.ts";
import { addFen, formatFen } from "#kernel/money.ts";
import type { TimeZone } from "#kernel/zone.ts";
import { notify } from "#notices/store.ts";

import { nextTiers } from "./next-tier.ts";
import { reviewLines } from "./review-lines.ts";
import { periodBefore, reviewOf, reviewPeriod } from "./review.ts";
import { addTask, lastTaskAt } from "./tasks.ts";

const dayMs = 86_400_000;
/** A task about the same chance comes again after so long. */
const nearRestDays = 90;
/** Near: a fifth of the threshold is missing, or less. */
const nearShare = 5n;

export interface MonthStart {
  readonly tenantId: string;
  readonly zone: TimeZone;
  readonly today: LocalDay;
  readonly profile: PriceProfile;
  readonly tier: Tier;
  readonly now: number;
}

export async function recommendPackage(tx: Tx, ask: MonthStart): Promise<void> {
  const { tenantId, today, profile, tier, now } = ask;
  const period = reviewPeriod(addMonths(monthOf(today), -1));
  if (tier !== "normal" || period === undefined) return;
  const { advice } = reviewOf({
    period,
    lines: await reviewLines(tx, tenantId, period),
    before: await reviewLines(tx, tenantId, periodBefore(period)),
    profile,
  });
  for (const { code, price, saves } of advice) {
    // oxlint-disable-next-line no-await-in-loop -- one connection
    await notify(tx, {
      tenantId,
      key: `package-advice:${period.name}:${code}`,
      kind: "package_advice",
      severity: "info",
      data: {
        period: period.name,
        package: code,
        price: formatFen(price),
        saves: formatFen(saves),
      },
      at: now,
    });
  }
}

export async function seeNextTier(tx: Tx, ask: MonthStart): Promise<void> {
  const { tenantId, zone, tier, profile, now } = ask;
  const state = await tierAccount(tx, tenantId);
  if (state?.tier !== "gold") return;
  const last = await lastTaskAt(tx, { tenantId, kind: "near_next_tier" });
  if (last !== undefined && now < last + nearRestDays * dayMs) return;
  const payments = await netPaidByDay(tx, tenantId, zone);
  const ways = await nextTiers(tx, { ...ask, tier, state, payments });
  const near = ways.find(
    ({ tier: to, missing }) =>
      to === "diamond" &&
      missing > 0n &&
      missing * nearShare <= profile.tier_thresholds.diamond_12m,
  );
  if (near === undefined) return;
  await addTask(tx, {
    tenantId,
    key: `near:${near.tier}:${monthOf(ask.today)}`,
    kind: "near_next_tier",
    data: {
      tier: near.tier,
      missing: formatFen(near.missing),
      before: near.before,
      saves: formatFen(addFen(near.storageSaving, near.renewalSaving)),
    },
    at: now,
  });
}
