/** A comparison as the API shows it: figures for a program, a sentence in each language. */
import type { z } from "zod";

import type { comparison } from "#contract/schemas/comparison.ts";
import { formatFen } from "#kernel/money.ts";
import { breakEvenText, comparisonText, whatOf } from "#orders/compare-words.ts";
import type { Comparison } from "#orders/compare.ts";

export function showComparison(of: Comparison): z.output<typeof comparison> {
  return {
    way: of.way.kind,
    what: whatOf(of.way),
    amount: formatFen(of.amount),
    unit: of.unit,
    cheaper: of.cheaper,
    breakEven: of.breakEven === undefined ? null : breakEvenText(of.unit, of.breakEven),
    text: { en: comparisonText(of, "en"), "zh-CN": comparisonText(of, "zh-CN") },
  };
}
