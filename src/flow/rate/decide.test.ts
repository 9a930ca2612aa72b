/** The promises of rating that hold for any usage, as properties over random histories. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { defaultProfile } from "#catalog/profile.ts";
import { skuPrice } from "#catalog/sku.ts";
import { addDays, daysOf, localDay, localMonth, monthOf, type LocalDay } from "#kernel/calendar.ts";
import { interval } from "#kernel/interval.ts";
import { compare, rational, sum, zero, type Rational } from "#kernel/rational.ts";
import { roundToFen } from "#kernel/rounding.ts";
import { billingZone, timeZone } from "#kernel/zone.ts";

import { costOfStep } from "./bands.ts";
import { rateMonth, totalOf, type PriceOf, type RatedMonth } from "./decide.ts";
import { planMonth, type MonthPlan } from "./plan.ts";
import { splitLine } from "./shares.ts";
import { lineOfDay, monthStart } from "./telescope.ts";
import { quantitiesByDay, type QuantitiesByDay, type Usage } from "./usage.ts";

const may = localMonth("2026-05");
const mayDays = daysOf(localDay("2026-05-01"), localDay("2026-06-01"));
const skus = ["gpu.T4", "gpu.A100", "cpu.core", "mem.gib", "storage"];
const priceOf: PriceOf = (sku) => skuPrice(defaultProfile, sku);

/** Usage in May and a little around it, of every SKU, with slices and faults. */
const usages: fc.Arbitrary<Usage[]> = fc.array(
  fc
    .record({
      source: fc.constantFrom("node-1", "node-2"),
      id: fc.uuid(),
      projectId: fc.uuid(),
      sku: fc.constantFrom(...skus),
      units: fc.bigInt({ min: 0n, max: 64n }),
      slice: fc.bigInt({ min: 1n, max: 8n }),
      from: fc.integer({ min: Date.UTC(2026, 3, 30), max: Date.UTC(2026, 5, 1) }),
      lengthMs: fc.integer({ min: 0, max: 5 * 86_400_000 }),
      billable: fc.boolean(),
      isJob: fc.boolean(),
    })
    .map(({ from, lengthMs, ...rest }) => ({ ...rest, span: interval(from, from + lengthMs) })),
  { maxLength: 30 },
);

/** Quantities of some days of May, in base units. */
const daysOfUse: fc.Arbitrary<Map<LocalDay, Rational>> = fc
  .array(
    fc.tuple(
      fc.constantFrom(...mayDays),
      fc.bigInt({ min: 1n, max: 10n ** 7n }),
      fc.bigInt({ min: 1n, max: 8n }),
    ),
    { maxLength: 31 },
  )
  .map((list) => new Map(list.map(([day, units, slice]) => [day, rational(units, slice)])));

test("R-RND-2: the days add up to the month, to the fen", () => {
  fc.assert(
    fc.property(daysOfUse, fc.constantFrom(...skus), (days, sku) => {
      const rated = ratedOf(rateMonth({ sku, month: may, days, priceOf }));
      const price = skuPrice(defaultProfile, sku);
      if (price.kind !== "priced") throw new Error("priced");
      const whole = costOfStep(price, { before: zero, after: sum(days.values()) });
      expect(totalOf(rated.lines)).toBe(roundToFen(whole));
    }),
  );
});

test("R-RND-2, R-EVT-1: order, batches and repetition of the records change nothing", () => {
  fc.assert(
    fc.property(usages, fc.array(fc.nat()), fc.integer(), (list, repeats, seed) => {
      const once = quantitiesByDay(billingZone, list);
      const again = repeats.flatMap((index) => list[index % Math.max(1, list.length)] ?? []);
      const mixed = shuffled([...list, ...again], seed);
      expect(byName(quantitiesByDay(billingZone, mixed))).toEqual(byName(once));
    }),
  );
});

test("R-PAYG-3: a record in two pieces at a whole second is the record in one", () => {
  fc.assert(
    fc.property(usages, fc.integer({ min: 0, max: 5 * 86_400 }), (list, seconds) => {
      const pieces = list.flatMap((usage) => {
        const cut = (Math.floor(usage.span.from / 1000) + seconds) * 1000;
        if (cut <= usage.span.from || cut >= usage.span.until) return [usage];
        return [
          { ...usage, span: interval(usage.span.from, cut) },
          { ...usage, id: `${usage.id}-2`, span: interval(cut, usage.span.until) },
        ];
      });
      const zone = timeZone("America/New_York");
      expect(byName(quantitiesByDay(zone, pieces))).toEqual(byName(quantitiesByDay(zone, list)));
    }),
  );
});

