/** The rules of what is bought ahead, where the price document's examples say nothing. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { defaultProfile, defaultProfileJson, parsePriceProfile } from "#catalog/profile.ts";
import { addDays, dayOf, dayStart, localDay } from "#kernel/calendar.ts";
import { addFen, fen, formatFen, parseFen, type Fen } from "#kernel/money.ts";
import { formatRational } from "#kernel/rational.ts";
import { billingZone, timeZone } from "#kernel/zone.ts";

import { earlyEnd } from "./early-end.ts";
import {
  dayUnitMs,
  elasticDaysMaxUntil,
  elasticPrice,
  elasticRelease,
  type ElasticRelease,
} from "./elastic.ts";
import { packageOffer, reminderDue, validityFrom } from "./package-rules.ts";
import { upgradeCharge } from "./proration.ts";
import { renewalPrice } from "./renewal.ts";
import { bundleOf, isOptimizationQuote, supportPrice } from "./services.ts";
import { monthMarkAt, monthsStarted, periods } from "./term.ts";
import { annualPrice, termPrice, termsOffered } from "./vm-price.ts";

const profile = defaultProfile;
const day = localDay;
const a100x1 = "vm.a100x1";
const anyDay = fc.integer({ min: 0, max: 5000 }).map((days) => addDays(day("2024-01-01"), days));

function creditOf(code: string): string {
  return formatFen(packageOffer(profile, code)?.credit ?? fen(0n));
}

function daysOfA100(days: number): Fen {
  const found = elasticPrice(profile, [{ sku: "gpu.A100", units: 1 }], days);
  if (found.kind !== "priced") throw new Error("no price");
  return found.amount;
}

function released(days: number, afterMs: number): ElasticRelease {
  const times = { activatedAt: 1000, releasedAt: 1000 + afterMs };
  return elasticRelease({ days, ...times, charge: daysOfA100 });
}

test("P-07, R-PKG-2: packages last 3, 6 and 12 months, to the end of their last local day", () => {
  const last = (code: string, bought: string): string => {
    const months = packageOffer(profile, code)?.validMonths ?? 0;
    return validityFrom(billingZone, day(bought), months).usableThrough;
  };
  expect([last("P1000", "2026-01-10"), last("P5000", "2026-01-10")]).toEqual([
    "2026-04-10",
    "2026-07-10",
  ]);
  expect(last("P10000", "2028-02-29")).toBe("2029-02-28");
  expect(packageOffer(profile, "P2000")).toBeUndefined();
  expect(packageOffer(profile, "toString")).toBeUndefined();
});

test("P-08, R-PKG-1: the bonus is of each purchase, rounded to the fen", () => {
  expect(["P1000", "P5000", "P10000"].map(creditOf)).toEqual(["1050.00", "5500.00", "11500.00"]);
});

test("R-PKG-6: the nearest reminder is due, however long nobody looked", () => {
  const through = day("2026-08-31");
  const due = (on: string): number | undefined => reminderDue(profile, through, day(on));
  expect(["2026-07-31", "2026-08-01", "2026-08-24", "2026-08-30", "2026-09-02"].map(due)).toEqual([
    undefined,
    30,
    7,
    1,
    1,
  ]);
});

test("P-09, P-10, P-11, R-VM-1: a year costs what the list says, ten months' price", () => {
  const year = annualPrice(profile, a100x1);
  expect(year?.amount).toBe(parseFen("150000.00"));
  expect(year === undefined ? "" : formatRational(year.multiplier)).toBe("5/6");
  expect(annualPrice(profile, "vm.a100x2")?.amount).toBe(parseFen("280000.00"));
  expect(annualPrice(profile, "vm.t4x1")).toBeUndefined();
});

test("P-22, R-VM-3: quarters are sold when the profile says so", () => {
  const other = parsePriceProfile({ ...defaultProfileJson, quarterly_enabled: true });
  expect([termsOffered(profile), termsOffered(other)]).toEqual([
    ["monthly", "annual"],
    ["monthly", "quarterly", "annual"],
  ]);
  expect(termPrice(other, a100x1, "quarterly")).toBe(parseFen("45000.00"));
});

test("R-VM-2: boundaries have the start's time of day, also in a zone that changes its clock", () => {
  const zone = timeZone("Europe/Berlin");
  const at = dayStart(zone, day("2026-01-31")) + 14.5 * 3_600_000;
  const shown = (months: number): string =>
    new Date(monthMarkAt({ zone, at }, months)).toISOString();
  expect([1, 2, 3].map(shown)).toEqual([
    "2026-02-28T13:30:00.000Z",
    "2026-03-31T12:30:00.000Z",
    "2026-04-30T12:30:00.000Z",
  ]);
  // The day that the clock goes forward has 23 hours.
  const late = dayStart(zone, day("2026-02-28")) + 23.5 * 3_600_000;
  const mark = monthMarkAt({ zone, at: late }, 1);
  expect(dayOf(zone, mark)).toBe("2026-03-28");
  const short = dayStart(zone, day("2026-01-29")) + 23.5 * 3_600_000;
  expect(dayOf(zone, monthMarkAt({ zone, at: short }, 2))).toBe("2026-03-29");
});

test("R-VM-2: periods join, and the months that have begun are counted by the same marks", () => {
  fc.assert(
    fc.property(anyDay, fc.integer({ min: 1, max: 40 }), (start, count) => {
      const all = periods(start, "monthly", count);
      const of = { anchor: start, fromMonth: 0 };
      all.forEach(({ from, until }, index) => {
        expect(from < until).toBe(true);
        expect(all[index + 1]?.from ?? until).toBe(until);
        expect(monthsStarted(of, from)).toBe(index + 1);
        expect(monthsStarted(of, addDays(until, -1))).toBe(index + 1);
      });
    }),
    { numRuns: 200 },
  );
});

test("P-12, R-VM-7: the first monthly price stays the base of annual renewals, if it is lower", () => {
  const dearer = parsePriceProfile({
    ...defaultProfileJson,
    vm: { [a100x1]: { monthly: "20000.00", annual: "200000.00" } },
  });
  const renewal = (tier: "normal" | "gold" | "diamond", lockedMonthly: string | undefined) =>
    renewalPrice({
      profile: dearer,
      sku: a100x1,
      term: "annual",
      lastTerm: "annual",
      tier,
      daysAfterEnd: 0,
      lockedMonthly: lockedMonthly === undefined ? undefined : parseFen(lockedMonthly),
    });
  expect(renewal("gold", undefined)?.amount).toBe(parseFen("192000.00"));
  expect(renewal("gold", "15000.00")).toMatchObject({
    list: parseFen("200000.00"),
    amount: parseFen("144000.00"),
    discounts: [
      { rule: "R-VM-4", amount: parseFen("-8000.00") },
      { rule: "R-VM-7", amount: parseFen("-48000.00") },
    ],
  });
  // The lock helps who has no tier, too; and a price that fell is not locked.
  expect(renewal("normal", "15000.00")?.amount).toBe(parseFen("180000.00"));
  expect(renewal("normal", undefined)?.amount).toBe(parseFen("200000.00"));
  expect(renewal("diamond", "30000.00")?.amount).toBe(parseFen("144000.00"));
});

test("C-10, R-VM-4: only a year after a year, in time, is a renewal at the tier's price", () => {
  const ask = { profile, sku: a100x1, tier: "diamond", daysAfterEnd: -20 } as const;
  const amount = (change: Partial<Parameters<typeof renewalPrice>[0]>): string => {
    const of = { ...ask, term: "annual", lastTerm: "annual", ...change } as const;
    return formatFen(renewalPrice(of)?.amount ?? fen(0n));
  };
  expect(amount({})).toBe("108000.00");
  expect(amount({ lastTerm: "monthly" })).toBe("150000.00");
  expect(amount({ term: "monthly" })).toBe("15000.00");
  expect(amount({ daysAfterEnd: 31 })).toBe("150000.00");
  expect(renewalPrice({ ...ask, sku: "vm.x", term: "annual", lastTerm: "annual" })).toBeUndefined();
});

test("R-VM-5: an upgrade on the first day costs the difference, on the last a day of it", () => {
  const period = { from: day("2026-04-01"), until: day("2026-05-01") };
  const prices = { oldPrice: parseFen("15000.00"), newPrice: parseFen("28000.00") };
  const charge = (on: string): string =>
    formatFen(upgradeCharge({ period, changeOn: day(on), ...prices }).charge);
  expect([charge("2026-04-01"), charge("2026-04-30")]).toEqual(["13000.00", "433.33"]);
});

test("R-VM-6, A-25: months are not given back; a cooling-off switch gives all back in its days", () => {
  const ask = {
    paid: parseFen("15000.00"),
    monthlyListOf: () => parseFen("15000.00"),
  };
  const dates = {
    anchor: day("2026-01-01"),
    fromMonth: 0,
    endsOn: day("2026-01-04"),
    coolingOffDays: 0,
  };
  expect(earlyEnd({ term: "monthly", ...ask, ...dates }).refund).toBe(0n);
  const cooling = { ...dates, coolingOffDays: 5 };
  expect(earlyEnd({ term: "monthly", ...ask, ...cooling })).toMatchObject({ rule: "A-25" });
  expect(earlyEnd({ term: "monthly", ...ask, ...cooling }).refund).toBe(ask.paid);
  const late = { ...cooling, endsOn: day("2026-01-06") };
  expect(earlyEnd({ term: "monthly", ...ask, ...late }).refund).toBe(0n);
});

test("P-14, R-ELA-3: what is kept and what is given back add up; a begun day is kept", () => {
  expect(released(3, dayUnitMs)).toMatchObject({ daysCharged: 1 });
  expect(released(3, dayUnitMs + 1)).toMatchObject({ daysCharged: 2 });
  expect(released(3, 0)).toMatchObject({ daysCharged: 1 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(70 * dayUnitMs), (days, afterMs) => {
      const { charged, refund, daysCharged } = released(days, afterMs);
      expect(addFen(charged, refund)).toBe(daysOfA100(days));
      expect(refund >= 0n && daysCharged <= days).toBe(true);
    }),
  );
});

test("P-15, R-ELA-1: expansion prices by the day; what has none is not sold", () => {
  const items = [
    { sku: "gpu.A100", units: 1 },
    { sku: "cpu.core", units: 1 },
    { sku: "mem.gib", units: 1 },
  ];
  expect(elasticPrice(profile, items, 1)).toMatchObject({ amount: parseFen("622.00") });
  expect(elasticPrice(profile, [...items, { sku: "gpu.T4", units: 1 }], 1)).toEqual({
    kind: "on_request",
    skus: ["gpu.T4"],
  });
  expect(elasticDaysMaxUntil(0, 2 * dayUnitMs - 1)).toBe(1);
  expect(elasticDaysMaxUntil(dayUnitMs, 0)).toBe(0);
});

test("P-17, P-18, P-19, R-VAS-1, R-VAS-2: services alone and bundled, each with its price", () => {
  expect(isOptimizationQuote(profile, parseFen("5000.00"))).toBe(true);
  expect(isOptimizationQuote(profile, parseFen("20000.01"))).toBe(false);
  expect(supportPrice(profile, "gold")).toBe(parseFen("3000.00"));
  expect(supportPrice(profile, "diamond")).toBe(0n);
  const bundled = parsePriceProfile({
    ...defaultProfileJson,
    bundles: {
      start: {
        description: "Three months of support and one optimization",
        price: "12000.00",
        support_24x7_months: 3,
        model_optimizations: 1,
      },
    },
  });
  expect(bundleOf(bundled, "start")).toMatchObject({ price: parseFen("12000.00") });
  expect(bundleOf(profile, "start")).toBeUndefined();
});

test("R-VM-9: what a VM contains is in the profile, in force also where an older one is silent", () => {
  expect(profile.vm_contents[a100x1]).toEqual({
    vcpus: 8,
    memory_gib: 64,
    gpu: { model: "A100", count: 1 },
  });
  expect(profile.vm_kept_days).toBe(7);
});
