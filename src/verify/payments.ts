/**
 * Who paid each line (R-ORD-1): the parts sum to it, and packages paid what they should have out of
 * what they had. How much was in the wallet on that day is in no event, so of the rest only the sum is
 * checked.
 */
import { formatFen, negateFen, zeroFen, type Fen } from "#kernel/money.ts";
import { paidInAll } from "#flow/ledger/charges.ts";
import { drawdownOrder, payLine, type PackageFunds, type PaidBefore } from "#flow/rate/drawdown.ts";

import type { Findings } from "./findings.ts";
import type { RecordOf } from "./format.ts";
import type { Bundle } from "./read.ts";
import { lineName, type Rerated } from "./rerate.ts";

export function checkPayments(
  bundle: Bundle,
  rerated: readonly Rerated[],
  findings: Findings,
): void {
  const packages = new Map(bundle.all("package").map((each) => [each.id, each]));
  const byLine = Map.groupBy(rerated, ({ record }) => `${record.day} ${record.sku}`);
  let unproved = 0;
  for (const each of rerated) {
    const { record, line } = each;
    const paid = paidInAll(line.paid);
    if (paid !== line.amount) {
      const values = { paid: formatFen(paid), amount: formatFen(line.amount) };
      findings.fail("paid_sum", lineName(record), values);
      continue;
    }
    const before = (byLine.get(`${record.day} ${record.sku}`) ?? [])
      .filter((other) => other.record.revision < record.revision)
      .toSorted((a, b) => a.record.revision - b.record.revision)
      .map((other) => ({ jobAmount: other.line.jobAmount, paid: other.line.paid }));
    const paidByPackages = line.paid.packages.length + line.paid.ended.length > 0;
    if (record.funds === undefined) {
      if (paidByPackages) unproved += 1;
      continue;
    }
    const funds = fundsOf(record.funds, packages);
    if (typeof funds === "string") {
      findings.fail("package_unknown", lineName(record), { id: funds });
      continue;
    }
    checkDrawdown(each, { funds, before }, findings);
  }
  if (unproved > 0) findings.note("packages_unproved", { count: unproved });
}

type Funded = NonNullable<RecordOf<"line">["funds"]>;

/** The id of one that is not known, or that has more than it was sold with. */
function fundsOf(
  funds: Funded,
  packages: ReadonlyMap<string, RecordOf<"package">>,
): PackageFunds[] | string {
  const found: PackageFunds[] = [];
  for (const { id, principal, bonus } of funds) {
    const sold = packages.get(id);
    if (sold === undefined || principal > sold.principal || bonus > sold.bonus) return id;
    found.push({
      id,
      usableFrom: sold.usableFrom,
      usableThrough: sold.usableThrough,
      principal,
      bonus,
    });
  }
  return found.toSorted(drawdownOrder);
}

function checkDrawdown(
  { record, line }: Rerated,
  of: { readonly funds: readonly PackageFunds[]; readonly before: readonly PaidBefore[] },
  findings: Findings,
): void {
  // A purse out of which cash can be paid as it was: what it held is the bill's word.
  const { wallet, receivable } = line.paid;
  const purse = {
    wallet: wallet > 0n ? wallet : zeroFen,
    owed: receivable < 0n ? negateFen(receivable) : zeroFen,
  };
  const ask = {
    day: record.day,
    amount: line.amount,
    jobAmount: line.jobAmount,
    before: of.before,
  };
  const { paid } = payLine({ packages: of.funds, purse }, ask);
  const accounts = new Set(
    [...paid.packages, ...line.paid.packages].map(({ packageId }) => packageId),
  );
  for (const id of accounts) {
    const [wanted, found] = [paid, line.paid].map(({ packages }) => {
      const share = packages.find(({ packageId }) => packageId === id);
      return shown(share?.principal ?? zeroFen, share?.bonus ?? zeroFen);
    });
    if (wanted === found) continue;
    const values = { account: `package ${id}`, wanted: wanted ?? "", found: found ?? "" };
    findings.fail("paid_otherwise", lineName(record), values);
  }
}

function shown(principal: Fen, bonus: Fen): string {
  return `${formatFen(principal)} + ${formatFen(bonus)}`;
}
