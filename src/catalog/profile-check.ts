/**
 * What is valid in a price profile and still worth a second look by the operator: oddities that
 * customers would notice. Warnings only; what is wrong does not parse (profile.ts).
 */
import { formatFen } from "#kernel/money.ts";
import { compare, formatRational, multiply, one, rational, zero } from "#kernel/rational.ts";

import type { PriceProfile } from "./profile.ts";

const hoursPerDay = rational(24n);

export function profileWarnings(profile: PriceProfile): string[] {
  return [
    ...freeSkus(profile),
    ...risingBands(profile),
    ...dearElastic(profile),
    ...dearYears(profile),
  ];
}

function freeSkus({ payg_hourly: hourly, storage_gib_day: storage }: PriceProfile): string[] {
  return Object.entries({ ...hourly, storage })
    .filter(([, price]) => compare(price, zero) === 0)
    .map(([sku]) => `${sku} costs nothing; leave it out to offer it on request.`);
}

function risingBands(profile: PriceProfile): string[] {
  const { payg_gpu_graduated_monthly_per_sku: bands, payg_gpu_bands_mode: mode } = profile;
  const above = bands.filter(({ multiplier }) => compare(multiplier, one) > 0).length;
  const rising = bands.some(({ multiplier }, index) => {
    const before = bands[index - 1]?.multiplier;
    return before !== undefined && compare(multiplier, before) > 0;
  });
  return [
    ...(above > 0 ? ["A volume band is dearer than the list price."] : []),
    ...(rising ? ["A volume band is dearer than the one below it."] : []),
    ...(mode === "volume"
      ? ["Bands are read as volume: using more can cost less, and a day's line can be negative."]
      : []),
  ];
}

/** R-ELA-5: an expansion that costs more than the same on demand. */
function dearElastic({ elastic_daily: daily, payg_hourly: hourly }: PriceProfile): string[] {
  return Object.entries(daily).flatMap(([sku, price]) => {
    const perHour = hourly[sku];
    if (perHour === undefined) return [];
    const onDemand = multiply(perHour, hoursPerDay);
    if (compare(price, onDemand) <= 0) return [];
    return [
      `${sku} costs ${formatRational(price)} a day as elastic expansion, ${formatRational(onDemand)} on demand.`,
    ];
  });
}

function dearYears({ vm }: PriceProfile): string[] {
  return Object.entries(vm)
    .filter(([, { monthly, annual }]) => annual > monthly * 12n)
    .map(
      ([sku, { annual }]) => `A year of ${sku} (${formatFen(annual)}) costs more than 12 months.`,
    );
}
