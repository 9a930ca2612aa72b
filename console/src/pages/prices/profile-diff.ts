/**
 * What differs between two price profiles, figure by figure. Figures are compared as exact fractions:
 * "0.5" and "0.50" are the same price. Pure.
 */
import {
  compare,
  divide,
  multiply,
  rational,
  rationalFromText,
  subtract,
} from "#kernel/rational.ts";
import type { Rational } from "#kernel/rational.ts";

export interface Difference {
  /** From the top: `["payg_hourly", "gpu.A100"]`. */
  readonly path: readonly string[];
  /** `undefined`: not there. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** In tenths of a percent, where both are figures and the first is not zero. */
  readonly changePermille: number | undefined;
}

type Profile = Readonly<Record<string, unknown>>;

export function differencesOf(before: Profile, after: Profile): Difference[] {
  const [a, b] = [flat(before), flat(after)];
  const keys = [...a.keys(), ...[...b.keys()].filter((key) => !a.has(key))];
  return keys.flatMap((key) => {
    const [was, is] = [a.get(key), b.get(key)];
    if (isSame(was?.text, is?.text)) return [];
    const path = was?.path ?? is?.path ?? [];
    const changePermille = changeOf(figureOf(was?.text), figureOf(is?.text));
    return [{ path, before: was?.text, after: is?.text, changePermille }];
  });
}

interface Leaf {
  readonly path: readonly string[];
  readonly text: string;
}

/** Every figure by its path; what is empty is one too, so that it is told from what is not there. */
function flat(value: unknown, path: readonly string[] = []): Map<string, Leaf> {
  const entries = Array.isArray(value)
    ? value.map((each, index): [string, unknown] => [String(index + 1), each])
    : isRecord(value)
      ? Object.entries(value)
      : undefined;
  if (entries === undefined || (entries.length === 0 && path.length > 0)) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return new Map([[JSON.stringify(path), { path, text }]]);
  }
  return new Map(entries.flatMap(([name, each]) => [...flat(each, [...path, name])]));
}

function isRecord(value: unknown): value is Profile {
  return typeof value === "object" && value !== null;
}

function isSame(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true;
  const [first, second] = [figureOf(a), figureOf(b)];
  return first !== undefined && second !== undefined && compare(first, second) === 0;
}

function figureOf(text: string | undefined): Rational | undefined {
  return text === undefined ? undefined : rationalFromText(text);
}

const thousand = rational(1000n);

function changeOf(before: Rational | undefined, after: Rational | undefined): number | undefined {
  if (before === undefined || after === undefined || before.numerator === 0n) return undefined;
  const change = multiply(divide(subtract(after, before), before), thousand);
  return Math.round(Number(change.numerator) / Number(change.denominator));
}
