/**
 * Splits a line over the projects or jobs that caused it (R-RND-3): by largest remainder, ties by
 * id ascending, so that the shares add up to the line exactly. Shares inform; the line is the debt.
 */
import { fen, type Fen } from "#kernel/money.ts";
import {
  compare,
  divide,
  floor,
  multiply,
  rational,
  subtract,
  sum,
  zero,
  type Rational,
} from "#kernel/rational.ts";

export interface Part {
  readonly id: string;
  /** At least one part has more than zero. */
  readonly quantity: Rational;
}

export interface Share {
  readonly id: string;
  readonly amount: Fen;
}

/** In the order of the ids. A negative line (a credit) is split like its positive, then negated. */
export function splitLine(line: Fen, parts: readonly Part[]): Share[] {
  const total = sum(parts.map(({ quantity }) => quantity));
  if (compare(total, zero) === 0) return [];
  const magnitude = line < 0n ? 0n - line : 0n + line;
  const exact = parts.map(({ id, quantity }) => {
    const due = multiply(rational(magnitude), divide(quantity, total));
    return { id, whole: floor(due), remainder: subtract(due, rational(floor(due))) };
  });
  const missing = magnitude - exact.reduce((given, { whole }) => given + whole, 0n);
  const oneMore = new Set(
    exact
      .toSorted((a, b) => compare(b.remainder, a.remainder) || byText(a.id, b.id))
      .slice(0, Number(missing)),
  );
  return exact
    .toSorted((a, b) => byText(a.id, b.id))
    .map((part) => {
      const amount = part.whole + (oneMore.has(part) ? 1n : 0n);
      return { id: part.id, amount: fen(line < 0n ? -amount : amount) };
    });
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
