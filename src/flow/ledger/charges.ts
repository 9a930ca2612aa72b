/**
 * Journals of what a tenant is charged: days of usage, late usage, orders, and orders given back.
 * Pure. Which package pays how much of a line is decided where lines are rated; here it is booked.
 */
import { assert } from "#kernel/assert.ts";
import type { LocalDay } from "#kernel/calendar.ts";
import { addFen, fen, negateFen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";

import {
  intoPurse,
  journal,
  move,
  moveOf,
  outOfPurse,
  type JournalDraft,
  type Posting,
  type Purse,
} from "./journal.ts";

/** What one package paid of a line. All negative where an adjustment gives credit back to it. */
export interface PackageShare {
  readonly packageId: string;
  readonly principal: Fen;
  readonly bonus: Fen;
}

/**
 * How a line is paid; the parts sum to its amount. In an adjustment that gives money back they are
 * negative.
 */
export interface PaidBy {
  readonly packages: readonly PackageShare[];
  readonly wallet: Fen;
  readonly receivable: Fen;
  /** Given back of a bonus that no longer exists: to nobody. Zero or less. */
  readonly promotion: Fen;
}

export interface ChargedLine {
  readonly sku: string;
  /** May be negative in an adjustment, and zero anywhere. */
  readonly amount: Fen;
  readonly paid: PaidBy;
}

export function paidInAll(paid: PaidBy): Fen {
  const byPackages = paid.packages.map(({ principal, bonus }) => addFen(principal, bonus));
  return sumFen([...byPackages, paid.wallet, paid.receivable, paid.promotion]);
}

/**
 * The lines of one local day, which become final (R-DAY-3); `undefined` if they cost nothing
 * together and apart, since then nothing moves.
 */
export function charge(ask: {
  readonly day: LocalDay;
  readonly lines: readonly ChargedLine[];
}): JournalDraft | undefined {
  return charged({
    kind: "charge",
    key: `charge:${ask.day}`,
    description: `Usage of ${ask.day}`,
    lines: ask.lines,
  });
}

/** Usage of a posted day that arrived late, or was taken back (R-LATE-1, R-LATE-2). */
export function adjustment(ask: {
  readonly serviceDay: LocalDay;
  readonly revision: number;
  readonly line: ChargedLine;
}): JournalDraft | undefined {
  const { serviceDay, revision, line } = ask;
  return charged({
    kind: "adjustment",
    key: `adjustment:${serviceDay}:${line.sku}:${revision}`,
    description: `Late usage of ${serviceDay}: ${line.sku}`,
    lines: [line],
  });
}

/** One order item, from the wallet: packages never pay orders (R-PKG-5). */
export function orderCharge(ask: {
  readonly orderItemId: string;
  readonly sku: string;
  readonly amount: Fen;
  readonly description: string;
  readonly purse: Purse;
}): JournalDraft {
  assert(ask.amount > 0n, "an order that is charged costs something");
  return journal({
    kind: "order",
    key: `order:${ask.orderItemId}`,
    description: ask.description,
    postings: [...outOfPurse(ask.purse, ask.amount), move("revenue", ask.amount, ask.sku)],
  });
}

/** Part or all of an order given back to the wallet. `refundId` names the refund, not the order. */
export function orderRefund(ask: {
  readonly refundId: string;
  readonly sku: string;
  readonly amount: Fen;
  readonly description: string;
  readonly purse: Purse;
}): JournalDraft {
  assert(ask.amount > 0n, "a refund is more than zero");
  return journal({
    kind: "order_refund",
    key: `order-refund:${ask.refundId}`,
    description: ask.description,
    postings: [
      move("revenue", negateFen(ask.amount), ask.sku),
      ...intoPurse(ask.purse, ask.amount),
    ],
  });
}

interface Charged {
  readonly kind: "charge" | "adjustment";
  readonly key: string;
  readonly description: string;
  readonly lines: readonly ChargedLine[];
}

/** One posting for the wallet and for what is owed, one per SKU for revenue and for each package. */
function charged({ lines, ...rest }: Charged): JournalDraft | undefined {
  for (const { amount, paid } of lines) {
    assert(paidInAll(paid) === amount, "what pays a line sums to it");
  }
  const whole = (part: (paid: PaidBy) => Fen): Fen =>
    negateFen(sumFen(lines.map(({ paid }) => part(paid))));
  const postings: Posting[] = [
    ...lines.flatMap(({ sku, paid }) => paid.packages.flatMap((share) => drawn(sku, share))),
    move(
      "wallet",
      whole(({ wallet }) => wallet),
    ),
    move(
      "receivable",
      whole(({ receivable }) => receivable),
    ),
    move(
      "promotion",
      whole(({ promotion }) => promotion),
    ),
    ...lines.map(({ sku, amount }) => move("revenue", amount, sku)),
  ].filter(({ amount }) => amount !== 0n);
  return postings.length === 0 ? undefined : journal({ ...rest, postings });
}

function drawn(sku: string, { packageId, principal, bonus }: PackageShare): Posting[] {
  return [
    moveOf("principal", packageId, { amount: negateFen(principal), note: sku }),
    moveOf("bonus", packageId, { amount: negateFen(bonus), note: sku }),
  ];
}

/** A line that no package pays. A negative amount is given back: to what is owed first. */
export function paidFromPurse(purse: Purse, amount: Fen): PaidBy {
  const postings =
    amount >= 0n ? outOfPurse(purse, amount) : intoPurse(purse, fen(negateFen(amount)));
  const of = (account: "wallet" | "receivable"): Fen =>
    negateFen(
      sumFen(postings.filter((each) => each.account === account).map((each) => each.amount)),
    );
  return { packages: [], wallet: of("wallet"), receivable: of("receivable"), promotion: zeroFen };
}
