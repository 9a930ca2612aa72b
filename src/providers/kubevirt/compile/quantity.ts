/**
 * Quantities as Kubernetes writes them, exactly. Inside, an amount is an integer of its smallest unit:
 * thousandths of a CPU, bytes, pieces. What does not come out even is rounded up, as Kubernetes does.
 */
/** A fraction that nobody needs in lowest terms. */
interface Fraction {
  readonly over: bigint;
  readonly under: bigint;
}

const suffixes: ReadonlyMap<string, Fraction> = new Map([
  ["", { over: 1n, under: 1n }],
  ["n", { over: 1n, under: 10n ** 9n }],
  ["u", { over: 1n, under: 10n ** 6n }],
  ["m", { over: 1n, under: 1000n }],
  ...powers(["k", "M", "G", "T", "P", "E"], 1000n),
  ...powers(["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"], 1024n),
]);

function powers(names: readonly string[], base: bigint): [string, Fraction][] {
  return names.map((name, index) => [name, { over: base ** BigInt(index + 1), under: 1n }]);
}

const pattern =
  /^([+-]?)([0-9]{0,19})(?:\.([0-9]{0,9}))?([a-zA-Z]{0,2})(?:[eE]([+-]?[0-9]{1,2}))?$/;

/** The value of `4`, `2667m`, `1.5Gi`, `1e3`, times so much, rounded up; `undefined` for no quantity. */
function valueOf(text: string, times: bigint): bigint | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, sign = "", whole = "", digits = "", suffix = "", exponent = ""] = match;
  const unit = suffixes.get(suffix);
  if (unit === undefined || whole + digits === "") return undefined;
  // A suffix and an exponent exclude each other.
  if (exponent !== "" && suffix !== "") return undefined;
  let { over, under } = unit;
  if (digits !== "") under *= 10n ** BigInt(digits.length);
  if (exponent.startsWith("-")) under *= 10n ** BigInt(exponent.slice(1));
  else if (exponent !== "") over *= 10n ** BigInt(exponent.replace("+", ""));
  const number = BigInt(`${sign === "-" ? "-" : ""}${whole}${digits}`) * over * times;
  const quotient = number / under;
  return number > 0n && number % under !== 0n ? quotient + 1n : quotient;
}

/** Bytes, or pieces; `undefined` for what is no quantity. */
export function parseUnits(text: string): bigint | undefined {
  return valueOf(text, 1n);
}

/** Thousandths; `undefined` for what is no quantity. */
export function parseMilli(text: string): bigint | undefined {
  return valueOf(text, 1000n);
}

/** The same as Kubernetes prints CPU: `4` for 4000, `2667m`. */
export function printMilli(milli: bigint): string {
  return milli % 1000n === 0n ? String(milli / 1000n) : `${milli}m`;
}

/** The same as Kubernetes prints memory: by the largest binary unit that divides it, `1292Mi`. */
export function printBytes(bytes: bigint): string {
  if (bytes === 0n) return "0";
  let left = bytes;
  let power = 0;
  while (power < 6 && left % 1024n === 0n) {
    left /= 1024n;
    power += 1;
  }
  return `${left}${["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][power] ?? ""}`;
}

export const mebi = 1024n * 1024n;
