/**
 * Who pays a line (R-ORD-1): package principal, package bonus, wallet, receivable. Pure.
 *
 * What must stay true: packages pay only the part of a line that is of managed jobs (R-PKG-5), and
 * only lines of the days that they may be used on (R-PKG-2), in the order of R-PKG-3, principal
 * before bonus (R-PKG-4); what packages and cash pay sums to the line; no package goes below zero.
 */
import { paidFromPurse, type PackageShare, type PaidBy } from "#flow/ledger/charges.ts";
import { purseLess, type Purse } from "#flow/ledger/journal.ts";
import type { LocalDay } from "#kernel/calendar.ts";
import { addFen, fen, negateFen, subtractFen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";

/** A package that is open. */
export interface PackageFunds {
  readonly id: string;
  readonly usableFrom: LocalDay;
  /** Included. */
  readonly usableThrough: LocalDay;
  readonly principal: Fen;
  readonly bonus: Fen;
}

export interface Funds {
  /** In the order in which they pay: `drawdownOrder`. */
  readonly packages: readonly PackageFunds[];
  readonly purse: Purse;
}

export interface LinePayment extends PaidBy {
  /**
   * What an adjustment gave back for packages that have ended, negative: principal went to the
   * wallet, bonus to nobody. No part of the sum; it says what cannot be given back again.
   */
  readonly ended: readonly PackageShare[];
}

/** The line so far: what earlier revisions of the same day and SKU came to, oldest first. */
export interface PaidBefore {
  readonly jobAmount: Fen;
  readonly paid: LinePayment;
}

export interface LineToPay {
  readonly day: LocalDay;
  readonly amount: Fen;
  /** The part of the amount that is of jobs and may be paid by packages. */
  readonly jobAmount: Fen;
  /** Empty but for adjustments. */
  readonly before: readonly PaidBefore[];
}

export interface Paid {
  readonly paid: LinePayment;
  /** What is left. */
  readonly funds: Funds;
}

/** R-PKG-3: earliest last usable date, then earliest purchase date, then id. */
export function drawdownOrder(a: PackageFunds, b: PackageFunds): number {
  return (
    byText(a.usableThrough, b.usableThrough) ||
    byText(a.usableFrom, b.usableFrom) ||
    byText(a.id, b.id)
  );
}

/** Pays a line, or gives back what it is negative by (R-LATE-2). */
export function payLine(funds: Funds, line: LineToPay): Paid {
  const { packages, shares, ended } =
    line.jobAmount < 0n ? giveBack(funds.packages, line) : draw(funds.packages, line);
  const promotion = fen(ended.reduce((sum, { bonus }) => sum + bonus, 0n));
  const byPackages = sumFen(shares.map(({ principal, bonus }) => addFen(principal, bonus)));
  const cash = subtractFen(subtractFen(line.amount, byPackages), promotion);
  const paid = { ...paidFromPurse(funds.purse, cash), packages: shares, promotion, ended };
  return { paid, funds: { packages, purse: purseLess(funds.purse, paid) } };
}

interface PackagesPart {
  readonly packages: readonly PackageFunds[];
  readonly shares: readonly PackageShare[];
  readonly ended: readonly PackageShare[];
}

function draw(packages: readonly PackageFunds[], { day, jobAmount }: LineToPay): PackagesPart {
  let due = jobAmount;
  const shares: PackageShare[] = [];
  const left = packages.map((each) => {
    if (day < each.usableFrom || day > each.usableThrough || due === 0n) return each;
    const principal = smaller(due, each.principal);
    const bonus = smaller(subtractFen(due, principal), each.bonus);
    due = subtractFen(subtractFen(due, principal), bonus);
    if (principal === 0n && bonus === 0n) return each;
    shares.push({ packageId: each.id, principal, bonus });
    return {
      ...each,
      principal: subtractFen(each.principal, principal),
      bonus: subtractFen(each.bonus, bonus),
    };
  });
  return { packages: left, shares, ended: [] };
}

/**
 * In reverse: what was paid in cash first, then the package that paid last, its bonus before its
 * principal. For a package that has ended the principal goes to the wallet and the bonus to nobody,
 * as when a package is refunded (R-PKG-7).
 */
function giveBack(
  packages: readonly PackageFunds[],
  { jobAmount, before }: LineToPay,
): PackagesPart {
  const paid = sharesOf(before);
  const byPackages = sumFen(paid.map(({ principal, bonus }) => addFen(principal, bonus)));
  const inCash = subtractFen(sumFen(before.map((each) => each.jobAmount)), byPackages);
  const asked = negateFen(jobAmount);
  let due = subtractFen(asked, smaller(asked, larger(inCash, zeroFen)));
  const left = new Map(packages.map((each) => [each.id, each]));
  const [shares, ended]: [PackageShare[], PackageShare[]] = [[], []];
  for (const share of paid.toReversed()) {
    const bonus = smaller(due, share.bonus);
    const principal = smaller(subtractFen(due, bonus), share.principal);
    if (principal === 0n && bonus === 0n) continue;
    due = subtractFen(subtractFen(due, bonus), principal);
    const given = {
      packageId: share.packageId,
      principal: negateFen(principal),
      bonus: negateFen(bonus),
    };
    const open = left.get(share.packageId);
    if (open === undefined) {
      ended.push(given);
      continue;
    }
    shares.push(given);
    left.set(open.id, {
      ...open,
      principal: addFen(open.principal, principal),
      bonus: addFen(open.bonus, bonus),
    });
  }
  return { packages: [...left.values()], shares, ended };
}

/** What each package has paid of a line, less what it got back; in the order in which they paid. */
function sharesOf(before: readonly PaidBefore[]): PackageShare[] {
  const sums = new Map<string, PackageShare>();
  for (const share of before.flatMap(({ paid }) => [...paid.packages, ...paid.ended])) {
    const known = sums.get(share.packageId);
    sums.set(share.packageId, {
      packageId: share.packageId,
      principal: addFen(known?.principal ?? zeroFen, share.principal),
      bonus: addFen(known?.bonus ?? zeroFen, share.bonus),
    });
  }
  return [...sums.values()];
}

function smaller(a: Fen, b: Fen): Fen {
  return a < b ? a : b;
}

function larger(a: Fen, b: Fen): Fen {
  return a > b ? a : b;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
