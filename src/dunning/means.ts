/** What a tenant has and what runs of it, read for the ladder and for whoever shows it. */
import { pricesOn, type PriceBook } from "#catalog/price-profiles.ts";
import { defaultProfile } from "#catalog/profile.ts";
import type { Queryable } from "#db/pool.ts";
import { burnByKind } from "#flow/admit/burn.ts";
import { openPackages } from "#flow/ledger/accounts.ts";
import type { Credit } from "#flow/ledger/decide.ts";
import { usableNow } from "#flow/ledger/package-holds.ts";
import { netPaidByDay } from "#flow/ledger/receipts.ts";
import { addMonthsClamped, dayOf } from "#kernel/calendar.ts";
import { sumFen, type Fen } from "#kernel/money.ts";
import { billingZone } from "#kernel/zone.ts";

import { meansFrom, type DunningRules, type Means } from "./decide.ts";
import { keptLeases } from "./store.ts";

export function rulesAt(book: PriceBook, now: number): DunningRules {
  const prices = pricesOn(book, dayOf(billingZone, now));
  return (prices?.profile ?? defaultProfile).dunning;
}

/** `credit` is locked where somebody acts on it. */
export async function meansOf(
  db: Queryable,
  ask: { readonly tenantId: string; readonly credit: Credit; readonly now: number },
): Promise<{ readonly means: Means; readonly packages: Fen }> {
  const { tenantId, credit, now } = ask;
  const from = addMonthsClamped(dayOf(billingZone, now), -12);
  const receipts = await netPaidByDay(db, tenantId, billingZone);
  const packages = usableNow(await openPackages(db, tenantId), now);
  const means = meansFrom({
    // What is held was set aside for exactly this: it is spent before anything stops.
    wallet: sumFen([credit.available, credit.held, credit.uncovered]),
    packages,
    burn: await burnByKind(db, tenantId),
    hasLeases: (await keptLeases(db, tenantId)).length > 0,
    netPaid12m: sumFen(receipts.filter(({ day }) => day >= from).map(({ amount }) => amount)),
  });
  return { means, packages };
}
