/** Between our values and how they are written on the wire. */
import { parseFen, type Fen } from "#kernel/money.ts";

/** RFC 3339 in UTC. */
export function time(at: number): string {
  return new Date(at).toISOString();
}

export function timeOrNull(at: number | null): string | null {
  return at === null ? null : time(at);
}

/** An amount as callers may write it ("100", "12.5", "12.50"), checked by `positiveMoney`. */
export function amountOf(text: string): Fen {
  const [yuan = "0", decimals = ""] = text.split(".");
  return parseFen(`${yuan}.${decimals.padEnd(2, "0")}`);
}
