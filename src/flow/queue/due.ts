/**
 * In which order? Each entry has a due time: when it asked, moved by a few terms, each of which has a
 * bound. The earliest due goes first. No term looks at the clock, so waiting alone brings an entry
 * forward, a clock that jumps reorders nothing, and nothing starves: whoever asks later than
 * `overtakingMs` after an entry never goes before it.
 */
import type { QueuedWork, WorkClass } from "./work.ts";

export interface OrderRules {
  /** Short work first: its estimate times this counts as asked later ... */
  readonly lengthFactor: number;
  /** ... by so much at most. */
  readonly lengthMsMax: number;
  /** Work of `wideUnits` and more counts as asked earlier by so much: it waits for many at once. */
  readonly wideMs: number;
  readonly wideUnits: number;
  /** Who used more than his share counts as asked later, by so much at most. */
  readonly shareMsMax: number;
  readonly halfLifeMs: number;
  readonly classMs: Readonly<Record<WorkClass, number>>;
  /**
   * A lease counts as asked earlier by so much, because a person waits for it; one that can start on
   * the host of its disk only, by twice as much. Neither its length nor its width counts.
   */
  readonly leaseMs: number;
  /** A deadline that would be missed brings work forward by so much at most. */
  readonly deadlineMsMax: number;
}

/** How much later than an entry another may ask and still go before it. */
export function overtakingMs(rules: OrderRules): number {
  const classes = Object.values(rules.classMs);
  return (
    rules.lengthMsMax +
    rules.wideMs +
    rules.shareMsMax +
    rules.deadlineMsMax +
    2 * rules.leaseMs +
    Math.max(...classes) -
    Math.min(...classes)
  );
}

export interface Due {
  readonly work: QueuedWork;
  readonly dueAt: number;
}

export function dueAt(work: QueuedWork, overuse: number, rules: OrderRules): number {
  const usual =
    work.askedAt +
    rules.shareMsMax * overuse -
    rules.classMs[work.workClass] +
    (work.lease === undefined ? bySize(work, rules) : -leaseTerm(work.lease, rules));
  if (work.deadlineAt === undefined) return usual;
  const lastStart = work.deadlineAt - work.estimateMs;
  return Math.max(usual - rules.deadlineMsMax, Math.min(usual, lastStart));
}

function bySize({ estimateMs, units }: QueuedWork, rules: OrderRules): number {
  const length = Math.min(rules.lengthMsMax, estimateMs * rules.lengthFactor);
  return length - (units >= rules.wideUnits ? rules.wideMs : 0);
}

function leaseTerm(lease: "new" | "pinned", { leaseMs }: OrderRules): number {
  return lease === "pinned" ? 2 * leaseMs : leaseMs;
}

export function inDueOrder(
  waiting: readonly QueuedWork[],
  overuse: ReadonlyMap<string, number>,
  rules: OrderRules,
): Due[] {
  const entries = waiting.map((work) => ({
    work,
    dueAt: dueAt(work, overuse.get(work.tenantId) ?? 0, rules),
  }));
  return entries.toSorted(
    (a, b) =>
      a.dueAt - b.dueAt || a.work.askedAt - b.work.askedAt || (a.work.id < b.work.id ? -1 : 1),
  );
}