test("R-TIER-2: more usage never costs less, on any day", () => {
  fc.assert(
    fc.property(
      daysOfUse,
      fc.constantFrom(...skus),
      fc.constantFrom(...mayDays),
      fc.bigInt({ min: 0n, max: 10n ** 6n }),
      (days, sku, day, extra) => {
        const more = new Map(days);
        more.set(day, rational(extra + 1n + (days.get(day)?.numerator ?? 0n)));
        const cost = (of: Map<LocalDay, Rational>): bigint =>
          totalOf(ratedOf(rateMonth({ sku, month: may, days: of, priceOf })).lines);
        const smallest = new Map(days).set(day, days.get(day) ?? zero);
        expect(cost(more) >= cost(smallest)).toBe(true);
      },
    ),
  );
});

test("R-DAY-3: a day rated from what is stored before it is the day rated with the month", () => {
  fc.assert(
    fc.property(daysOfUse, fc.constantFrom(...skus), (days, sku) => {
      const whole = ratedOf(rateMonth({ sku, month: may, days, priceOf }));
      let running = monthStart;
      const oneByOne = [...days]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([day, quantity]) => {
          const price = priceOf(sku, day);
          if (price.kind !== "priced") throw new Error("priced");
          const rated = lineOfDay(running, { day, quantity, price });
          running = rated.running;
          return rated.line;
        });
      expect(oneByOne).toEqual(whole.lines);
      expect(running).toEqual(whole.running);
    }),
  );
});

test("R-PAYG-5: with a new price inside the month, the days still add up to the exact total", () => {
  fc.assert(
    fc.property(daysOfUse, fc.constantFrom(...mayDays), (days, changeDay) => {
      const changing: PriceOf = (sku, day) => {
        const price = skuPrice(defaultProfile, sku);
        if (price.kind !== "priced" || day < changeDay) return price;
        return { ...price, listPrice: rational(61n) };
      };
      const rated = ratedOf(rateMonth({ sku: "gpu.A100", month: may, days, priceOf: changing }));
      expect(totalOf(rated.lines)).toBe(roundToFen(rated.running.exact));
    }),
  );
});

test("R-LATE-1: posted, adjusted, newly posted and provisional lines are the cost of everything", () => {
  fc.assert(
    fc.property(
      daysOfUse,
      daysOfUse,
      fc.constantFrom(...skus),
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 0, max: 30 }),
      (known, all, sku, first, second) => {
        const [earlier, later] = [first, second].toSorted((a, b) => a - b);
        const postedThrough = addDays(localDay("2026-05-01"), earlier ?? 0);
        const postThrough = addDays(localDay("2026-05-01"), later ?? 0);
        const ask = { sku, month: may, priceOf, adjustableFrom: localDay("2026-04-01") };
        const firstPass = planOf({
          ...ask,
          days: known,
          posted: new Map(),
          postedThrough: undefined,
          postThrough: postedThrough,
        });
        const posted = new Map([...known].filter(([day]) => day <= postedThrough));
        const secondPass = planOf({ ...ask, days: all, posted, postedThrough, postThrough });
        const billed =
          totalOf(firstPass.post) +
          totalOf(secondPass.adjustments) +
          totalOf(secondPass.post) +
          totalOf(secondPass.provisional);
        const whole = ratedOf(rateMonth({ ...ask, days: all }));
        expect(billed).toBe(totalOf(whole.lines));
        const again = planOf({
          ...ask,
          days: all,
          posted: new Map([...all].filter(([day]) => day <= postThrough)),
          postedThrough: postThrough,
          postThrough,
        });
        expect(again.adjustments).toEqual([]);
        expect(again.post).toEqual([]);
        expect(again.provisional).toEqual(secondPass.provisional);
      },
    ),
  );
});

