/**
 * Who used how much lately. Use halves with each half-life. Shares are compared at one instant that
 * comes from the records themselves, never at the time of the clock: all records decay by one factor,
 * so their ratio, and with it the order of the queue, does not change when a clock jumps.
 */
import type { Usage } from "./work.ts";

export function decayed(usage: Usage, at: number, halfLifeMs: number): number {
  return usage.unitMs * 2 ** ((usage.asOf - at) / halfLifeMs);
}

/** The record after `unitMs` more were used at `at`. */
export function used(usage: Usage, unitMs: number, at: number, halfLifeMs: number): Usage {
  const asOf = Math.max(usage.asOf, at);
  const late = at < asOf ? unitMs * 2 ** ((at - asOf) / halfLifeMs) : unitMs;
  return { ...usage, unitMs: decayed(usage, asOf, halfLifeMs) + late, asOf };
}

/**
 * For each tenant how far he is over his share: 0 for who used nothing, 0.5 for who used exactly his
 * share of all use, towards 1 for who used much more. Who has no record used nothing.
 */
export function overuse(records: readonly Usage[], halfLifeMs: number): Map<string, number> {
  const sorted = records.toSorted((a, b) => (a.tenantId < b.tenantId ? -1 : 1));
  const at = sorted.reduce((latest, { asOf }) => Math.max(latest, asOf), -Infinity);
  const amounts = sorted.map((usage) => decayed(usage, at, halfLifeMs));
  const total = amounts.reduce((sum, amount) => sum + amount, 0);
  const weights = sorted.reduce((sum, { weight }) => sum + weight, 0);
  return new Map(
    sorted.map(({ tenantId, weight }, i) => {
      const part = total > 0 ? (amounts[i] ?? 0) / total : 0;
      const fair = weight / weights;
      return [tenantId, part === 0 ? 0 : part / (part + fair)];
    }),
  );
}
