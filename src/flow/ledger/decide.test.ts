import fc from "fast-check";
import { expect, test } from "vitest";

import { localDay } from "#kernel/calendar.ts";
import { addFen, fen, negateFen, parseFen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";

import {
  adjustment,
  charge,
  orderCharge,
  orderRefund,
  paidFromPurse,
  paidInAll,
  type ChargedLine,
} from "./charges.ts";
import {
  creditNote,
  creditOf,
  hold,
  isSameFact,
  payout,
  releaseHold,
  topUp,
  voided,
} from "./decide.ts";
import { purseLess, type JournalDraft, type Purse } from "./journal.ts";
import { breakage, packagePurchase, packageRefund } from "./packages.ts";

const amounts = fc.bigInt({ min: 1n, max: 10n ** 12n }).map(fen);
const small = fc.bigInt({ min: 0n, max: 10n ** 9n }).map(fen);
/** Money in the wallet, or a debt, or neither. */
const purses: fc.Arbitrary<Purse> = fc.oneof(
  small.map((wallet) => ({ wallet, owed: zeroFen })),
  small.map((owed) => ({ wallet: zeroFen, owed })),
);
const day = localDay("2026-05-04");

/** What a journal takes from the purse. */
function pursePart(draft: JournalDraft | undefined): { wallet: Fen; receivable: Fen } {
  const of = (account: string): Fen =>
    negateFen(
      sumFen((draft?.postings ?? []).flatMap((p) => (p.account === account ? [p.amount] : []))),
    );
  return { wallet: of("wallet"), receivable: of("receivable") };
}

function paidLine(purse: Purse, sku: string, amount: Fen): ChargedLine {
  return { sku, amount, paid: paidFromPurse(purse, amount) };
}

/** A line that a package and the purse pay together. */
const chargedLine: fc.Arbitrary<ChargedLine> = fc
  .record({
    sku: fc.constantFrom("gpu.T4", "cpu.core", "mem.gib", "storage"),
    principal: small,
    bonus: small,
    rest: fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }).map(fen),
    purse: purses,
  })
  .map(({ sku, principal, bonus, rest, purse }) => {
    const paid = {
      ...paidFromPurse(purse, rest),
      packages: [{ packageId: "k1", principal, bonus }],
    };
    return { sku, amount: addFen(rest, addFen(principal, bonus)), paid };
  });

const drafts: fc.Arbitrary<{ draft: JournalDraft | undefined; purse: Purse }> = fc
  .record({ purse: purses, amount: amounts, left: fc.record({ principal: small, bonus: small }) })
  .chain(({ purse, amount, left }) => {
    const order = { sku: "vm.a100x1", amount, description: "", purse };
    const made: readonly (JournalDraft | undefined)[] = [
      topUp({ reference: "r", amount, purse }),
      hold({ reference: "r", amount, description: "" }),
      releaseHold({ reference: "r", amount, purse }),
      payout({ reference: "r", amount, reason: "asked for" }),
      creditNote({ reference: "r", amount, reason: "sorry", purse }),
      packagePurchase({ packageId: "k1", code: "P1000", price: amount, bonus: left.bonus }),
      packageRefund({ packageId: "k1", left, purse }),
      breakage({ packageId: "k1", left }),
      orderCharge({ orderItemId: "o1", ...order }),
      orderRefund({ refundId: "o1", ...order }),
    ];
    return fc
      .oneof(
        fc.constantFrom(...made),
        fc.array(chargedLine, { maxLength: 6 }).map((lines) => charge({ day, lines })),
        chargedLine.map((line) => adjustment({ serviceDay: day, revision: 1, line })),
      )
      .map((draft) => ({ draft, purse }));
  });

test("R-LED-1: every journal sums to zero and has no posting of zero", () => {
  fc.assert(
    fc.property(drafts, ({ draft }) => {
      const postings = draft?.postings ?? [];
      expect(sumFen(postings.map(({ amount }) => amount))).toBe(0n);
      expect(postings.some(({ amount }) => amount === 0n)).toBe(false);
      expect(postings.length).not.toBe(1);
      const packages = postings.filter(({ subject }) => subject !== "");
      expect(packages.every(({ account }) => ["principal", "bonus"].includes(account))).toBe(true);
    }),
  );
});

test("R-ORD-1: whoever has money owes nothing, after any payment either way", () => {
  fc.assert(
    fc.property(
      purses,
      fc.array(fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n })),
      (start, list) => {
        let purse = start;
        for (const amount of list.filter((each) => each !== 0n).map(fen)) {
          const draft =
            amount > 0n
              ? topUp({ reference: "r", amount, purse })
              : charge({ day, lines: [paidLine(purse, "gpu.T4", negateFen(amount))] });
          const after = purseLess(purse, pursePart(draft));
          expect(after.wallet - after.owed).toBe(purse.wallet - purse.owed + amount);
          expect(after.wallet >= 0n && after.owed >= 0n).toBe(true);
          expect(after.wallet * after.owed).toBe(0n);
          purse = after;
        }
      },
    ),
  );
});

