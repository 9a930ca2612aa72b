/** What becomes of a transfer that arrived, by what was asked for. Pure. */
import type { Fen } from "#kernel/money.ts";

export type SuspenseReason = "unknown_reference" | "not_open" | "partial" | "over";

/** `undefined` if it is exactly what an open payment waits for. */
export function suspenseReason(
  payment: { readonly isOpen: boolean; readonly amount: Fen } | undefined,
  received: Fen,
): SuspenseReason | undefined {
  if (payment === undefined) return "unknown_reference";
  if (!payment.isOpen) return "not_open";
  if (received < payment.amount) return "partial";
  if (received > payment.amount) return "over";
  return undefined;
}

/** As people type a code: "mr 7k3p-2q9x " is MR-7K3P-2Q9X. */
export function canonicalCode(text: string): string {
  const letters = text.toUpperCase().replaceAll(/[^0-9A-Z]/g, "");
  const match = /^MR([0-9A-Z]{4})([0-9A-Z]{4})$/.exec(letters);
  return match === null ? text.trim() : `MR-${match[1]}-${match[2]}`;
}

/** Without those that look alike when written by hand. */
export const codeAlphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/** `digits` are eight numbers below the alphabet's length. */
export function codeOf(digits: readonly number[]): string {
  const letters = digits.map((digit) => codeAlphabet[digit] ?? "").join("");
  return `MR-${letters.slice(0, 4)}-${letters.slice(4)}`;
}
