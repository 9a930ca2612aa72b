/** The customer's tier: why, what it gives, what the next one takes and saves. */
import type { z } from "zod";

import type { Context, Handlers } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { time, timeOrNull } from "#api/routes/wire.ts";
import { loadPriceBook, pricesOn } from "#catalog/price-profiles.ts";
import { defaultProfile } from "#catalog/profile.ts";
import type * as customers from "#contract/schemas/customers.ts";
import { benefitsOf } from "#customers/benefits.ts";
import {
  endOverrides,
  overrideTier,
  tierAccount,
  tierAt,
  tierChanges,
  tierOverrides,
  type RecordedTierChange,
  type TierOverride,
} from "#customers/tier-store.ts";
import {
  figuresAt,
  paidBetween,
  type QualifyingFigures,
  type TierReason,
} from "#customers/tiers.ts";
import { netPaidByDay } from "#flow/ledger/receipts.ts";
import { findTenant } from "#identity/tenants.ts";
import { nextTiers } from "#insights/next-tier.ts";
import { addDays, dayOf } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen, type Fen } from "#kernel/money.ts";
import { timeZone } from "#kernel/zone.ts";
import { supportUntil } from "#orders/service-rows.ts";

export const tierHandlers = {
  getTier: (_input, context) => tierOf(context),

  listTierChanges: ({ query }, { tx, tenantId }) =>
    pageOf(query, {
      load: (ask) => tierChanges(tx, tenantId, ask),
      show: showChange,
      positionOf: ({ effectiveAt, id }) => ({ at: effectiveAt, id }),
    }),

  overrideTier: async ({ body }, context) => {
    const { tx, tenantId, principal, now } = context;
    const { tier, reason, approvedBy, until } = body;
    await overrideTier(tx, {
      tenantId,
      tier,
      reason,
      approvedBy,
      untilAt: Date.parse(until),
      createdBy: principal.userName,
      now: now(),
    });
    context.note({ target: tenantId, details: { tier, reason, approvedBy, until } });
    return tierOf(context);
  },

  endTierOverride: async (_input, context) => {
    const { tx, tenantId, now } = context;
    if ((await endOverrides(tx, { tenantId, now: now() })) === 0) {
      throw new Failure("not_found", "No tier is set by hand.");
    }
    context.note({ target: tenantId });
    return tierOf(context);
  },
} satisfies Partial<Handlers>;

async function tierOf(context: Context): Promise<z.output<typeof customers.customerTier>> {
  const { tx, tenantId } = context;
  const now = context.now();
  const tenant = await findTenant(tx, tenantId);
  if (tenant === undefined) throw new Failure("not_found", "There is no such tenant.");
  const zone = timeZone(tenant.timeZone);
  const today = dayOf(zone, now);
  const account = await tierAccount(tx, tenantId);
  const state = account ?? {
    tier: "normal",
    holdUntil: undefined,
    cumulativeFrom: dayOf(zone, tenant.createdAt),
  };
  const payments = await netPaidByDay(tx, tenantId, zone);
  const profile = pricesOn(await loadPriceBook(tx), today)?.profile ?? defaultProfile;
  const override = (await tierOverrides(tx, tenantId)).find(
    ({ fromAt, untilAt }) => fromAt <= now && now < untilAt,
  );
  const tier = await tierAt(tx, tenantId, now);
  const ways = await nextTiers(tx, { tenantId, state, tier, payments, today, profile });
  const benefits = benefitsOf(tier);
  const until = await supportUntil(tx, tenantId);
  const bought = until !== undefined && until > now ? until : undefined;
  return {
    tier,
    byPayments: state.tier,
    holdUntil: state.holdUntil ?? null,
    override: override === undefined ? null : showOverride(override),
    netPaid: showFigures({
      ...figuresAt(payments, today),
      cumulative: paidBetween(payments, state.cumulativeFrom, addDays(today, 1)),
    }),
    benefits: {
      ...benefits,
      support: bought === undefined ? benefits.support : "24x7",
      supportBoughtUntil: timeOrNull(bought ?? null),
    },
    next: ways.map((way) => ({
      tier: way.tier,
      rule: way.rule,
      missing: formatFen(way.missing),
      before: way.before,
      storageSaving: formatFen(way.storageSaving),
      renewalSaving: formatFen(way.renewalSaving),
    })),
  };
}

function showFigures(
  figures: QualifyingFigures & { readonly cumulative: Fen },
): z.output<typeof customers.customerTier>["netPaid"] {
  return {
    netPaid12m: formatFen(figures.netPaid12m),
    netPaidLast3Months: figures.netPaidLast3Months.map((each) => formatFen(each)),
    cumulative: formatFen(figures.cumulative),
  };
}

const ruleOf: Readonly<Record<TierReason, string>> = {
  "12m": "R-CT-2",
  "3m": "R-CT-2",
  cumulative: "R-CT-3",
  review: "R-CT-5",
};

function showChange(change: RecordedTierChange): z.output<typeof customers.tierChange> {
  return { ...change, rule: ruleOf[change.reason], effectiveAt: time(change.effectiveAt) };
}

function showOverride(override: TierOverride): z.output<typeof customers.tierOverride> {
  return { ...override, fromAt: time(override.fromAt), untilAt: time(override.untilAt) };
}
