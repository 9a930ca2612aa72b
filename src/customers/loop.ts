/** Decides each customer's tier at his midnights, in order, also those that it missed. */
import { loadPriceBook, pricesOn, type PriceBook } from "#catalog/price-profiles.ts";
import { defaultProfile } from "#catalog/profile.ts";
import type { Db } from "#db/pool.ts";
import { netPaidByDay } from "#flow/ledger/receipts.ts";
import { addDays, addMonths, dayOf, firstDay, monthOf, type LocalDay } from "#kernel/calendar.ts";
import { timeZone } from "#kernel/zone.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import { notify } from "#notices/store.ts";

import {
  lockTierAccount,
  recordTierChange,
  saveTierAccount,
  tenantsWithNewDay,
  type DueTenant,
} from "./tier-store.ts";
import { isHigher, walkTiers, type Payment, type TierRules, type TierState } from "./tiers.ts";

const tenantsPerRead = 200;
const noticeDays = 30;

export function tierLoop(context: { readonly db: Db; readonly now: () => number }): LoopDefinition {
  const { db, now } = context;
  return {
    name: "tiers",
    periodMs: 60_000,
    channels: [],
    pass: async (signal) => {
      const due = await tenantsWithNewDay(db, { now: now(), limit: tenantsPerRead });
      if (due.length === 0) return "rest";
      const book = await loadPriceBook(db);
      const failures: unknown[] = [];
      for (const tenant of due) {
        if (signal.aborted) return "rest";
        try {
          // oxlint-disable-next-line no-await-in-loop -- one tenant at a time
          await decideTier(db, { tenant, book, now: now() });
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw new AggregateError(failures, "some tiers were not decided");
      return due.length === tenantsPerRead ? "again" : "rest";
    },
  };
}

export function decideTier(
  db: Db,
  ask: { readonly tenant: DueTenant; readonly book: PriceBook; readonly now: number },
): Promise<void> {
  const { tenant, book, now } = ask;
  const { id: tenantId } = tenant;
  const zone = timeZone(tenant.time_zone);
  const today = dayOf(zone, now);
  const registered = dayOf(zone, tenant.created_at);
  return db.tenant(tenantId, async (tx) => {
    const account = await lockTierAccount(tx, tenantId, {
      tier: "normal",
      holdUntil: undefined,
      cumulativeFrom: registered,
      evaluatedThrough: addDays(registered, -1),
    });
    // A clock that was set back decides nothing twice.
    if (account.evaluatedThrough >= today) return;
    const payments = await netPaidByDay(tx, tenantId, zone);
    const { changes, state } = walkTiers({
      state: account,
      payments,
      after: account.evaluatedThrough,
      through: today,
      rulesOn: (day) => rulesInForce(book, day),
    });
    let { tier: before } = account;
    for (const change of changes) {
      // oxlint-disable-next-line no-await-in-loop -- in their order
      await recordTierChange(tx, { tenantId, zone, before }, change);
      // oxlint-disable-next-line no-await-in-loop -- in their order
      await notify(tx, {
        tenantId,
        key: `tier:${change.effective}`,
        kind: isHigher(change.tier, before) ? "tier_raised" : "tier_lowered",
        severity: "info",
        data: { tier: change.tier, from: change.effective, until: change.holdUntil ?? "-" },
        at: now,
      });
      before = change.tier;
    }
    await saveTierAccount(tx, tenantId, { ...state, evaluatedThrough: today });
    const fall = fallAhead({ state, payments, today, rules: rulesInForce(book, today) });
    if (fall === undefined) return;
    await notify(tx, {
      tenantId,
      key: `tier-review:${fall.on}`,
      kind: "tier_review_ahead",
      severity: "warning",
      data: { tier: state.tier, to: fall.to, on: fall.on },
      at: now,
    });
  });
}

/** Before the first version, that one. */
function rulesInForce(book: PriceBook, day: LocalDay): TierRules {
  return (pricesOn(book, day) ?? book[0])?.profile ?? defaultProfile;
}

/** R-CT-4: what the review within the next 30 days would lower, if nothing more were paid. */
export function fallAhead(ask: {
  readonly state: TierState;
  readonly payments: readonly Payment[];
  readonly today: LocalDay;
  readonly rules: TierRules;
}): { readonly on: LocalDay; readonly to: TierState["tier"] } | undefined {
  const { state, payments, today, rules } = ask;
  if (state.holdUntil === undefined) return undefined;
  const month = monthOf(state.holdUntil);
  const starts = firstDay(month);
  const on = starts === state.holdUntil ? starts : firstDay(addMonths(month, 1));
  if (on <= today || addDays(on, -noticeDays) > today) return undefined;
  const { state: then } = walkTiers({
    state,
    payments,
    after: today,
    through: on,
    rulesOn: () => rules,
  });
  return isHigher(state.tier, then.tier) ? { on, to: then.tier } : undefined;
}
