/**
 * What is reported of a run. A tenant's slowdown is the mean over his jobs of (wait + length) divided
 * by the length, where a length under ten minutes counts as ten. Fairness is Jain's index over the
 * slowdowns of tenants with a hundred jobs or more: 1 if all are slowed down alike, 1/n if one bears it.
 */
import type { SchedulerName } from "#rehearse/rivals.ts";

import type { Run } from "./simulate.ts";

export interface Figures {
  readonly scheduler: SchedulerName;
  readonly meanWaitS: number;
  readonly p95WaitS: number;
  readonly maxWaitS: number;
  readonly wideMeanWaitS: number;
  /** Of all GPUs, until the last job came. */
  readonly utilization: number;
  readonly fairness: number;
  readonly worstSlowdown: number;
  readonly msPerPass: number;
  readonly waitingMost: number;
}

const wideGpus = 8;
const shortestMs = 600_000;
const tenantJobsMin = 100;

export function figuresOf(name: SchedulerName, run: Run, gpus: number): Figures {
  const waits = run.ran.map(({ job, startedAt }) => (startedAt - job.askedAt) / 1000);
  const wide = run.ran.filter(({ job }) => job.gpus >= wideGpus);
  const first = Math.min(...run.ran.slice(0, 1).map(({ job }) => job.askedAt));
  const last = run.ran.reduce((latest, { job }) => Math.max(latest, job.askedAt), 0);
  const busyMs = run.ran.reduce(
    (sum, { job, startedAt }) =>
      sum + job.gpus * Math.max(0, Math.min(last, startedAt + job.durationMs) - startedAt),
    0,
  );
  const slowdowns = [...Map.groupBy(run.ran, ({ job }) => job.tenantId).values()]
    .filter((ran) => ran.length >= tenantJobsMin)
    .map((ran) =>
      mean(
        ran.map(({ job, startedAt }) =>
          Math.max(
            1,
            (startedAt - job.askedAt + job.durationMs) / Math.max(shortestMs, job.durationMs),
          ),
        ),
      ),
    );
  const sorted = waits.toSorted((a, b) => a - b);
  return {
    scheduler: name,
    meanWaitS: mean(waits),
    p95WaitS: sorted[Math.floor(sorted.length * 0.95)] ?? 0,
    maxWaitS: sorted.at(-1) ?? 0,
    wideMeanWaitS: mean(wide.map(({ job, startedAt }) => (startedAt - job.askedAt) / 1000)),
    utilization: busyMs / (gpus * (last - first)),
    fairness: jain(slowdowns),
    worstSlowdown: Math.max(1, ...slowdowns),
    msPerPass: run.cpuMs / Math.max(1, run.passes),
    waitingMost: run.waitingMost,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

export function jain(values: readonly number[]): number {
  const squares = values.reduce((sum, value) => sum + value * value, 0);
  if (squares === 0) return 1;
  return values.reduce((sum, value) => sum + value, 0) ** 2 / (values.length * squares);
}
