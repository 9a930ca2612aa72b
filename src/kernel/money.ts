/**
 * Money is an integer number of fen (1/100 yuan) in a bigint, and a decimal string ("12.50") on
 * the wire (R-CUR-1). No float ever holds an amount. `Fen` is a brand, so that a quantity, a count
 * or an unchecked number cannot pass for an amount; every function that gives a `Fen` has checked
 * the bound `fenMax`, which leaves room for sums in a 64-bit database column.
 */
import type { Brand } from "./brand.ts";
import { Failure } from "./failure.ts";

export type Fen = Brand<bigint, "Fen">;

/** Largest amount either way: ten trillion yuan. */
export const fenMax = 10n ** 15n;

export const zeroFen: Fen = fen(0n);

export function isFen(value: bigint): value is Fen {
  return value >= -fenMax && value <= fenMax;
}

/** Throws `invalid_request` beyond `fenMax`. */
export function fen(value: bigint): Fen {
  if (isFen(value)) return value;
  throw new Failure("invalid_request", `The amount is beyond ${formatDigits(fenMax)} yuan.`);
}

const amountPattern = /^(-?)(0|[1-9][0-9]{0,13})(?:\.([0-9]{1,2}))?$/;

/** "12.50", "12.5", "12", "-3.00" in yuan; `undefined` for anything else, exponents and "+" too. */
export function fenFromText(text: string): Fen | undefined {
  const match = amountPattern.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "0", fraction = ""] = match;
  const magnitude = BigInt(whole) * 100n + BigInt(fraction.padEnd(2, "0"));
  const value = sign === "-" ? -magnitude : magnitude;
  return isFen(value) ? value : undefined;
}

/** As `fenFromText`; throws `invalid_request` with what was expected. */
export function parseFen(text: string): Fen {
  const value = fenFromText(text);
  if (value !== undefined) return value;
  throw new Failure(
    "invalid_request",
    `${JSON.stringify(text.slice(0, 40))} is not an amount in yuan: write digits with at most two decimals, such as "12.50".`,
  );
}

/** Always two decimals: 1250n is "12.50", -5n is "-0.05". */
export function formatFen(value: Fen): string {
  return formatDigits(value);
}

export function addFen(a: Fen, b: Fen): Fen {
  return fen(a + b);
}

export function subtractFen(a: Fen, b: Fen): Fen {
  return fen(a - b);
}

export function negateFen(value: Fen): Fen {
  return fen(0n - value);
}

export function sumFen(values: Iterable<Fen>): Fen {
  let sum = 0n;
  for (const value of values) sum += value;
  return fen(sum);
}

function formatDigits(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString().padStart(3, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