test("R-LATE-3: usage past the limit changes nothing", () => {
  const plan = planOf({
    sku: "gpu.T4",
    month: may,
    priceOf,
    posted: new Map([[localDay("2026-05-04"), rational(3600n)]]),
    days: new Map([
      [localDay("2026-05-03"), rational(36_000n)],
      [localDay("2026-05-04"), rational(7200n)],
    ]),
    postedThrough: localDay("2026-05-31"),
    postThrough: localDay("2026-05-31"),
    adjustableFrom: localDay("2026-05-05"),
  });
  expect(plan).toEqual({ kind: "planned", adjustments: [], post: [], provisional: [] });
});

test("R-LATE-2: usage that is taken back is a credit", () => {
  const { adjustments } = planOf({
    sku: "gpu.T4",
    month: may,
    priceOf,
    posted: new Map([[localDay("2026-05-04"), rational(7200n)]]),
    days: new Map([[localDay("2026-05-04"), rational(3600n)]]),
    postedThrough: localDay("2026-05-04"),
    postThrough: localDay("2026-05-04"),
    adjustableFrom: localDay("2026-05-01"),
  });
  expect(adjustments).toEqual([
    { serviceDay: "2026-05-04", sku: "gpu.T4", quantity: rational(-3600n), amount: -500n },
  ]);
});

test("a SKU without a price is refused, with the day, never rated at 0.00", () => {
  const days = new Map([[localDay("2026-05-04"), rational(1n)]]);
  expect(rateMonth({ sku: "gpu.H100", month: may, days, priceOf })).toEqual({
    kind: "refused",
    sku: "gpu.H100",
    day: "2026-05-04",
    reason: "no_price",
  });
});

test("R-RND-3: shares add up to the line, and none is off by a fen or more", () => {
  const parts = fc.uniqueArray(
    fc.record({
      id: fc.string({ maxLength: 4 }),
      quantity: fc.bigInt({ min: 0n, max: 10n ** 6n }).map((units) => rational(units)),
    }),
    { selector: ({ id }) => id, minLength: 1, maxLength: 12 },
  );
  fc.assert(
    fc.property(parts, fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }), (list, yuan) => {
      const total = sum(list.map(({ quantity }) => quantity));
      fc.pre(compare(total, zero) > 0);
      const line = roundToFen(rational(yuan, 100n));
      const shares = splitLine(line, list);
      expect(totalOf(shares)).toBe(line);
      expect(splitLine(line, list.toReversed())).toEqual(shares);
      for (const { id, quantity } of list) {
        const given = shares.find((share) => share.id === id)?.amount ?? 0n;
        const difference = given * total.numerator - line * quantity.numerator;
        expect(difference < total.numerator && difference > -total.numerator).toBe(true);
      }
    }),
  );
});

test("R-TIER-1: the counter restarts with the local month", () => {
  const span = interval(Date.parse("2026-05-31T12:00:00Z"), Date.parse("2026-06-01T16:00:00Z"));
  const days = quantitiesByDay(billingZone, [
    {
      source: "n",
      id: "1",
      projectId: "p",
      sku: "gpu.A100",
      units: 30n,
      slice: 1n,
      span,
      billable: true,
      isJob: false,
    },
  ]).get("gpu.A100");
  expect([...(days ?? [])].map(([day, { numerator }]) => [day, numerator, monthOf(day)])).toEqual([
    ["2026-05-31", 432_000n, "2026-05"],
    ["2026-06-01", 2_592_000n, "2026-06"],
  ]);
});

function ratedOf(rated: RatedMonth): Extract<RatedMonth, { kind: "rated" }> {
  if (rated.kind === "refused") throw new Error(`refused ${rated.sku}`);
  return rated;
}

function planOf(ask: Parameters<typeof planMonth>[0]): MonthPlan {
  const plan = planMonth(ask);
  if (plan.kind === "refused") throw new Error(`refused ${plan.sku}`);
  return plan;
}

function byName(days: QuantitiesByDay): unknown {
  return Object.fromEntries([...days].map(([sku, ofSku]) => [sku, Object.fromEntries(ofSku)]));
}

function shuffled<T>(list: readonly T[], seed: number): T[] {
  let state = seed;
  return list
    .map((item) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      return { item, state };
    })
    .toSorted((a, b) => a.state - b.state)
    .map(({ item }) => item);
}