test("R-LED-1: a journal and its void cancel out; what was spent meanwhile is owed", () => {
  fc.assert(
    fc.property(purses, purses, amounts, (then, now, amount) => {
      const draft = creditNote({ reference: "r", amount, reason: "sorry", purse: then });
      const mirror = voided({ id: "j", postings: draft.postings, reason: "wrong", purse: now });
      const both = [...draft.postings, ...mirror.postings];
      const of = (...accounts: readonly string[]): bigint =>
        sumFen(both.filter(({ account }) => accounts.includes(account)).map((each) => each.amount));
      expect([of("revenue"), of("wallet", "receivable")]).toEqual([0n, 0n]);
      const after = purseLess(now, pursePart(mirror));
      expect(after.wallet >= 0n && after.wallet * after.owed === 0n).toBe(true);
    }),
  );
});

test("a fact is the same however it was split between wallet and receivable", () => {
  const amount = parseFen("10.00");
  const paid = (purse: Purse): JournalDraft => topUp({ reference: "r", amount, purse });
  const [rich, poor] = [
    { wallet: amount, owed: zeroFen },
    { wallet: zeroFen, owed: parseFen("3.00") },
  ];
  expect(paid(rich).postings).not.toEqual(paid(poor).postings);
  expect(isSameFact(paid(rich), paid(poor))).toBe(true);
  const other = topUp({ reference: "r", amount: parseFen("9.00"), purse: rich });
  expect(isSameFact(paid(rich), other)).toBe(false);
});

test("a charge takes from the wallet what its lines say, each to revenue with its SKU", () => {
  const purse = { wallet: parseFen("100.00"), owed: zeroFen };
  const draft = charge({
    day,
    lines: [
      paidLine(purse, "cpu.core", parseFen("12.00")),
      paidLine(purse, "gpu.A10", parseFen("0.00")),
      paidLine(purse, "mem.gib", parseFen("9.60")),
    ],
  });
  expect(draft).toMatchObject({
    key: "charge:2026-05-04",
    postings: [
      { account: "wallet", amount: -2160n },
      { account: "revenue", amount: 1200n, note: "cpu.core" },
      { account: "revenue", amount: 960n, note: "mem.gib" },
    ],
  });
  expect(charge({ day, lines: [] })).toBeUndefined();
});

test("R-PKG-4: what packages pay comes from their accounts, the rest is from wallet and owed", () => {
  const line: ChargedLine = {
    sku: "gpu.T4",
    amount: parseFen("10.00"),
    paid: {
      packages: [{ packageId: "k1", principal: parseFen("4.00"), bonus: parseFen("1.00") }],
      wallet: parseFen("3.00"),
      receivable: parseFen("2.00"),
      promotion: zeroFen,
    },
  };
  expect(paidInAll(line.paid)).toBe(line.amount);
  expect(charge({ day, lines: [line] })?.postings).toEqual([
    { account: "principal", subject: "k1", amount: -400n, note: "gpu.T4" },
    { account: "bonus", subject: "k1", amount: -100n, note: "gpu.T4" },
    { account: "wallet", subject: "", amount: -300n, note: "" },
    { account: "receivable", subject: "", amount: -200n, note: "" },
    { account: "revenue", subject: "", amount: 1000n, note: "gpu.T4" },
  ]);
  const short = { ...line, amount: parseFen("10.01") };
  expect(() => charge({ day, lines: [short] })).toThrow("sums to it");
});

test("R-PKG-7: a refund gives the principal back and voids the bonus, which was a promotion", () => {
  const bought = packagePurchase({
    packageId: "k1",
    code: "P1000",
    price: parseFen("1000.00"),
    bonus: parseFen("50.00"),
  });
  expect(bought.postings.map(({ account, amount }) => [account, amount])).toEqual([
    ["wallet", -100_000n],
    ["principal", 100_000n],
    ["promotion", -5000n],
    ["bonus", 5000n],
  ]);
  const left = { principal: parseFen("400.00"), bonus: parseFen("50.00") };
  const purse = { wallet: zeroFen, owed: parseFen("30.00") };
  const refund = packageRefund({ packageId: "k1", left, purse });
  expect(refund?.postings.map(({ account, amount }) => [account, amount])).toEqual([
    ["principal", -40_000n],
    ["receivable", 3000n],
    ["wallet", 37_000n],
    ["bonus", -5000n],
    ["promotion", 5000n],
  ]);
});

test("R-DAY-3: available = balance - provisional - held", () => {
  const credit = creditOf({
    wallet: parseFen("70.00"),
    owed: zeroFen,
    held: parseFen("30.00"),
    provisional: parseFen("12.50"),
    uncovered: zeroFen,
  });
  expect(credit).toMatchObject({ balance: 10_000n, available: 5750n });
  expect(creditOf({ ...credit, uncovered: parseFen("7.50") })).toMatchObject({ available: 5000n });
  const owing = creditOf({ ...credit, wallet: zeroFen, owed: parseFen("40.00") });
  expect(owing).toMatchObject({ balance: -1000n, available: -5250n });
});

test("amounts of zero or less are bugs of the caller", () => {
  const purse = { wallet: zeroFen, owed: zeroFen };
  expect(() => topUp({ reference: "r", amount: fen(0n), purse })).toThrow("more than zero");
  expect(() => hold({ reference: "r", amount: fen(-1n), description: "" })).toThrow("more than");
});
