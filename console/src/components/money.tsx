/**
 * An amount as the API wrote it: a decimal string, never a number in between. Grouped for the
 * reader, in figures of one width, so that columns line up.
 */
import type { ReactNode } from "react";

/** `—` where there is no amount, e.g. of something that is sold on request. */
export function Money({
  amount,
  isSigned = false,
}: {
  readonly amount: string | null | undefined;
  /** A plus before what is not negative: for changes. */
  readonly isSigned?: boolean;
}): ReactNode {
  if (amount === null || amount === undefined) return <span className="tabular">—</span>;
  return <span className="tabular nowrap">{moneyText(amount, isSigned)}</span>;
}

/** "1234.50" as "¥1,234.50"; what is no amount stays as it is. */
export function moneyText(amount: string, isSigned = false): string {
  const match = /^(-?)([0-9]+)(\.[0-9]+)?$/.exec(amount);
  if (match === null) return amount;
  const [, minus = "", whole = "", rest = ""] = match;
  const sign = minus === "-" ? "−" : isSigned ? "+" : "";
  return `${sign}¥${grouped(whole)}${rest}`;
}

/** Both languages group by three. */
export function grouped(digits: string): string {
  return digits.replaceAll(/\B(?=(?:[0-9]{3})+$)/g, ",");
}

/** In hundredths, for sums and comparisons of what is shown; exact. */
export function fenOf(amount: string): bigint {
  const match = /^(-?)([0-9]+)(?:\.([0-9]{1,2}))?/.exec(amount);
  if (match === null) return 0n;
  const [, minus, whole = "0", rest = ""] = match;
  const fen = BigInt(whole) * 100n + BigInt(rest.padEnd(2, "0"));
  return minus === "-" ? -fen : fen;
}

export function amountOf(fen: bigint): string {
  const digits = String(fen < 0n ? -fen : fen).padStart(3, "0");
  return `${fen < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
