/**
 * The ways to a higher tier: what is missing, and what that tier would have saved on last month's
 * storage and would save on the next renewals of annual terms (C-12).
 */
import type { PriceProfile } from "#catalog/profile.ts";
import type { Tier } from "#catalog/sku.ts";
import { waysUp, type Way } from "#customers/benefits.ts";
import type { Payment, TierState } from "#customers/tiers.ts";
import type { Queryable } from "#db/pool.ts";
import { chargeLines } from "#flow/rate/charge-lines.ts";
import { addDays, addMonths, firstDay, monthOf, type LocalDay } from "#kernel/calendar.ts";
import { fen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";
import { renewalPrice } from "#orders/renewal.ts";

import { runningTerms, type RunningTerm } from "./endings.ts";
import { storageSaving } from "./tier-saving.ts";

export interface WayWithSaving extends Way {
  readonly storageSaving: Fen;
  readonly renewalSaving: Fen;
}

/** The cheapest first. */
export async function nextTiers(
  db: Queryable,
  ask: {
    readonly tenantId: string;
    readonly state: TierState;
    /** What counts now: by hand, or by payments. */
    readonly tier: Tier;
    readonly payments: readonly Payment[];
    readonly today: LocalDay;
    readonly profile: PriceProfile;
  },
): Promise<WayWithSaving[]> {
  const { tenantId, tier, today, profile } = ask;
  const month = monthOf(today);
  const from = firstDay(addMonths(month, -1));
  const range = { kind: "days", from, through: addDays(firstDay(month), -1) } as const;
  const storage = (await chargeLines(db, tenantId, range)).filter(({ sku }) => sku === "storage");
  const running = await runningTerms(db, tenantId);
  return waysUp(ask).map((way) => ({
    ...way,
    storageSaving: storageSaving(storage, { profile, tier: way.tier }),
    renewalSaving: renewalSaving(running, { profile, from: tier, to: way.tier }),
  }));
}

/** On the next renewal of each annual term; never negative. Pure. */
export function renewalSaving(
  running: readonly Pick<RunningTerm, "sku" | "term" | "lockedMonthly">[],
  { profile, from, to }: { readonly profile: PriceProfile; readonly from: Tier; readonly to: Tier },
): Fen {
  const savings = running.map(({ sku, term, lockedMonthly }) => {
    const at = (tier: Tier): Fen =>
      renewalPrice({ profile, sku, term, lastTerm: term, tier, daysAfterEnd: 0, lockedMonthly })
        ?.amount ?? zeroFen;
    return fen(at(from) - at(to));
  });
  const saved = sumFen(savings);
  return saved > 0n ? saved : zeroFen;
}
