/**
 * Journals of packages (R-PKG-1, 6, 7): bought from the wallet, refunded to it, and what is left at
 * their end. Pure. Each package has two accounts, both named by its id: `principal`, what was paid
 * for it, and `bonus`, what came on top. What a package paid for is in charges.ts.
 */
import { assert } from "#kernel/assert.ts";
import { formatFen, negateFen, type Fen } from "#kernel/money.ts";

import { intoPurse, journal, move, moveOf, type JournalDraft, type Purse } from "./journal.ts";

export interface PackageBalance {
  /** What was paid and is not used. */
  readonly principal: Fen;
  readonly bonus: Fen;
}

/** Principal from the wallet, whose owner has that much; the bonus is what a promotion costs us. */
export function packagePurchase(ask: {
  readonly packageId: string;
  /** As on the price list, e.g. P1000. */
  readonly code: string;
  readonly price: Fen;
  readonly bonus: Fen;
}): JournalDraft {
  const { packageId, code, price, bonus } = ask;
  assert(price > 0n && bonus >= 0n, "a package has a price, and its bonus is not negative");
  return journal({
    kind: "package_purchase",
    key: `package-purchase:${packageId}`,
    description: `Package ${code}, bonus ${formatFen(bonus)}`,
    postings: [
      move("wallet", negateFen(price), code),
      moveOf("principal", packageId, { amount: price, note: code }),
      move("promotion", negateFen(bonus), code),
      moveOf("bonus", packageId, { amount: bonus, note: code }),
    ],
  });
}

/** R-PKG-7: unused principal to the wallet, the bonus void. `undefined` if nothing is left. */
export function packageRefund(ask: {
  readonly packageId: string;
  readonly left: PackageBalance;
  readonly purse: Purse;
}): JournalDraft | undefined {
  const { packageId, left, purse } = ask;
  if (left.principal === 0n && left.bonus === 0n) return undefined;
  return journal({
    kind: "package_refund",
    key: `package-refund:${packageId}`,
    description: `Package refunded, bonus of ${formatFen(left.bonus)} void`,
    postings: [
      moveOf("principal", packageId, { amount: negateFen(left.principal) }),
      ...intoPurse(purse, left.principal),
      moveOf("bonus", packageId, { amount: negateFen(left.bonus) }),
      move("promotion", left.bonus),
    ],
  });
}

/** R-PKG-6: what is left when a package expires is forfeited. `undefined` if nothing is left. */
export function breakage(ask: {
  readonly packageId: string;
  readonly left: PackageBalance;
}): JournalDraft | undefined {
  const { packageId, left } = ask;
  if (left.principal === 0n && left.bonus === 0n) return undefined;
  return journal({
    kind: "breakage",
    key: `breakage:${packageId}`,
    description: "Package expired",
    postings: [
      moveOf("principal", packageId, { amount: negateFen(left.principal) }),
      moveOf("bonus", packageId, { amount: negateFen(left.bonus) }),
      move("breakage", left.principal, "principal"),
      move("breakage", left.bonus, "bonus"),
    ],
  });
}
