/**
 * What one pass of the rating loop does with one SKU's month: which posted days need an
 * adjustment, which days are posted now, and what stands provisionally after them. Pure.
 *
 * What must stay true: posted amounts + adjustments + newly posted + provisional is the rounded
 * cost of the month's whole usage (except usage too late to be billed, which stays out of all).
 */
import { monthOf, type LocalDay } from "#kernel/calendar.ts";
import type { Rational } from "#kernel/rational.ts";

import {
  adjustmentsFor,
  rateMonth,
  type Adjustment,
  type LateUsage,
  type Refusal,
} from "./decide.ts";
import type { DayLine } from "./telescope.ts";

export interface MonthAsk extends Omit<LateUsage, "postedThrough"> {
  /** The last day posted by an earlier pass; `undefined` before the first. */
  readonly postedThrough: LocalDay | undefined;
  /** The last day that is to be posted after this pass; `undefined` while none is. */
  readonly postThrough: LocalDay | undefined;
}

export interface MonthPlan {
  readonly kind: "planned";
  readonly adjustments: readonly Adjustment[];
  /** Lines of the days that are posted now. */
  readonly post: readonly DayLine[];
  readonly provisional: readonly DayLine[];
}

export function planMonth(ask: MonthAsk): MonthPlan | Refusal {
  const { postedThrough, postThrough } = ask;
  const late: readonly Adjustment[] | Refusal =
    postedThrough === undefined ? [] : adjustmentsOf({ ...ask, postedThrough });
  if ("kind" in late) return late;
  const rated = rateMonth({ ...ask, days: daysThatCount(ask) });
  if (rated.kind === "refused") return rated;
  const open = rated.lines.filter(({ day }) => postedThrough === undefined || day > postedThrough);
  const isDue = ({ day }: DayLine): boolean => postThrough !== undefined && day <= postThrough;
  return {
    kind: "planned",
    adjustments: late,
    post: open.filter(isDue),
    provisional: open.filter((line) => !isDue(line)),
  };
}

function adjustmentsOf(late: LateUsage): readonly Adjustment[] | Refusal {
  const adjusted = adjustmentsFor(late);
  return adjusted.kind === "refused" ? adjusted : adjusted.adjustments;
}

/** Usage, except on posted days past the limit, which count as they were posted. */
function daysThatCount(ask: MonthAsk): Map<LocalDay, Rational> {
  const { month, days, posted, postedThrough, adjustableFrom } = ask;
  const isFrozen = (day: LocalDay): boolean =>
    postedThrough !== undefined && day <= postedThrough && day < adjustableFrom;
  return new Map([
    ...[...days].filter(([day]) => monthOf(day) === month && !isFrozen(day)),
    ...[...posted].filter(([day]) => monthOf(day) === month && isFrozen(day)),
  ]);
}
