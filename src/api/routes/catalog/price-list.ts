/** The price list for one tenant: the profile in force, his agreed prices and his tier's benefits. */
import type { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { offeredFlavors } from "#catalog/flavors.ts";
import { loadPriceBook, pricesOn } from "#catalog/price-profiles.ts";
import type { PriceProfile } from "#catalog/profile.ts";
import { dimensionOf, listedSkus, type SkuPrice } from "#catalog/sku.ts";
import type { priceList } from "#contract/schemas/price-list.ts";
import { tierAt } from "#customers/tier-store.ts";
import { contractPrices } from "#flow/rate/contracts.ts";
import { contractOn, priceOn, type TenantPrices } from "#flow/rate/prices.ts";
import { dayOf } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen } from "#kernel/money.ts";
import { formatRational } from "#kernel/rational.ts";
import { billingZone } from "#kernel/zone.ts";
import { packageOffer } from "#orders/package-rules.ts";
import { termPrice, termsOffered } from "#orders/vm-price.ts";

type PriceList = z.output<typeof priceList>;
type Metered = PriceList["metered"][number];

export const priceListHandlers = {
  getPriceList: async (_input, { tx, tenantId, now }) => {
    const day = dayOf(billingZone, now());
    const book = await loadPriceBook(tx);
    const inForce = pricesOn(book, day);
    if (inForce === undefined) {
      throw new Failure(
        "unavailable",
        "No price profile is in force; the operator has to add one.",
      );
    }
    const tier = await tierAt(tx, tenantId, now());
    const contracts = await contractPrices(tx, tenantId);
    const prices: TenantPrices = { book, contracts, tierOn: () => tier };
    const { profile, name, version, activeFrom } = inForce;
    return {
      profile: { name, version, activeFrom },
      currency: profile.currency,
      vatRate: formatRational(profile.vat.rate),
      metered: listedSkus(profile)
        .filter((sku) => dimensionOf(sku) !== undefined)
        .map((sku) => ({
          ...showPrice(priceOn(prices, sku, day)),
          isAgreed: contractOn(contracts, sku, day)?.price !== undefined,
        })),
      gpuBands: {
        mode: profile.payg_gpu_bands_mode,
        bands: profile.payg_gpu_graduated_monthly_per_sku.map((band) => ({
          upToHours: band.upToHours === null ? null : formatRational(band.upToHours),
          multiplier: formatRational(band.multiplier),
          flat: formatRational(band.flat),
        })),
      },
      machines: machinesOf(profile, await offeredFlavors(tx)),
      packages: Object.keys(profile.packages).flatMap((code) => {
        const offer = packageOffer(profile, code);
        if (offer === undefined) return [];
        const { price, bonus, validMonths } = offer;
        return [{ code, price: formatFen(price), bonus: formatFen(bonus), validMonths }];
      }),
      expansions: Object.entries(profile.elastic_daily).map(([sku, daily]) => ({
        sku,
        daily: formatRational(daily),
      })),
      baseFeeMonthly: formatFen(profile.platform_base_fee_monthly),
    };
  },
} satisfies Partial<Handlers>;

function showPrice(price: SkuPrice): Omit<Metered, "isAgreed"> {
  const { sku } = price;
  if (price.kind === "on_request") return { sku, unit: null, price: null, benefit: null };
  const { unit, discount } = price;
  return { sku, unit, price: formatRational(price.listPrice), benefit: benefitOf(discount) };
}

function benefitOf(
  discount: Extract<SkuPrice, { kind: "priced" }>["discount"],
): Metered["benefit"] {
  if (discount.kind === "multiplier") {
    return { kind: "multiplier", multiplier: formatRational(discount.multiplier) };
  }
  if (discount.kind === "free_per_day") {
    return { kind: "free_per_day", units: formatRational(discount.units) };
  }
  return null;
}

function machinesOf(
  profile: PriceProfile,
  flavors: readonly { readonly name: string; readonly subscriptionSku: string | null }[],
): PriceList["machines"] {
  const onRequest = profile.on_request.filter((sku) => dimensionOf(sku) === undefined);
  return [...Object.keys(profile.vm), ...onRequest].map((sku) => ({
    sku,
    flavors: flavors.filter((each) => each.subscriptionSku === sku).map(({ name }) => name),
    terms: termsOffered(profile).flatMap((term) => {
      const price = termPrice(profile, sku, term);
      return price === undefined ? [] : [{ term, price: formatFen(price) }];
    }),
  }));
}
