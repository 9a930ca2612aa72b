/**
 * What comes next on the ladder if nothing is paid, and what to pay to leave the rung. Pure; it says
 * what `decideStanding` would do, so a customer can act before it does.
 */
import { addFen, fen, zeroFen, type Fen } from "#kernel/money.ts";
import { roundHalfAway } from "#kernel/rounding.ts";

import {
  graceDebtMax,
  usedUpAt,
  type DunningRules,
  type Means,
  type Stage,
  type Standing,
} from "./decide.ts";

const hourMs = 3_600_000;

export type NextStage = Exclude<Stage, "ok">;

export interface Outlook {
  /** As things run now; `undefined` where nothing comes. */
  readonly next: { readonly stage: NextStage; readonly at: number } | undefined;
  /** The least payment that leads out of the rung; zero on `ok` with something left. */
  readonly toLeave: Fen;
  /** The least that makes all good again, with what was stopped for money running again. */
  readonly toBeWell: Fen;
}

export function outlookOf(
  standing: Standing,
  ask: {
    readonly means: Means;
    /** What would run again per hour: leases that the ladder stopped. */
    readonly stoppedPerHour: Fen;
    readonly rules: DunningRules;
    readonly now: number;
  },
): Outlook {
  const { means, stoppedPerHour, rules, now } = ask;
  const { left, burnPerHour } = means;
  const missing = (hours: number, perHour: Fen): Fen => {
    // A rung is left with something in hand, however little runs.
    const enough = perHour * BigInt(hours);
    const needed = (enough > 0n ? enough : 1n) - left;
    return needed > 0n ? fen(needed) : zeroFen;
  };
  // Nobody looks at who has nothing that costs money, but what he owes keeps him from starting any.
  const hours = standing.stage === "ok" && left <= 0n ? 0 : hoursToLeave(standing.stage, rules);
  const next = nextOf(standing, { means, rules, now });
  return {
    next: next === undefined ? undefined : { ...next, at: Math.max(next.at, now) },
    toLeave: hours === undefined ? zeroFen : missing(hours, burnPerHour),
    toBeWell: missing(rules.forecast_hours, addFen(burnPerHour, stoppedPerHour)),
  };
}

/** For how many hours the money must last for the rung above; `undefined` on the highest. */
function hoursToLeave(stage: Stage, rules: DunningRules): number | undefined {
  switch (stage) {
    case "ok":
      return undefined;
    case "forecast":
      return rules.forecast_hours;
    case "warning":
      return rules.warning_hours;
    case "no_new_work":
      return rules.no_new_work_hours;
    case "grace":
    case "stopped":
    case "released":
      return 0;
  }
}

function nextOf(
  { stage, graceUntil = 0, releaseAt = 0 }: Standing,
  ask: { readonly means: Means; readonly rules: DunningRules; readonly now: number },
): Outlook["next"] {
  const { means, rules, now } = ask;
  const end = usedUpAt(means, now);
  const below = (next: NextStage, hours: number): Outlook["next"] =>
    end === undefined ? undefined : { stage: next, at: end - hours * hourMs };
  const debtMax = fen(roundHalfAway(graceDebtMax(means, rules)));
  switch (stage) {
    case "ok":
      return below("forecast", rules.forecast_hours);
    case "forecast":
      return below("warning", rules.warning_hours);
    case "warning":
      return below("no_new_work", rules.no_new_work_hours);
    case "no_new_work":
      return below(debtMax > 0n && rules.grace_hours > 0 ? "grace" : "stopped", 0);
    case "grace": {
      // The debt may grow too large before the time is over.
      const room = { ...means, left: addFen(means.left, debtMax) };
      const tooMuchAt = usedUpAt(room, now) ?? graceUntil;
      return { stage: "stopped", at: Math.min(graceUntil, tooMuchAt) };
    }
    case "stopped":
      return { stage: "released", at: releaseAt };
    case "released":
      return undefined;
  }
}
