import fc from "fast-check";
import { expect, test } from "vitest";

import { defaultProfile } from "#catalog/profile.ts";
import { addDays, localDay, type LocalDay } from "#kernel/calendar.ts";
import { fen, parseFen } from "#kernel/money.ts";

import { benefitsOf, waysUp } from "./benefits.ts";
import { isHigher, qualify, walkTiers, type Payment, type TierState } from "./tiers.ts";

const registered = localDay("2026-01-15");
const fresh: TierState = { tier: "normal", holdUntil: undefined, cumulativeFrom: registered };

function paid(...pairs: readonly (readonly [string, string])[]): Payment[] {
  return pairs.map(([day, amount]) => ({ day: localDay(day), amount: parseFen(amount) }));
}

function walk(payments: readonly Payment[], through: string, state = fresh) {
  return walkTiers({
    state,
    payments,
    after: addDays(registered, -1),
    through: localDay(through),
    rulesOn: () => defaultProfile,
  });
}

test("C-05, C-11: a new customer is normal; 5000.00 paid makes him gold at the next midnight", () => {
  const { changes } = walk(
    paid(["2026-02-01", "1000.00"], ["2026-03-10", "4000.00"]),
    "2026-03-31",
  );
  expect(changes).toMatchObject([
    { effective: "2026-03-11", tier: "gold", reason: "cumulative", holdUntil: "2027-03-11" },
  ]);
});

test("C-01, C-02, C-03: the amounts of twelve months, bounds included", () => {
  const tiers = ["500000.00", "499999.99", "100000.00", "99999.99"].map(
    (text) => qualify({ netPaid12m: parseFen(text), netPaidLast3Months: [] }, defaultProfile).tier,
  );
  expect(tiers).toEqual(["diamond", "gold", "gold", "normal"]);
});

test("C-06: three complete months of 50000.00 each make gold", () => {
  const each = parseFen("50000.00");
  const figures = { netPaid12m: fen(0n), netPaidLast3Months: [each, each, each] };
  expect(qualify(figures, defaultProfile)).toEqual({ tier: "gold", reason: "3m" });
  const short = { ...figures, netPaidLast3Months: [each, fen(each - 1n), each] };
  expect(qualify(short, defaultProfile).tier).toBe("normal");
});

test("C-15: after its hold a tier is kept, lowered by one, or lost, by what was paid", () => {
  const diamond = paid(["2026-02-10", "600000.00"]);
  // Gold on the next day by R-CT-3; diamond at the month start.
  expect(walk(diamond, "2026-03-01").changes).toMatchObject([
    { tier: "gold", effective: "2026-02-11" },
    { tier: "diamond", effective: "2026-03-01", holdUntil: "2027-03-01" },
  ]);
  const kept = walk([...diamond, ...paid(["2026-12-01", "500000.00"])], "2027-03-01");
  expect(kept.changes).toHaveLength(2);
  expect(kept.state).toMatchObject({ tier: "diamond", holdUntil: "2028-03-01" });
  const lowered = walk([...diamond, ...paid(["2026-12-01", "5000.00"])], "2027-03-01");
  expect(lowered.changes.at(-1)).toMatchObject({ tier: "gold", reason: "review" });
  const lost = walk(diamond, "2027-03-01");
  expect(lost.changes.at(-1)).toMatchObject({ tier: "normal", holdUntil: undefined });
});

test("a refund counts against what was paid, and what was paid before a fall counts no more", () => {
  const refunded = paid(["2026-02-01", "5000.00"], ["2026-02-01", "-0.01"]);
  expect(walk(refunded, "2026-12-31").changes).toEqual([]);
  const again = walk(
    paid(["2026-02-10", "5000.00"], ["2027-03-05", "4999.99"]),
    "2027-12-31",
  ).changes;
  expect(again.map(({ tier }) => tier)).toEqual(["gold", "normal"]);
});

const someDay = fc.integer({ min: 0, max: 900 }).map((offset) => addDays(registered, offset));
const somePayment = fc.record({
  day: someDay,
  amount: fc.bigInt({ min: -60_000_00n, max: 300_000_00n }).map((value) => fen(value)),
});

test("walking in pieces gives what walking at once gives, and no hold is cut short", () => {
  fc.assert(
    fc.property(fc.array(somePayment, { maxLength: 12 }), fc.array(someDay), (payments, stops) => {
      const through = localDay("2028-07-01");
      const whole = walk(payments, through);
      let state = fresh;
      let after: LocalDay = addDays(registered, -1);
      const changes = [];
      for (const stop of [...stops.toSorted(), through]) {
        // A walk sees the payments of its days only as they settle.
        const known = payments.filter(({ day }) => day < stop);
        const part = walkTiers({
          state,
          payments: known,
          after,
          through: stop,
          rulesOn: () => defaultProfile,
        });
        changes.push(...part.changes);
        ({ state } = part);
        after = stop;
      }
      expect(changes).toEqual(whole.changes);
      let before = fresh.tier;
      let hold: LocalDay | undefined;
      for (const change of whole.changes) {
        const heldStill = isHigher(before, change.tier) && change.effective < (hold ?? "");
        expect(heldStill).toBe(false);
        ({ tier: before } = change);
        hold = change.holdUntil;
      }
    }),
  );
});

test("C-07, C-08, C-09, C-12: each tier's benefits, and the ways to the next with what is missing", () => {
  expect(benefitsOf("diamond")).toMatchObject({ priority: "high", support: "24x7" });
  expect(benefitsOf("gold")).toMatchObject({ priority: "medium", support: "5x8" });
  expect(benefitsOf("normal")).toMatchObject({ priority: "basic", support: "none" });
  const payments = paid(["2026-02-01", "1000.00"]);
  const ask = { payments, today: localDay("2026-02-10"), profile: defaultProfile };
  expect(waysUp({ ...ask, state: fresh })).toEqual([
    { tier: "gold", rule: "R-CT-3", missing: parseFen("4000.00"), before: "2026-03-01" },
    { tier: "gold", rule: "R-CT-2", missing: parseFen("99000.00"), before: "2026-03-01" },
    { tier: "diamond", rule: "R-CT-2", missing: parseFen("499000.00"), before: "2026-03-01" },
  ]);
  expect(waysUp({ ...ask, state: { ...fresh, tier: "diamond" } })).toEqual([]);
});
