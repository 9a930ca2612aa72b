import fc from "fast-check";
import { expect, test } from "vitest";

import { defaultProfile, defaultProfileJson, parsePriceProfile } from "#catalog/profile.ts";
import { rateMonth, totalOf } from "#flow/rate/decide.ts";
import { priceOn } from "#flow/rate/prices.ts";
import { addDays, localDay, localMonth, type LocalDay } from "#kernel/calendar.ts";
import { fen, parseFen, zeroFen } from "#kernel/money.ts";
import { rational, type Rational } from "#kernel/rational.ts";

import { bookOf, replayTenant, summarized, type TenantHistory } from "./replay.ts";

const month = localMonth("2026-05");
const first = localDay("2026-05-01");
const through = localDay("2026-05-31");
const hour = 3600n;

function history(usage: TenantHistory["usage"], charged = zeroFen): TenantHistory {
  return {
    tenantId: "t",
    name: "T",
    usage,
    charged,
    contracts: [],
    tierOn: () => "normal",
    registered: first,
    ratedFrom: first,
    payments: [{ day: first, amount: parseFen("6000.00") }],
  };
}

function hours(sku: string, count: bigint): Map<string, Map<LocalDay, Rational>> {
  return new Map([[sku, new Map([[first, rational(count * hour)]])]]);
}

const someDays = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.bigInt({ min: 0n, max: 10_000_000n })), {
    maxLength: 12,
  })
  .map((list) => new Map(list.map(([day, seconds]) => [addDays(first, day), rational(seconds)])));

test("under the profile that was in force a replay gives what was charged, to the fen", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("gpu.A100", "cpu.core", "storage"), someDays),
      (by) => {
        const usage = new Map(Object.entries(by));
        const prices = {
          book: bookOf(defaultProfile),
          contracts: [],
          tierOn: () => "normal" as const,
        };
        let charged = zeroFen;
        for (const [sku, days] of usage) {
          const priceOf = (each: string, day: LocalDay) => priceOn(prices, each, day);
          const rated = rateMonth({ sku, month, days, priceOf });
          charged = fen(charged + (rated.kind === "rated" ? totalOf(rated.lines) : 0n));
        }
        const ask = { month, through, profile: defaultProfile };
        const replayed = replayTenant(history(usage, charged), ask);
        expect(replayed.after).toBe(charged);
      },
    ),
  );
});

test("other prices, missing prices and other thresholds show for whom they matter", () => {
  const profile = parsePriceProfile({
    ...defaultProfileJson,
    payg_hourly: { "gpu.T4": "6" },
    tier_thresholds: { ...defaultProfileJson.tier_thresholds, gold_cumulative: "10000.00" },
  });
  const ask = { month, through, profile };
  const dearer = replayTenant(history(hours("gpu.T4", 10n), parseFen("50.00")), ask);
  expect(dearer).toMatchObject({ before: 5000n, after: 6000n, unpriced: [] });
  expect(dearer).toMatchObject({ tierBefore: "normal", tierAfter: "normal" });
  const same = replayTenant(history(new Map()), { month, through, profile: defaultProfile });
  expect(same.tierAfter).toBe("gold");
  const gone = replayTenant(history(hours("gpu.A10", 1n), parseFen("15.00")), ask);
  expect(gone).toMatchObject({ after: 0n, unpriced: ["gpu.A10"] });
  expect(summarized([gone, dearer])).toMatchObject({
    before: 6500n,
    after: 6000n,
    winners: 1,
    losers: 1,
    tenants: [{ before: 1500n }, { before: 5000n }],
  });
});
