/**
 * Who pays the lines of a pass: lines that become final draw down packages and wallet in the order of
 * their days, then adjustments, and what is left of a package whose last day is posted now is
 * forfeited. Provisional lines say what packages would pay of them. Pure.
 */
import type { Provisional } from "#flow/ledger/accounts.ts";
import { adjustment, charge } from "#flow/ledger/charges.ts";
import type { JournalDraft } from "#flow/ledger/journal.ts";
import type { LocalDay } from "#kernel/calendar.ts";
import { sumFen, zeroFen, type Fen } from "#kernel/money.ts";

import { payLine, type Funds, type LineToPay } from "./drawdown.ts";
import type { ChargeLine, RatedLine } from "./lines.ts";
import type { Pass } from "./pass.ts";

export interface PostingAsk {
  readonly pass: Pick<Pass, "post" | "provisional" | "postThrough">;
  /** Lines that were posted before, of the days that are adjusted. */
  readonly posted: readonly ChargeLine[];
  readonly funds: Funds;
}

export interface Posting {
  readonly post: readonly ChargeLine[];
  readonly provisional: readonly ChargeLine[];
  /** Each day's lines as one journal, each adjustment as its own; with the keys of their facts. */
  readonly drafts: readonly JournalDraft[];
  /** Packages that pay nothing more: to be forfeited after the drafts are booked. */
  readonly expired: readonly string[];
  /** What the provisional lines will still take, from the wallet and from packages. */
  readonly provisionalPaid: Provisional;
}

export function payPass({ pass, posted, funds }: PostingAsk): Posting {
  const before = beforeOf(posted);
  const final = payAll(funds, pass.post, before);
  const isOver = ({ usableThrough }: { readonly usableThrough: LocalDay }): boolean =>
    usableThrough <= pass.postThrough;
  const open = final.funds.packages.filter((each) => !isOver(each));
  // What will be in the wallet by then is not known; all that packages do not pay counts as its.
  const unlimited = { wallet: sumFen(pass.provisional.map(({ amount }) => amount)), owed: zeroFen };
  const forecast = payAll({ packages: open, purse: unlimited }, pass.provisional, before);
  return {
    post: final.lines,
    provisional: forecast.lines,
    drafts: draftsOf(final.lines),
    expired: funds.packages.filter(isOver).map(({ id }) => id),
    provisionalPaid: {
      wallet: sumFen(forecast.lines.map(({ paid }) => paid.wallet)),
      packages: byPackage(forecast.lines),
    },
  };
}

function byPackage(lines: readonly ChargeLine[]): ReadonlyMap<string, Fen> {
  const totals = new Map<string, Fen>();
  for (const { packageId, principal, bonus } of lines.flatMap(({ paid }) => paid.packages)) {
    totals.set(packageId, sumFen([totals.get(packageId) ?? zeroFen, principal, bonus]));
  }
  return totals;
}

function payAll(
  funds: Funds,
  lines: readonly RatedLine[],
  before: (line: RatedLine) => LineToPay["before"],
): { readonly lines: ChargeLine[]; readonly funds: Funds } {
  let left = funds;
  const paidLines = lines.map((line) => {
    const paid = payLine(left, { ...line, day: line.serviceDay, before: before(line) });
    left = paid.funds;
    return { ...line, paid: paid.paid };
  });
  return { lines: paidLines, funds: left };
}

function beforeOf(posted: readonly ChargeLine[]): (line: RatedLine) => LineToPay["before"] {
  const byLine = Map.groupBy(posted, nameOf);
  return (line) =>
    line.revision === 0
      ? []
      : (byLine.get(nameOf(line)) ?? []).toSorted((a, b) => a.revision - b.revision);
}

function nameOf({ serviceDay, sku }: RatedLine): string {
  return `${serviceDay} ${sku}`;
}

function draftsOf(lines: readonly ChargeLine[]): JournalDraft[] {
  const days = Map.groupBy(
    lines.filter(({ revision }) => revision === 0),
    ({ serviceDay }) => serviceDay,
  );
  return [
    ...[...days].map(([day, ofDay]) => charge({ day, lines: ofDay })),
    ...lines
      .filter(({ revision }) => revision > 0)
      .map((line) => adjustment({ serviceDay: line.serviceDay, revision: line.revision, line })),
  ].filter((draft) => draft !== undefined);
}
