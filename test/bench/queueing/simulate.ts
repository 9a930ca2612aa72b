/**
 * The trace through a scheduler: jobs come when they came and run for as long as they ran. A pass is
 * made whenever something came or ended, unless nothing is free or nothing waits.
 */
import { used } from "#flow/queue/shares.ts";
import type { PoolHost, QueuedWork, RunningWork, Usage } from "#flow/queue/work.ts";
import type { Scheduler } from "#rehearse/rivals.ts";

import type { TraceJob } from "./trace.ts";

export interface Experiment {
  readonly jobs: readonly TraceJob[];
  readonly estimates: ReadonlyMap<string, number>;
  readonly hosts: readonly PoolHost[];
  readonly halfLifeMs: number;
}

export interface Ran {
  readonly job: TraceJob;
  readonly startedAt: number;
}

export interface Run {
  readonly ran: readonly Ran[];
  readonly passes: number;
  readonly waitingMost: number;
  readonly cpuMs: number;
}

interface Active extends RunningWork {
  readonly units: number;
  readonly reallyEndsAt: number;
}

export const pool = "gpu";

export function simulate(
  { jobs, estimates, hosts, halfLifeMs }: Experiment,
  schedule: Scheduler,
): Run {
  const total = hosts.reduce((sum, { units }) => sum + units, 0);
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const usage = new Map<string, Usage>();
  const ran: Ran[] = [];
  let waiting: QueuedWork[] = [];
  /** By their real end, the next last. */
  const active: Active[] = [];
  let busy = 0;
  let arrived = 0;
  let passes = 0;
  let waitingMost = 0;
  const cpu = process.cpuUsage();
  while (arrived < jobs.length || active.length > 0) {
    const now = Math.min(
      jobs[arrived]?.askedAt ?? Infinity,
      active.at(-1)?.reallyEndsAt ?? Infinity,
    );
    for (let last = active.at(-1); last !== undefined && last.reallyEndsAt <= now;) {
      active.pop();
      busy -= last.units;
      const job = byId.get(last.id);
      if (job !== undefined) charge(usage, job, { now, halfLifeMs });
      last = active.at(-1);
    }
    for (let job = jobs[arrived]; job !== undefined && job.askedAt <= now; job = jobs[arrived]) {
      waiting.push(asked(job, estimates.get(job.id) ?? job.durationMs));
      arrived += 1;
    }
    waitingMost = Math.max(waitingMost, waiting.length);
    if (waiting.length === 0 || busy === total) continue;
    passes += 1;
    const starts = schedule({
      now,
      waiting,
      running: active,
      hosts,
      limits: [],
      fenPerUnitHour: new Map(),
      usage: [...usage.values()],
    });
    for (const { id, parts } of starts) {
      const job = byId.get(id);
      if (job === undefined) continue;
      ran.push({ job, startedAt: now });
      busy += job.gpus;
      const { tenantId, gpus: units } = job;
      insert(active, {
        id,
        tenantId,
        projectId: tenantId,
        pool,
        parts,
        units,
        endsAt: now + (estimates.get(id) ?? job.durationMs),
        reallyEndsAt: now + job.durationMs,
      });
    }
    if (starts.length > 0) {
      const gone = new Set(starts.map(({ id }) => id));
      waiting = waiting.filter(({ id }) => !gone.has(id));
    }
  }
  const spent = process.cpuUsage(cpu);
  return { ran, passes, waitingMost, cpuMs: (spent.user + spent.system) / 1000 };
}

function asked(job: TraceJob, estimateMs: number): QueuedWork {
  return {
    id: job.id,
    tenantId: job.tenantId,
    projectId: job.tenantId,
    workClass: "ordinary",
    askedAt: job.askedAt,
    pool,
    units: job.gpus,
    gang: true,
    estimateMs,
  };
}

/** Use is charged when it ends; until then what a tenant holds does not count as used. */
function charge(
  usage: Map<string, Usage>,
  { tenantId, gpus, durationMs }: TraceJob,
  { now, halfLifeMs }: { readonly now: number; readonly halfLifeMs: number },
): void {
  const before = usage.get(tenantId) ?? { tenantId, unitMs: 0, asOf: now, weight: 1 };
  usage.set(tenantId, used(before, gpus * durationMs, now, halfLifeMs));
}

function insert(active: Active[], work: Active): void {
  let low = 0;
  let high = active.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((active[middle]?.reallyEndsAt ?? 0) > work.reallyEndsAt) low = middle + 1;
    else high = middle;
  }
  active.splice(low, 0, work);
}
