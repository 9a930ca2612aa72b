/** What usage is summed by, in names; of very many the largest. */
import type { AnswerOf } from "#client/types.ts";

import type { Translate } from "#console/i18n/index.ts";

type Item = AnswerOf<"getUsageSums">["items"][number];

interface Group {
  readonly group: string;
  readonly name: string | null;
}

export interface Total extends Group {
  readonly sku: string;
  readonly unit: string;
  /** Exact, in millionths of the unit. */
  readonly millionths: bigint;
}

/** More series than this nobody can tell apart. */
const seriesMax = 7;

export function largestGroups(items: readonly Item[]): {
  readonly shown: readonly Group[];
  readonly left: number;
} {
  const totals = totalsOf(items).toSorted((a, b) =>
    a.millionths === b.millionths ? 0 : a.millionths > b.millionths ? -1 : 1,
  );
  const shown = totals.slice(0, seriesMax);
  return { shown, left: totals.length - shown.length };
}

/** Over all stretches, by group and SKU. */
export function totalsOf(items: readonly Item[]): readonly Total[] {
  const totals = new Map<string, Total>();
  for (const { group, name, sku, unit, quantity } of items) {
    const key = `${group} ${sku}`;
    const before = totals.get(key)?.millionths ?? 0n;
    totals.set(key, { group, name, sku, unit, millionths: before + millionthsOf(quantity) });
  }
  return [...totals.values()];
}

export function nameOfGroup({ group, name }: Group, t: Translate): string {
  return name ?? (group === "" ? t("usage.nobody") : group.length > 30 ? group.slice(0, 8) : group);
}

/** The API writes six digits at most; a fraction, of what has no price, is cut. */
export function millionthsOf(quantity: string): bigint {
  const [whole = "0", rest = ""] = quantity.split(".");
  if (!/^[0-9]+$/.test(whole)) return 0n;
  return BigInt(whole) * 1_000_000n + BigInt(rest.slice(0, 6).padEnd(6, "0"));
}

export function quantityText(millionths: bigint): string {
  const digits = String(millionths).padStart(7, "0");
  const rest = digits.slice(-6).replace(/0+$/, "");
  return `${digits.slice(0, -6)}${rest === "" ? "" : `.${rest}`}`;
}
