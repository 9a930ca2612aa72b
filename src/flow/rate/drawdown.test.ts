/** Who pays a line: the order, the split, and what comes back. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { paidInAll } from "#flow/ledger/charges.ts";
import { addDays, localDay } from "#kernel/calendar.ts";
import { fen, parseFen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";
import { rational } from "#kernel/rational.ts";

import {
  drawdownOrder,
  payLine,
  type Funds,
  type LinePayment,
  type PackageFunds,
  type PaidBefore,
} from "./drawdown.ts";
import { jobShare } from "./lines.ts";

const may = localDay("2026-05-01");

function packageOf(id: string, through: string, yuan: readonly [string, string]): PackageFunds {
  const [principal, bonus] = yuan;
  return {
    id,
    usableFrom: may,
    usableThrough: localDay(through),
    principal: parseFen(principal),
    bonus: parseFen(bonus),
  };
}

function purse(yuan: string): Funds["purse"] {
  return { wallet: parseFen(yuan), owed: zeroFen };
}

function line(yuan: string, jobs = yuan): Omit<Parameters<typeof payLine>[1], "day"> {
  return { amount: parseFen(yuan), jobAmount: parseFen(jobs), before: [] };
}

test("R-ORD-1, R-PKG-4: principal, then bonus, then wallet, then it is owed", () => {
  const packages = [packageOf("k1", "2026-08-01", ["10.00", "2.00"])];
  const { paid, funds } = payLine(
    { packages, purse: purse("3.00") },
    { ...line("20.00"), day: may },
  );
  expect(paid).toMatchObject({
    packages: [{ packageId: "k1", principal: 1000n, bonus: 200n }],
    wallet: 300n,
    receivable: 500n,
  });
  expect(funds.purse).toEqual({ wallet: 0n, owed: 500n });
  expect(funds.packages[0]).toMatchObject({ principal: 0n, bonus: 0n });
});

test("R-PKG-5: a package pays the jobs' part of a line, not that of leases", () => {
  const packages = [packageOf("k1", "2026-08-01", ["10.00", "2.00"])];
  const { paid } = payLine(
    { packages, purse: purse("30.00") },
    { ...line("20.00", "5.00"), day: may },
  );
  expect(paid).toMatchObject({ packages: [{ principal: 500n, bonus: 0n }], wallet: 1500n });
});

test("R-RND-3, R-PKG-5: a line's jobs' part is its share, to the fen; storage has none", () => {
  const cases = [
    ["gpu.T4", 1n, 3n, 333n],
    ["gpu.T4", 0n, 3n, 0n],
    ["gpu.T4", 3n, 3n, 1000n],
    ["storage", 3n, 3n, 0n],
    ["gpu.T4", 0n, 0n, 0n],
  ] as const;
  for (const [sku, jobs, all, share] of cases) {
    const used = { sku, quantity: rational(all), jobQuantity: rational(jobs) };
    expect(jobShare(parseFen("10.00"), used)).toBe(share);
  }
});

test("R-PKG-2: a package pays lines of its days, both ends included", () => {
  const packages = [{ ...packageOf("k1", "2026-05-03", ["10.00", "0.00"]), usableFrom: may }];
  const paysOn = (days: number): boolean => {
    const { paid } = payLine(
      { packages, purse: purse("9.00") },
      { ...line("1.00"), day: addDays(may, days) },
    );
    return paid.packages.length > 0;
  };
  expect([-1, 0, 2, 3].map(paysOn)).toEqual([false, true, true, false]);
});

test("R-PKG-3: earliest last day first, then the one bought first, then by id", () => {
  const [a, b, c, d] = [
    packageOf("a", "2026-09-01", ["1.00", "0.00"]),
    packageOf("b", "2026-08-01", ["1.00", "0.00"]),
    { ...packageOf("c", "2026-08-01", ["1.00", "0.00"]), usableFrom: addDays(may, -1) },
    packageOf("d", "2026-08-01", ["1.00", "0.00"]),
  ];
  expect([a, b, c, d].toSorted(drawdownOrder).map(({ id }) => id)).toEqual(["c", "b", "d", "a"]);
});

/** What a line of 20.00 was paid by: 10 + 2 of k1, 3 of k2, 5 in cash. */
const first: PaidBefore = {
  jobAmount: parseFen("20.00"),
  paid: {
    packages: [
      { packageId: "k1", principal: parseFen("10.00"), bonus: parseFen("2.00") },
      { packageId: "k2", principal: parseFen("3.00"), bonus: zeroFen },
    ],
    ended: [],
    wallet: parseFen("5.00"),
    receivable: zeroFen,
    promotion: zeroFen,
  },
};

