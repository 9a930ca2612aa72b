/**
 * What a subscription needs now. Pure: rows and the time in, the next thing to do out; the loop
 * does it and asks again, so what was missed while nobody looked is done in its order.
 *
 * What must stay true: nothing is charged before the machine has it, and what did not come is not
 * charged; a machine has the size of its term and the expansions that last, and no other; a
 * subscription that is over stops, is kept for its days, and only then is released.
 */
import type { LeaseFacts } from "#flow/provision/lease-facts.ts";
import type { Reason } from "#kernel/reason.ts";
import type { Shape } from "#kernel/shape.ts";

import type { Expansion, Upgrade } from "./expansion-rows.ts";
import { fitsIn, intoSize, isSameSize, withItems } from "./shape-math.ts";
import { paidUntilOf, periodAt } from "./subscription-periods.ts";
import { type Subscription } from "./subscription-rows.ts";

export type OperationEnd =
  | { readonly state: "running" }
  | { readonly state: "succeeded" }
  | { readonly state: "failed"; readonly reason: Reason };

export interface SubscriptionView {
  readonly subscription: Subscription;
  readonly lease: LeaseFacts;
  /** The one that waits for its machine. */
  readonly upgrade: Upgrade | undefined;
  /** Those that are not over, or not yet seen gone from the machine; oldest first. */
  readonly expansions: readonly Expansion[];
  /** Of the upgrade and of expansions that wait for the machine, by operation id. */
  readonly operations: ReadonlyMap<string, OperationEnd>;
}

/** How long a resize that failed rests. */
const resizeRestMs = 60_000;

export type Action =
  /** The machine can be used: the term begins, and is charged. */
  | { readonly do: "activate"; readonly at: number }
  /** It never came, or is gone. */
  | { readonly do: "end"; readonly reason: Reason }
  | { readonly do: "confirm-upgrade"; readonly upgrade: Upgrade }
  | { readonly do: "fail-upgrade"; readonly upgrade: Upgrade; readonly reason: Reason }
  | { readonly do: "confirm-expansion"; readonly expansion: Expansion; readonly at: number }
  | { readonly do: "fail-expansion"; readonly expansion: Expansion; readonly reason: Reason }
  /** It extends another, whose end has come. */
  | { readonly do: "begin-expansion"; readonly expansion: Expansion; readonly at: number }
  | { readonly do: "end-expansion"; readonly expansion: Expansion; readonly at: number }
  | { readonly do: "note-reverted"; readonly ids: readonly string[]; readonly at: number }
  /** Its time is over: renewed if that was asked for and can be paid, else stopped. */
  | { readonly do: "renew-or-lapse" }
  | { readonly do: "renew-if-paid" }
  | { readonly do: "release" }
  /** Renewed while it was stopped for being over. */
  | { readonly do: "start-again" }
  | { readonly do: "resize"; readonly shape: Shape };

export function nextAction(view: SubscriptionView, now: number): Action | undefined {
  const { subscription, lease } = view;
  if (subscription.state === "ended") return undefined;
  if (lease.ended || lease.wanted === "released") return { do: "end", reason: goneReason(view) };
  if (subscription.state === "ordered") {
    return lease.firstReadyAt === undefined
      ? undefined
      : { do: "activate", at: lease.firstReadyAt };
  }
  return (
    waitingFor(view) ??
    overdueExpansion(view, now) ??
    termOver(view, now) ??
    startOwed(view) ??
    sizing(view, now)
  );
}

function goneReason({ subscription, lease }: SubscriptionView): Reason {
  if (lease.endReason !== null) return lease.endReason;
  return subscription.state === "ordered"
    ? { code: "never_ready", message: "The machine was released before it could be used." }
    : { code: "lease_gone", message: "The machine was released." };
}

/** Before its size is seen to: GPUs are added to a machine that runs. */
function startOwed({ subscription, lease }: SubscriptionView): Action | undefined {
  const isDue = subscription.state === "active" && subscription.startOwed && !lease.isResizing;
  return isDue ? { do: "start-again" } : undefined;
}

/** A change of the machine that was asked for has come, or failed. */
function waitingFor({
  subscription,
  upgrade,
  expansions,
  operations,
  lease,
}: SubscriptionView): Action | undefined {
  if (upgrade !== undefined) {
    const end = operations.get(upgrade.operationId);
    if (end?.state === "failed") return { do: "fail-upgrade", upgrade, reason: end.reason };
    if (end?.state === "succeeded" && lease.isSettled) return { do: "confirm-upgrade", upgrade };
  }
  const expansion = expansions.find(({ state }) => state === "resizing");
  if (expansion?.operationId === undefined) return undefined;
  const end = operations.get(expansion.operationId);
  if (end?.state === "failed") return { do: "fail-expansion", expansion, reason: end.reason };
  // It came when the term was over: nobody can use it.
  if (subscription.state === "lapsed") return { do: "fail-expansion", expansion, reason: tooLate };
  if (end?.state !== "succeeded" || !lease.isSettled) return undefined;
  return { do: "confirm-expansion", expansion, at: lease.resizedAt ?? expansion.orderedAt };
}

