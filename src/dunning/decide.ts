/**
 * The ladder when money runs low: forecast, warning, no new work, grace with dates, stop, and only
 * then release. Pure: where a tenant stands and what he has to where he stands now. Money that comes
 * in leads back from every rung but the last.
 */
import type { PriceProfile } from "#catalog/profile.ts";
import { addFen, negateFen, type Fen } from "#kernel/money.ts";
import { compare, multiply, rational, type Rational } from "#kernel/rational.ts";

export type Stage =
  | "ok"
  | "forecast"
  | "warning"
  | "no_new_work"
  | "grace"
  | "stopped"
  | "released";

export type DunningRules = PriceProfile["dunning"];

/** Instants in epoch milliseconds. */
export interface Standing {
  readonly stage: Stage;
  readonly since: number;
  /** Of `grace`. */
  readonly graceUntil?: number;
  /** Of `stopped`. */
  readonly releaseAt?: number;
}

export interface Means {
  /** What may still be spent: balance less what was used, with what is held for what runs. */
  readonly left: Fen;
  /** What runs costs in an hour, without what is paid ahead. */
  readonly burnPerHour: Fen;
  /** Net paid in the last twelve months: what bounds the grace. */
  readonly netPaid12m: Fen;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export function decideStanding(
  before: Standing,
  ask: { readonly means: Means; readonly rules: DunningRules; readonly now: number },
): Standing {
  const { means, rules, now } = ask;
  if (means.left > 0n) return enter(before, ascending(means, rules), now);
  switch (before.stage) {
    case "released":
      return before;
    case "stopped":
      return (before.releaseAt ?? 0) <= now ? enter(before, "released", now) : before;
    case "grace":
      return (before.graceUntil ?? 0) > now && isWithinGrace(means, rules) ? before : stop();
    case "ok":
    case "forecast":
    case "warning":
    case "no_new_work": {
      const graceUntil = now + rules.grace_hours * hourMs;
      if (graceUntil === now || !isWithinGrace(means, rules)) return stop();
      return { stage: "grace", since: now, graceUntil };
    }
  }

  function stop(): Standing {
    return { stage: "stopped", since: now, releaseAt: now + rules.keep_days * dayMs };
  }
}

/** By how long the money lasts. */
function ascending({ left, burnPerHour }: Means, rules: DunningRules): Stage {
  const lastsLessThan = (hours: number): boolean => left < burnPerHour * BigInt(hours);
  if (lastsLessThan(rules.no_new_work_hours)) return "no_new_work";
  if (lastsLessThan(rules.warning_hours)) return "warning";
  return lastsLessThan(rules.forecast_hours) ? "forecast" : "ok";
}

/**
 * What can be spent, and how fast. Packages pay jobs and nothing else: while they have credit, jobs
 * burn that; and who has no lease on demand lives on both.
 */
export function meansFrom(facts: {
  readonly wallet: Fen;
  readonly packages: Fen;
  readonly burn: { readonly leases: Fen; readonly jobs: Fen };
  readonly hasLeases: boolean;
  readonly netPaid12m: Fen;
}): Means {
  const { wallet, packages, burn, hasLeases, netPaid12m } = facts;
  if (packages <= 0n) {
    return { left: wallet, burnPerHour: addFen(burn.leases, burn.jobs), netPaid12m };
  }
  return hasLeases
    ? { left: wallet, burnPerHour: burn.leases, netPaid12m }
    : { left: addFen(wallet, packages), burnPerHour: burn.jobs, netPaid12m };
}

/** So that nobody runs up a debt that is out of proportion to what he ever paid. */
export function graceDebtMax({ netPaid12m }: Means, rules: DunningRules): Rational {
  return multiply(rational(netPaid12m > 0n ? netPaid12m : 0n), rules.grace_debt_share);
}

function isWithinGrace(means: Means, rules: DunningRules): boolean {
  const debtMax = graceDebtMax(means, rules);
  return debtMax.numerator > 0n && compare(rational(negateFen(means.left)), debtMax) <= 0;
}

function enter(before: Standing, stage: Stage, now: number): Standing {
  return before.stage === stage ? before : { stage, since: now };
}

/** When the money is used up as things run now; `undefined` if nothing runs. */
export function usedUpAt({ left, burnPerHour }: Means, now: number): number | undefined {
  if (burnPerHour <= 0n || left <= 0n) return undefined;
  return now + Number((left * BigInt(hourMs)) / burnPerHour);
}

/** Days before the release on which it is told again. */
const remindersDays = [3, 1];

/** The reminder whose time has come: how many days ahead it is told; `undefined` if none. */
export function releaseReminder(standing: Standing, now: number): number | undefined {
  const { stage, releaseAt } = standing;
  if (stage !== "stopped" || releaseAt === undefined) return undefined;
  return remindersDays.findLast((days) => releaseAt - days * dayMs <= now && now < releaseAt);
}
