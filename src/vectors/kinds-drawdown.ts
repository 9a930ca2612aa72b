/** Vectors of who pays: packages in their order, then cash. */
import { z } from "zod";

import { orderCharge } from "#flow/ledger/charges.ts";
import {
  drawdownOrder,
  payLine,
  type Funds,
  type LinePayment,
  type PackageFunds,
} from "#flow/rate/drawdown.ts";
import { jobShare } from "#flow/rate/lines.ts";
import { packageOffer } from "#orders/package-rules.ts";
import { addDays, localDay, type LocalDay } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { addFen, formatFen, subtractFen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";
import { secondsPerHour } from "#kernel/quantity.ts";
import { multiply, rational } from "#kernel/rational.ts";

import { day, decimal, kindOf, monthCost, yuan, type VectorKind } from "./schema.ts";

const packageShape = z
  .object({ id: z.string(), purchased: day, last_usable: day, principal: yuan, bonus: yuan })
  .transform(({ purchased, last_usable: usableThrough, ...rest }): PackageFunds => ({
    ...rest,
    usableFrom: purchased,
    usableThrough,
  }));

/** A day within all packages of the vectors that name none. */
const someDay = localDay("2026-05-04");

export const drawdownKinds = {
  package_drawdown: kindOf(
    z.object({
      packages: z.array(packageShape),
      compute_lines: z.array(z.object({ date: day, amount: yuan })),
    }),
    (input) => {
      let funds = fundsOf(input.packages);
      const allocations = input.compute_lines.map(({ date, amount }) => {
        const paid = payLine(funds, computeLine(date, amount));
        funds = paid.funds;
        const from = paid.paid.packages.flatMap(({ packageId, principal, bonus }) => [
          { package: packageId, part: "principal", amount: principal },
          { package: packageId, part: "bonus", amount: bonus },
        ]);
        return {
          date,
          amount: formatFen(amount),
          from: from
            .filter((each) => each.amount > 0n)
            .map((each) => ({ ...each, amount: formatFen(each.amount) })),
          cash: formatFen(cashOf(paid.paid)),
        };
      });
      const remaining = funds.packages.map(({ id, ...left }) => [id, leftOf(left)] as const);
      return {
        allocations,
        cash_due: formatFen(funds.purse.owed),
        remaining: Object.fromEntries(remaining),
      };
    },
  ),

  package_scope: kindOf(
    z.object({
      packages: z.array(packageShape),
      lines: z.array(z.object({ category: z.string(), amount: yuan })),
    }),
    ({ packages, lines }) => {
      let funds = fundsOf(packages);
      let byPackage: Fen = zeroFen;
      for (const { category, amount } of lines) {
        const scoped = scopedLine(category, amount);
        if (scoped === "order") {
          funds = { ...funds, purse: afterOrder(funds, category, amount) };
          continue;
        }
        const paid = payLine(funds, scoped);
        funds = paid.funds;
        byPackage = addFen(byPackage, packagesOf(paid.paid));
      }
      const [first] = funds.packages;
      return {
        paid_by_package: formatFen(byPackage),
        cash_due: formatFen(funds.purse.owed),
        package_remaining: first && leftOf(first),
      };
    },
  ),

  order_of_application: kindOf(
    z.object({ sku: z.string(), gpu_hours: decimal, packages: z.array(z.string()) }),
    ({ sku, gpu_hours: hours, packages }, profile) => {
      const rated = monthCost(profile, sku, multiply(hours, rational(secondsPerHour)));
      const funds = fundsOf(
        packages.map((code, index): PackageFunds => {
          const offer = packageOffer(profile, code);
          if (offer === undefined) throw new Failure("not_found", `There is no package ${code}.`);
          return {
            id: `k${index}`,
            usableFrom: someDay,
            usableThrough: addDays(someDay, 1),
            principal: offer.price,
            bonus: offer.bonus,
          };
        }),
      );
      const { paid } = payLine(funds, computeLine(someDay, rated));
      return {
        rated: formatFen(rated),
        principal_used: formatFen(sumFen(paid.packages.map(({ principal }) => principal))),
        bonus_used: formatFen(sumFen(paid.packages.map(({ bonus }) => bonus))),
        cash_due: formatFen(cashOf(paid)),
      };
    },
  ),
} satisfies Record<string, VectorKind>;

/** An empty wallet: what packages do not pay is due. */
function fundsOf(packages: readonly PackageFunds[]): Funds {
  return {
    packages: packages.toSorted(drawdownOrder),
    purse: { wallet: zeroFen, owed: zeroFen },
  };
}

/** All of it of managed jobs. */
function computeLine(onDay: LocalDay, amount: Fen): Parameters<typeof payLine>[1] {
  return { day: onDay, amount, jobAmount: amount, before: [] };
}

/** Compute and storage are metered lines; everything else is ordered. */
function scopedLine(category: string, amount: Fen): Parameters<typeof payLine>[1] | "order" {
  if (category === "compute") return computeLine(someDay, amount);
  if (category !== "storage") return "order";
  const quantity = rational(1n);
  const jobAmount = jobShare(amount, { sku: "storage", quantity, jobQuantity: quantity });
  return { day: someDay, amount, jobAmount, before: [] };
}

function afterOrder({ purse }: Funds, sku: string, amount: Fen): Funds["purse"] {
  const draft = orderCharge({ orderItemId: sku, sku, amount, description: "", purse });
  const change = (account: string): Fen =>
    sumFen(draft.postings.filter((each) => each.account === account).map((each) => each.amount));
  return {
    wallet: addFen(purse.wallet, change("wallet")),
    owed: subtractFen(purse.owed, change("receivable")),
  };
}

function cashOf({ wallet, receivable }: LinePayment): Fen {
  return addFen(wallet, receivable);
}

function packagesOf({ packages }: LinePayment): Fen {
  return sumFen(packages.map(({ principal, bonus }) => addFen(principal, bonus)));
}

function leftOf({ principal, bonus }: Pick<PackageFunds, "principal" | "bonus">): {
  principal: string;
  bonus: string;
} {
  return { principal: formatFen(principal), bonus: formatFen(bonus) };
}