test("R-LATE-2: what comes back goes the same way backwards: cash, last package, bonus first", () => {
  const packages = [
    packageOf("k1", "2026-08-01", ["0.00", "0.00"]),
    packageOf("k2", "2026-09-01", ["7.00", "0.00"]),
  ];
  const back = { day: may, amount: parseFen("-11.00"), jobAmount: parseFen("-11.00") };
  const { paid, funds } = payLine(
    { packages, purse: { wallet: zeroFen, owed: parseFen("4.00") } },
    { ...back, before: [first] },
  );
  expect(paid).toEqual({
    packages: [
      { packageId: "k2", principal: -300n, bonus: 0n },
      { packageId: "k1", principal: -100n, bonus: -200n },
    ],
    ended: [],
    wallet: -100n,
    receivable: -400n,
    promotion: 0n,
  });
  expect(funds).toMatchObject({
    packages: [{ principal: 100n, bonus: 200n }, { principal: 1000n }],
    purse: { wallet: 100n, owed: 0n },
  });
});

test("R-LATE-2, R-PKG-7: of a package that has ended, principal comes back as money, bonus is void", () => {
  const back = { day: may, amount: parseFen("-20.00"), jobAmount: parseFen("-20.00") };
  const nothing: Funds = { packages: [], purse: purse("0.00") };
  const { paid } = payLine(nothing, { ...back, before: [first] });
  expect(paid).toMatchObject({ packages: [], wallet: -1800n, promotion: -200n });
  const { paid: again } = payLine(nothing, {
    day: may,
    amount: parseFen("-1.00"),
    jobAmount: parseFen("-1.00"),
    before: [first, { jobAmount: back.jobAmount, paid }],
  });
  expect(again).toMatchObject({ wallet: -100n, promotion: 0n, ended: [] });
});

const amount = fc.bigInt({ min: 0n, max: 10n ** 6n }).map(fen);
const packageList: fc.Arbitrary<PackageFunds[]> = fc
  .array(fc.record({ principal: amount, bonus: amount, from: fc.nat(20), length: fc.nat(20) }), {
    maxLength: 4,
  })
  .map((list) =>
    list
      .map(({ from, length, ...rest }, index) => ({
        ...rest,
        id: `k${index}`,
        usableFrom: addDays(may, from),
        usableThrough: addDays(may, from + length),
      }))
      .toSorted(drawdownOrder),
  );
/** Charges of days, and changes of them, jobs' part and the rest apart. */
const changes = fc.array(
  fc.record({
    day: fc.nat(25).map((days) => addDays(may, days)),
    jobs: fc.bigInt({ min: -(10n ** 6n), max: 10n ** 6n }),
    leases: fc.bigInt({ min: -(10n ** 6n), max: 10n ** 6n }),
    ends: fc.option(fc.nat(3), { nil: undefined }),
  }),
  { maxLength: 25 },
);

test("R-PKG-5, R-ORD-1: paid by package + cash = rated, whatever is charged, given back or ends", () => {
  fc.assert(
    fc.property(packageList, amount, changes, (packages, wallet, list) => {
      let funds: Funds = { packages, purse: { wallet, owed: zeroFen } };
      const before = new Map<string, PaidBefore[]>();
      let rated = 0n;
      let [byPackage, inCash, toNobody] = [0n, 0n, 0n];
      for (const { day, jobs, leases, ends } of list) {
        const earlier = before.get(day) ?? [];
        const jobAmount = fen(jobs);
        const ask = { day, amount: fen(jobs + leases), jobAmount, before: earlier };
        const { paid, funds: left } = payLine(funds, ask);
        expect(paidInAll(paid)).toBe(ask.amount);
        expect(byPackages(paid) <= (jobs > 0n ? jobs : 0n)).toBe(true);
        expect(left.packages.every((each) => each.principal >= 0n && each.bonus >= 0n)).toBe(true);
        expect(total(left.packages)).toBe(total(funds.packages) - byPackages(paid));
        expect(left.purse.wallet >= 0n && left.purse.owed >= 0n).toBe(true);
        before.set(day, [...earlier, { jobAmount, paid }]);
        rated += ask.amount;
        byPackage += byPackages(paid);
        inCash += paid.wallet + paid.receivable;
        toNobody += paid.promotion;
        const isEnding = (each: PackageFunds): boolean => each.id === `k${ends}`;
        funds = { ...left, packages: left.packages.filter((each) => !isEnding(each)) };
      }
      expect(byPackage + inCash + toNobody).toBe(rated);
      for (const lines of before.values()) {
        for (const [, paidSum] of netShares(lines.map(({ paid }) => paid))) {
          expect(paidSum.principal >= 0n && paidSum.bonus >= 0n).toBe(true);
        }
      }
    }),
  );
});

function byPackages({ packages }: LinePayment): bigint {
  return packages.reduce((sum, { principal, bonus }) => sum + principal + bonus, 0n);
}

function total(packages: readonly PackageFunds[]): Fen {
  return sumFen(packages.flatMap(({ principal, bonus }) => [principal, bonus]));
}

/** No package gets more back than it paid. */
function netShares(
  paid: readonly LinePayment[],
): Map<string, { principal: bigint; bonus: bigint }> {
  const sums = new Map<string, { principal: bigint; bonus: bigint }>();
  for (const share of paid.flatMap((each) => [...each.packages, ...each.ended])) {
    const sum = sums.get(share.packageId) ?? { principal: 0n, bonus: 0n };
    sums.set(share.packageId, {
      principal: sum.principal + share.principal,
      bonus: sum.bonus + share.bonus,
    });
  }
  return sums;
}
