/**
 * When a machine began and ended to run, as metering needs it: from KubeVirt's own timestamps of its
 * phases, each with the resource version that showed it. A transition has a key that is the same
 * whenever and however often it is read, so a watcher that was away neither loses nor repeats a second;
 * a cluster's timestamps are whole seconds.
 */
import { endPhases, type SeenInstance } from "./seen.ts";

export interface Transition {
  /** Of the run, the phase and its time: the same transition has the same key for ever. */
  readonly key: string;
  /** The uid of the VirtualMachineInstance: one start of the machine. */
  readonly run: string;
  readonly to: "running" | "ended";
  readonly at: number;
  /** What told it: KubeVirt's phase, or that the object is gone. */
  readonly by: string;
  readonly resourceVersion: string;
}

export interface Run {
  readonly run: string;
  readonly from: number;
  /** Absent while it runs. */
  readonly until?: number;
}

/** In order of time. Of an instance that is gone, `goneAt` is when that was first known. */
export function transitionsOf(instance: SeenInstance, goneAt?: number): readonly Transition[] {
  const { uid: run, resourceVersion, deletionTimestamp } = instance.metadata;
  const told = (instance.status?.phaseTransitionTimestamps ?? []).flatMap(
    ({ phase, phaseTransitionTimestamp: at }): readonly Transition[] => {
      const to = phase === "Running" ? "running" : endPhases.has(phase) ? "ended" : undefined;
      if (to === undefined || Number.isNaN(at)) return [];
      return [{ key: `${run}/${phase}/${at}`, run, to, at, by: phase, resourceVersion }];
    },
  );
  const inOrder = told.toSorted((a, b) => a.at - b.at || order(a) - order(b));
  const last = inOrder.at(-1);
  if (goneAt === undefined || last?.to !== "running") return inOrder;
  // It vanished while it ran. It ended no earlier than it began, no later than it was missed; where it
  // was told to end, the customer is not charged for what KubeVirt took to do it.
  const at = Math.max(last.at, Math.min(deletionTimestamp ?? goneAt, goneAt));
  return [...inOrder, { key: `${run}/gone`, run, to: "ended", at, by: "gone", resourceVersion }];
}

function order({ to }: Transition): number {
  return to === "running" ? 0 : 1;
}

/** Half-open spans in which machines ran; the same transition twice counts once. */
export function runsOf(transitions: readonly Transition[]): readonly Run[] {
  const seen = new Map<string, Transition>(transitions.map((each) => [each.key, each]));
  const byRun = Map.groupBy(seen.values(), ({ run }) => run);
  const runs = [...byRun].flatMap(([run, all]): readonly Run[] => {
    const from = least(all.filter(({ to }) => to === "running"));
    if (from === undefined) return [];
    const until = least(all.filter(({ to }) => to === "ended"));
    return [until === undefined ? { run, from } : { run, from, until: Math.max(from, until) }];
  });
  return runs.toSorted((a, b) => a.from - b.from);
}

function least(transitions: readonly Transition[]): number | undefined {
  return transitions.length === 0 ? undefined : Math.min(...transitions.map(({ at }) => at));
}

/** KubeVirt's `…_last_transition_timestamp_seconds` against ours. */
export interface CrossCheck {
  readonly agrees: boolean;
  readonly differenceMs: number;
}

/** Its metric is set when its controller noticed, ours when the phase changed. */
export function crossCheck(oursMs: number, metricSeconds: number, toleranceMs: number): CrossCheck {
  const differenceMs = metricSeconds * 1000 - oursMs;
  return { agrees: Math.abs(differenceMs) <= toleranceMs, differenceMs };
}
