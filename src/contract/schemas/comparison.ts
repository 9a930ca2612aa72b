/** Other ways to buy what was quoted. */
import { z } from "zod";

import { money } from "./common.ts";

export const bothLanguages = z.object({ en: z.string(), "zh-CN": z.string() });

/** Another way to buy, and the point from which it costs less. */
export const comparison = z.object({
  way: z.enum(["on_demand", "package", "monthly", "annual", "expansion", "upgrade"]),
  /** Code of the package, SKU of the machine; empty for the others. */
  what: z.string(),
  /** What it costs for the same time, used to the full. */
  amount: money,
  unit: z.enum(["hours_a_month", "hours_a_day", "months", "days", "yuan"]),
  cheaper: z.enum(["below", "above", "always", "never"]),
  breakEven: z.string().nullable(),
  text: bothLanguages,
});
