/** Vectors of what is bought ahead: packages, subscriptions, expansions, services. */
import { z } from "zod";

import type { PriceProfile } from "#catalog/profile.ts";
import { packageRefund } from "#flow/ledger/packages.ts";
import { payLine, type PackageFunds } from "#flow/rate/drawdown.ts";
import { present } from "#kernel/assert.ts";
import { addDays, localDay } from "#kernel/calendar.ts";
import { formatFen, negateFen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";
import { formatRational, multiply, rational } from "#kernel/rational.ts";
import { formatRounded } from "#kernel/rounding.ts";
import { billingZone, offsetMs } from "#kernel/zone.ts";
import { earlyEnd } from "#orders/early-end.ts";
import {
  elasticDaysMaxUntil,
  elasticEnd,
  elasticPrice,
  elasticRelease,
  type ElasticItem,
} from "#orders/elastic.ts";
import { packageOffer, validityFrom } from "#orders/package-rules.ts";
import { prorated, shareOfPeriod, upgradeCharge } from "#orders/proration.ts";
import { renewalPrice } from "#orders/renewal.ts";
import { isOptimizationQuote, supportPrice } from "#orders/services.ts";
import { startedUnits } from "#orders/started.ts";
import { periods, terms } from "#orders/term.ts";
import { annualPrice, termPrice } from "#orders/vm-price.ts";

import { day, decimal, instant, kindOf, tier, yuan, type VectorKind } from "./schema.ts";

const sku = z.string();
const term = z.enum(terms);
const elasticAsk = z.object({
  items: z.array(z.object({ sku, units: z.int().min(1) })),
  days: z.int().min(1),
  activated_at: instant,
});
const periodAsk = z.object({ from: day, period_start: day, period_end: day });

export const orderKinds = {
  package_purchase: kindOf(
    z.object({ code: z.string(), purchase_date: day }),
    ({ code, purchase_date: bought }, profile) => {
      const offer = present(packageOffer(profile, code), `package ${code}`);
      const validity = validityFrom(billingZone, bought, offer.validMonths);
      return {
        code,
        price_paid: formatFen(offer.price),
        principal: formatFen(offer.price),
        bonus: formatFen(offer.bonus),
        credit: formatFen(offer.credit),
        first_usable_date: validity.usableFrom,
        last_usable_date: validity.usableThrough,
        expires_at: local(validity.expiresAt),
      };
    },
  ),

  package_refund: kindOf(
    z.object({ package: z.object({ principal: yuan, bonus: yuan }), consumed: yuan }),
    ({ package: bought, consumed }) => {
      const { funds } = payLine(
        { packages: [fundsOf(bought)], purse: { wallet: zeroFen, owed: zeroFen } },
        { day: anyDay, amount: consumed, jobAmount: consumed, before: [] },
      );
      const [left = bought] = funds.packages;
      const refund = packageRefund({
        packageId: "k",
        left,
        purse: { wallet: zeroFen, owed: zeroFen },
      });
      const moved = (account: string): Fen =>
        sumFen(
          (refund?.postings ?? [])
            .filter((posting) => posting.account === account)
            .map(({ amount }) => amount),
        );
      return {
        refund: formatFen(moved("wallet")),
        bonus_voided: formatFen(negateFen(moved("bonus"))),
      };
    },
  ),

  vm_periods: kindOf(
    z.object({ sku, term, start: day, count: z.int().min(1).max(100) }),
    (input, profile) => ({
      periods: periods(input.start, input.term, input.count).map(({ from, until }) => ({
        start: from,
        end: until,
        amount: formatFen(priceOf(profile, input)),
      })),
    }),
  ),

  vm_price: kindOf(z.object({ sku, term }), (input, profile) => {
    const year = present(annualPrice(profile, input.sku), `price of ${input.sku}`);
    return {
      amount: formatFen(priceOf(profile, input)),
      twelve_months_at_list: formatFen(year.twelveMonths),
      effective_multiplier: formatRational(year.multiplier),
      // The reading of the source that does not hold, beside ours.
      not_this: formatFen(prorated(year.twelveMonths, rational(7n, 10n))),
    };
  }),

  vm_renewal: kindOf(
    z.object({
      sku,
      tier_at_payment: tier,
      days_after_expiry: z.int(),
      locked_monthly: yuan.optional(),
    }),
    (input, profile) => {
      const renewal = renewalPrice({
        profile,
        sku: input.sku,
        term: "annual",
        lastTerm: "annual",
        tier: input.tier_at_payment,
        daysAfterEnd: input.days_after_expiry,
        lockedMonthly: input.locked_monthly,
      });
      return { amount: formatFen(present(renewal, `price of ${input.sku}`).amount) };
    },
  ),

  vm_upgrade: kindOf(
    z.object({
      period_start: day,
      period_end: day,
      change_date: day,
      old_price: yuan,
      new_price: yuan,
    }),
    (input) => {
      const { remainingDays, periodDays, charge } = upgradeCharge({
        period: { from: input.period_start, until: input.period_end },
        changeOn: input.change_date,
        oldPrice: input.old_price,
        newPrice: input.new_price,
      });
      return { remaining_days: remainingDays, period_days: periodDays, charge: formatFen(charge) };
    },
  ),

  vm_early_termination: kindOf(
    z.object({ paid: yuan, monthly_list: yuan, term_start: day, termination_date: day }),
    (input, profile) => {
      const { monthsStarted, refund } = earlyEnd({
        term: "annual",
        paid: input.paid,
        monthlyListOf: () => input.monthly_list,
        anchor: input.term_start,
        fromMonth: 0,
        endsOn: input.termination_date,
        coolingOffDays: profile.cooling_off_days,
      });
      return { months_started: monthsStarted, refund: formatFen(refund) };
    },
  ),

  elastic_order: kindOf(elasticAsk, ({ items, days, activated_at: activatedAt }, profile) => ({
    amount: formatFen(elasticAmount(profile, items, days)),
    reverts_at: local(elasticEnd(activatedAt, days)),
  })),

  elastic_release: kindOf(
    elasticAsk.extend({ released_at: instant }),
    ({ items, days, activated_at: activatedAt, released_at: releasedAt }, profile) => {
      const charge = (units: number): Fen => elasticAmount(profile, items, units);
      const { daysCharged, charged, refund } = elasticRelease({
        days,
        activatedAt,
        releasedAt,
        charge,
      });
      return { days_charged: daysCharged, charged: formatFen(charged), refund: formatFen(refund) };
    },
  ),

  elastic_validate: kindOf(
    z.object({ days: z.int().min(1), activated_at: instant, subscription_end: instant }),
    ({ days, activated_at: activatedAt, subscription_end: paidUntil }) => {
      const daysMax = elasticDaysMaxUntil(activatedAt, paidUntil);
      return days > daysMax
        ? { error: "ELASTIC_EXCEEDS_TERM", max_days: daysMax }
        : { error: null, max_days: daysMax };
    },
  ),

  vas_validate: kindOf(z.object({ quotes: z.array(yuan) }), ({ quotes }, profile) => ({
    accepted: quotes.map((amount) => isOptimizationQuote(profile, amount)),
  })),

  vas_price: kindOf(z.object({ tiers: z.array(tier) }), ({ tiers }, profile) => ({
    amounts: tiers.map((each) => formatFen(supportPrice(profile, each))),
  })),

  proration_fraction: kindOf(
    periodAsk.extend({ to: day, digits: z.int().min(0).max(30) }),
    ({ from, to, digits, ...of }) =>
      formatRounded(
        shareOfPeriod({ from, until: to }, { from: of.period_start, until: of.period_end }),
        digits,
      ),
  ),

  proration_amount: kindOf(
    periodAsk.extend({ to_inclusive: day, period_amount: yuan }),
    ({ from, to_inclusive: through, period_amount: amount, ...of }) => {
      const part = { from, until: addDays(through, 1) };
      const whole = { from: of.period_start, until: of.period_end };
      return formatFen(prorated(amount, shareOfPeriod(part, whole)));
    },
  ),

  /** Other systems' packages: so much for each begun batch of units, after some that are free. */
  package_price: kindOf(
    z.object({
      package_size: z.string().transform(BigInt),
      amount: decimal,
      free_units: z.string().transform(BigInt),
      quantity: z.string().transform(BigInt),
    }),
    ({ package_size: size, amount, free_units: free, quantity }) =>
      formatRational(multiply(amount, rational(startedUnits(quantity - free, size)))),
  ),
} satisfies Record<string, VectorKind>;

const anyDay = localDay("2026-05-02");

function fundsOf({
  principal,
  bonus,
}: {
  readonly principal: Fen;
  readonly bonus: Fen;
}): PackageFunds {
  return { id: "k", usableFrom: anyDay, usableThrough: anyDay, principal, bonus };
}

function priceOf(
  profile: PriceProfile,
  of: { readonly sku: string; readonly term: (typeof terms)[number] },
): Fen {
  return present(termPrice(profile, of.sku, of.term), `price of ${of.sku}`);
}

function elasticAmount(profile: PriceProfile, items: readonly ElasticItem[], days: number): Fen {
  const price = elasticPrice(profile, items, days);
  return present(price.kind === "priced" ? price.amount : undefined, "elastic price");
}

/** RFC 3339 as the billing zone's clock shows it. */
function local(at: number): string {
  const offset = offsetMs(billingZone, at);
  const hours = String(offset / 3_600_000).padStart(2, "0");
  return `${new Date(at + offset).toISOString().slice(0, 19)}+${hours}:00`;
}
