/** Pods, Jobs and workloads as a cluster tells them, for the tests of what is made of that. */
import type { SightFacts } from "./observe.ts";
import { read } from "./seen.ts";

export const clock = Date.parse("2026-11-21T12:00:00Z");
export const at = (seconds: number) => new Date(clock + seconds * 1000).toISOString();

export interface Condition {
  readonly type: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly at?: number;
}

export const conditions = (all: readonly Condition[]) =>
  all.map(({ at: seconds = 0, ...rest }) => ({
    status: "True",
    ...rest,
    lastTransitionTime: at(seconds),
  }));

export const metadata = { name: "x", namespace: "p", uid: "u", resourceVersion: "7" };
export const job = (...all: readonly Condition[]) =>
  read.job({ metadata, spec: {}, status: { conditions: conditions(all) } });
export const workload = (all: readonly Condition[], status: object = {}, spec: object = {}) =>
  read.workload({ metadata, spec, status: { conditions: conditions(all), ...status } });
export const admitted: Condition = { type: "Admitted", reason: "Admitted", at: 1 };

export interface PodTold {
  readonly rank?: number;
  readonly created?: number;
  readonly deleted?: boolean;
  readonly phase?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly conditions?: readonly Condition[];
  readonly fetch?: object;
  readonly main?: object;
}

export function pod(told: PodTold) {
  const { rank = 0, created = 2, phase = "Running", reason = "", message = "" } = told;
  return read.pod({
    metadata: {
      name: `pod-${rank}-${created}`,
      namespace: "p",
      uid: `uid-${rank}-${created}`,
      resourceVersion: "9",
      creationTimestamp: at(created),
      ...(told.deleted === true ? { deletionTimestamp: at(50) } : {}),
      annotations: { "batch.kubernetes.io/job-completion-index": String(rank) },
    },
    spec: { nodeName: "n1" },
    status: {
      phase,
      reason,
      message,
      conditions: conditions(told.conditions ?? []),
      initContainerStatuses: told.fetch === undefined ? [] : [{ name: "fetch", state: told.fetch }],
      containerStatuses: told.main === undefined ? [] : [{ name: "main", state: told.main }],
    },
  });
}

export const running = { running: { startedAt: at(10) } };
export const ended = (exitCode: number, more: object = {}) => ({
  terminated: { exitCode, startedAt: at(10), finishedAt: at(40), ...more },
});
export const saying = (end: string) => ({ message: JSON.stringify({ end, code: 0 }) });

export const facts = (pods: SightFacts["pods"], more: Partial<SightFacts> = {}): SightFacts => ({
  size: 1,
  pods,
  before: [],
  now: clock + 100_000,
  logBytes: () => 5,
  ...more,
});

export const preemptedWorkload = workload([
  { type: "Evicted", reason: "Preempted", message: "Preempted to accommodate", at: 30 },
  { type: "Preempted", reason: "InCohortReclamation", message: "Preempted to accommodate", at: 30 },
]);