const tooLate: Reason = { code: "term_over", message: "The paid term ended before it came." };

/** In the order in which it was due; what extends another begins before that one ends. */
function overdueExpansion({ expansions }: SubscriptionView, now: number): Action | undefined {
  const due = expansions.flatMap((expansion): { at: number; action: Action }[] => {
    const { state, startsAt, endsAt } = expansion;
    if (state === "scheduled" && startsAt !== undefined && startsAt <= now) {
      return [{ at: startsAt, action: { do: "begin-expansion", expansion, at: startsAt } }];
    }
    if (state === "active" && endsAt !== undefined && endsAt <= now) {
      return [{ at: endsAt, action: { do: "end-expansion", expansion, at: endsAt } }];
    }
    return [];
  });
  const order = (action: Action): number => (action.do === "begin-expansion" ? 0 : 1);
  return due.toSorted((a, b) => a.at - b.at || order(a.action) - order(b.action))[0]?.action;
}

function termOver({ subscription }: SubscriptionView, now: number): Action | undefined {
  const paidUntil = paidUntilOf(subscription);
  if (paidUntil === undefined || now < paidUntil) return undefined;
  if (subscription.state === "active") return { do: "renew-or-lapse" };
  const { keptUntil, autoRenew } = subscription;
  if (keptUntil !== undefined && keptUntil <= now) return { do: "release" };
  return autoRenew ? { do: "renew-if-paid" } : undefined;
}

/** Back to the size of the term and the expansions that last; or forward, to that of a new term. */
function sizing(view: SubscriptionView, now: number): Action | undefined {
  const { lease, expansions, upgrade } = view;
  const isWaiting = upgrade !== undefined || expansions.some(({ state }) => state === "resizing");
  if (isWaiting || lease.isResizing) return undefined;
  const shape = wantedShape(view, now);
  if (shape === undefined) return undefined;
  if (!isSameSize(lease.shape, shape)) {
    // While it is kept, stopped, it only gives things back.
    if (view.subscription.state === "lapsed" && !fitsIn(shape, lease.shape)) return undefined;
    const isThere = lease.machine === "running" || lease.machine === "stopped";
    const rests = now < (lease.resizeFailedAt ?? -Infinity) + resizeRestMs;
    return isThere && !rests ? { do: "resize", shape } : undefined;
  }
  if (!lease.isSettled) return undefined;
  const ids = expansions.filter(({ state }) => state === "ended").map(({ id }) => id);
  return ids.length === 0 ? undefined : { do: "note-reverted", ids, at: lease.resizedAt ?? now };
}

/** The size of the term with all expansions that last. */
export function wantedShape(
  { subscription, lease, expansions }: SubscriptionView,
  now: number,
): Shape | undefined {
  const period = periodAt(subscription, now);
  if (period === undefined) return undefined;
  const base = intoSize(lease.shape, period.shape);
  return expansions
    .filter(({ state }) => state === "active")
    .reduce((shape, { items }) => withItems(shape, items), base);
}

/** While something is under way: soon. */
const pollMs = 15_000;
/** How long one that could not be paid waits before it is tried again. */
const retryMs = 15 * 60_000;

/** When there will be something to do, if nothing happens before. */
export function nextLook(view: SubscriptionView, now: number): number | undefined {
  const { subscription, lease, upgrade, expansions } = view;
  if (subscription.state === "ended") return undefined;
  const paidUntil = paidUntilOf(subscription);
  const wanted = wantedShape(view, now);
  const isUnderWay =
    subscription.state === "ordered" ||
    upgrade !== undefined ||
    expansions.some(({ state }) => state === "resizing" || state === "ended") ||
    (subscription.state === "active" && subscription.startOwed) ||
    (wanted !== undefined && !isSameSize(wanted, lease.shape));
  const times = [
    ...(isUnderWay ? [now + pollMs] : []),
    ...(subscription.state === "active" && paidUntil !== undefined ? [paidUntil] : []),
    ...(subscription.state === "lapsed" ? [now + retryMs, subscription.keptUntil ?? now] : []),
    ...subscription.periods.map(({ fromAt }) => fromAt),
    ...expansions.flatMap(({ startsAt, endsAt }) => [startsAt ?? 0, endsAt ?? 0]),
    ...remindersOf(subscription).map(({ at }) => at),
    // A lease may go away at any time.
    now + 3_600_000,
  ];
  return Math.min(...times.filter((at) => at > now));
}

const dayMs = 86_400_000;
/** R-CHURN-3 and the customer's own calendar; a reminder that would come with the term itself is none. */
const reminderDays = [30, 7, 1] as const;

/** When the end of what is paid is told, if nothing was said about what comes after it. */
export function remindersOf(
  subscription: Subscription,
): readonly { readonly days: number; readonly at: number }[] {
  const last = subscription.periods.at(-1);
  if (subscription.state !== "active" || last === undefined) return [];
  return reminderDays
    .map((days) => ({ days, at: last.untilAt - days * dayMs }))
    .filter(({ at }) => at > last.fromAt + dayMs);
}
