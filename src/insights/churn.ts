/** Signs that a customer goes away (R-CHURN-1, R-CHURN-2). Pure. They make tasks, never prices. */
import type { PriceProfile } from "#catalog/profile.ts";
import { addMonths, type LocalMonth } from "#kernel/calendar.ts";
import type { Fen } from "#kernel/money.ts";
import { compare, divide, multiply, rational, type Rational } from "#kernel/rational.ts";

type ChurnRules = PriceProfile["churn"];

/** An active subscription is consumption. `thisMonth` is the one that began just now. */
export function spendsNothing(ask: {
  readonly thisMonth: LocalMonth;
  /** Months without an entry had none. */
  readonly netConsumption: ReadonlyMap<LocalMonth, Fen>;
  readonly activeSubscription: boolean;
  readonly rules: ChurnRules;
}): boolean {
  const { thisMonth, netConsumption, activeSubscription, rules } = ask;
  if (activeSubscription) return false;
  const since = addMonths(thisMonth, -rules.no_spend_months);
  let earlier = false;
  for (const [month, amount] of netConsumption) {
    if (amount <= 0n) continue;
    if (month >= since && month < thisMonth) return false;
    if (month < since) earlier = true;
  }
  return earlier;
}

export interface Drop {
  readonly dropped: boolean;
  /** Recent use over the same span of the baseline; `undefined` without a baseline. */
  readonly ratio: Rational | undefined;
}

/** GPU-hours of the last complete days against those before them, scaled to the same length. */
export function usageDrop(ask: {
  readonly recentGpuHours: Rational;
  readonly baselineGpuHours: Rational;
  readonly rules: ChurnRules;
}): Drop {
  const { recentGpuHours, baselineGpuHours, rules } = ask;
  const recentDays = BigInt(rules.drop_recent_days);
  const baselineDays = BigInt(rules.drop_baseline_days);
  if (baselineGpuHours.numerator === 0n || baselineDays === 0n) {
    return { dropped: false, ratio: undefined };
  }
  const baseline = multiply(baselineGpuHours, rational(recentDays, baselineDays));
  const ratio = divide(recentGpuHours, baseline);
  const counts = compare(baseline, rules.drop_min_baseline_gpu_hours) >= 0;
  return { dropped: counts && compare(ratio, rules.drop_ratio) <= 0, ratio };
}
