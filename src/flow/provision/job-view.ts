/**
 * What a job looks like from outside: one read over the rows of the stages that it passed. State,
 * attempts and reasons are derived here and stored nowhere.
 */
import { z } from "zod";

import type { attempt as attemptSchema, job as jobSchema } from "#contract/schemas/jobs.ts";
import type { PageAsk } from "#db/keyset.ts";
import type { Queryable } from "#db/pool.ts";
import { instant, size } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { reasonRow, shapeRow, workloadRow } from "#flow/admit/rows.ts";
import { unreachable } from "#kernel/assert.ts";
import type { Reason } from "#kernel/reason.ts";

import { besideRow } from "./beside-view.ts";
import { newestRequests, type RequestFilter } from "./newest.ts";
import { reasonOfRemark, remarkRow } from "./remarks.ts";
import { attemptRow } from "./rows.ts";
import type { AttemptEnd } from "./view.ts";

export type JobState = z.output<typeof jobSchema>["state"];
export type ShownAttempt = z.output<typeof attemptSchema>;
type ShownPreemption = z.output<typeof jobSchema>["preemptions"][number];

const instanceRow = z.object({
  id: z.string(),
  turn: z.int(),
  state: z.string(),
  workload: attemptRow.nullable(),
  logBytes: z.number(),
});
type AttemptInstance = z.output<typeof instanceRow>;

const preemptionRow = z.object({
  attempt: z.int(),
  cause: z.enum(["preemption", "migration"]),
  state: z.enum(["asked", "called_off", "done", "moot"]),
  askedAt: z.number(),
  noticeUntil: z.number(),
  message: z.string(),
});

const row = z.object({
  id: z.string(),
  project_id: z.string(),
  name: z.string(),
  shape: shapeRow,
  image: z.string(),
  price: z.record(z.string(), z.unknown()),
  workload: workloadRow,
  turn: z.int(),
  created_at: instant,
  ended_at: instant.nullable(),
  end_reason: reasonRow.nullable(),
  state: z.enum([
    "queued",
    "starting",
    "running",
    "canceling",
    "succeeded",
    "failed",
    "timed_out",
    "canceled",
  ]),
  gang_id: z.string().nullable(),
  gang_size: z.int(),
  gang_rank: z.int(),
  gang_how: z.enum(["spread", "pack"]),
  address: z.string().nullable(),
  waiting: remarkRow.nullable(),
  ...besideRow,
  attempts: z.array(instanceRow),
  preemptions: z.array(preemptionRow),
  refusal: reasonRow.nullable(),
  results_bytes: size.nullable(),
  results_reason: reasonRow.nullable(),
  log_reason: reasonRow.nullable(),
});
export type JobView = z.output<typeof row>;

/** Reasons with which somebody, or an empty balance, ended a job that had not ended by itself. */
const canceledCodes = ["canceled", "insufficient_credit"];

/** Of job `r`, by its newest attempt and the queue entry of this turn. */
const ownState = sql`
    case
      when r.ended_at is not null then case
        when last.end_kind = 'exited' and last.exit_code = 0 then 'succeeded'
        when last.end_kind in ('exited', 'signaled') then 'failed'
        when last.end_kind = 'timed_out' then 'timed_out'
        when last.end_kind = 'canceled' or r.end_reason->>'code' = any(${canceledCodes})
          then 'canceled'
        when last.end_kind is null and r.end_reason is null then 'canceled'
        else 'failed' end
      when r.wanted = 'released' then 'canceling'
      when last.turn = r.turn and last.workload_state in ('running', 'ended') then 'running'
      when last.turn = r.turn or q.state = 'placed' then 'starting'
      else 'queued'
    end`;

const lastAttempt = sql`
    left join lateral (select i.turn, i.workload->>'state' as workload_state, i.address, i.waiting,
          i.workload->'end'->>'kind' as end_kind,
          (i.workload->'end'->>'exitCode')::int as exit_code
        from instance i where i.tenant_id = r.tenant_id and i.request_id = r.id
        order by i.turn desc limit 1) last on true
    left join queue_entry q on q.tenant_id = r.tenant_id and q.request_id = r.id
      and q.turn = r.turn`;

/** The first of a gang stands for all of it: what went wrong with one went wrong with all. */
const stateOfAll = sql`
    case
      when r.gang_id is null or r.gang_rank > 0 then ${ownState}
      when 'canceling' = any(gang.states) then 'canceling'
      when gang.over then case
        when 'failed' = any(gang.states) then 'failed'
        when 'timed_out' = any(gang.states) then 'timed_out'
        when 'canceled' = any(gang.states) then 'canceled'
        else 'succeeded' end
      when gang.states && '{running,succeeded,failed,timed_out,canceled}' then 'running'
      when 'starting' = any(gang.states) then 'starting'
      else 'queued'
    end`;

const jobRows = sql`
  select r.id, r.project_id, r.name, r.shape, r.image, r.price, r.workload, r.turn, r.created_at,
    case when gang.over is false then null else r.ended_at end as ended_at,
    r.end_reason, q.refusal, last.address,
    case when last.turn = r.turn then last.waiting end as waiting,
    r.gang_id, r.gang_size, r.gang_rank, r.gang_how,
    r.group_name, r.near, r.apart, r.near_groups, r.apart_groups,
    coalesce(a.attempts, '[]') as attempts, coalesce(x.preemptions, '[]') as preemptions,
    case when results.state = 'ready' then results.size_bytes end as results_bytes,
    results.reason as results_reason, log.reason as log_reason,
    ${stateOfAll} as state
  from request r
    left join lateral (select r.tenant_id as t, r.gang_id as g) me on true
    left join lateral (select array_agg(${ownState}) as states, bool_and(r.ended_at is not null) as over
        from request r ${lastAttempt}
        where r.tenant_id = me.t and r.gang_id = me.g) gang on r.gang_rank = 0 and r.gang_id is not null
    left join lateral (select jsonb_agg(jsonb_build_object('id', i.id, 'turn', i.turn,
          'state', i.state, 'workload', i.workload,
          'logBytes', coalesce(f.size_bytes, 0)) order by i.turn) as attempts
        from instance i left join stored_file f on f.tenant_id = i.tenant_id
          and f.job_id = i.request_id and f.attempt = i.turn and f.kind = 'log'
        where i.tenant_id = r.tenant_id and i.request_id = r.id) a on true
    left join lateral (select jsonb_agg(jsonb_build_object('attempt', x.attempt, 'cause', x.cause,
          'state', x.state, 'message', x.reason->>'message',
          'askedAt', (extract(epoch from x.asked_at) * 1000)::int8,
          'noticeUntil', (extract(epoch from x.notice_until) * 1000)::int8)
          order by x.asked_at, x.id) as preemptions
        from preemption x where x.tenant_id = r.tenant_id and x.request_id = r.id) x on true
    ${lastAttempt}
    left join stored_file results on results.tenant_id = r.tenant_id and results.job_id = r.id
      and results.attempt = last.turn and results.kind = 'results'
    left join stored_file log on log.tenant_id = r.tenant_id and log.job_id = r.id
      and log.attempt = last.turn and log.kind = 'log'
  where r.kind = 'job'`;

export function findJob(
  db: Queryable,
  key: { readonly tenantId: string; readonly id: string },
): Promise<JobView | undefined> {
  return db.maybe(sql`${jobRows} and r.tenant_id = ${key.tenantId} and r.id = ${key.id}`, row);
}

/** Of a gang the first member, which stands for all of it. */
export function listJobs(
  db: Queryable,
  filter: RequestFilter<JobState>,
  ask: PageAsk,
): Promise<JobView[]> {
  return db.rows(newestRequests(sql`${jobRows} and r.gang_rank = 0`, filter, ask), row);
}

/** In the order of their ranks, each by itself. */
export async function membersOf(
  db: Queryable,
  of: { readonly tenantId: string; readonly gangId: string },
): Promise<JobView[]> {
  return db.rows(
    sql`select j.*, s.own as state, s.ended_at from (
        ${jobRows} and r.tenant_id = ${of.tenantId} and r.gang_id = ${of.gangId}) j
      join lateral (select ${ownState} as own, r.ended_at from request r ${lastAttempt}
        where r.tenant_id = ${of.tenantId} and r.id = j.id) s on true
      order by j.gang_rank`,
    row,
  );
}

/** The request of one member; `undefined` if the job has none of that rank. */
export async function memberId(
  db: Queryable,
  of: { readonly tenantId: string; readonly jobId: string; readonly rank: number },
): Promise<string | undefined> {
  const found = await db.maybe(
    sql`select m.id from request r join request m on m.tenant_id = r.tenant_id
        and (m.gang_id = r.gang_id or r.gang_id is null and m.id = r.id)
      where r.tenant_id = ${of.tenantId} and r.id = ${of.jobId} and r.kind = 'job'
        and m.gang_rank = ${of.rank}`,
    z.object({ id: z.string() }),
  );
  return found?.id;
}

/** Oldest first; the last one may still wait for its machine. */
export function attemptsOf(view: JobView): ShownAttempt[] {
  const made = view.attempts.map(showAttempt);
  const waits = view.ended_at === null && !view.attempts.some(({ turn }) => turn === view.turn);
  if (!waits) return made;
  return [
    ...made,
    {
      number: view.turn,
      instanceId: null,
      state: "waiting",
      startedAt: null,
      endedAt: null,
      end: null,
      billable: false,
      logBytes: 0,
    },
  ];
}

function showAttempt({ id, turn, state, workload, logBytes }: AttemptInstance): ShownAttempt {
  const ended = workload?.state === "ended" || state === "gone";
  const end = workload?.end ?? null;
  return {
    number: turn,
    instanceId: id,
    state: ended ? "ended" : workload?.state === "running" ? "running" : "starting",
    startedAt: timeOf(workload?.startedAt),
    endedAt: timeOf(workload?.endedAt),
    end,
    // What runs is billed, unless the platform loses it (R-PAYG-7).
    billable: workload?.startedAt !== undefined && end?.kind !== "platform_fault",
    logBytes,
  };
}

function timeOf(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}

/** When it was told to make room or to move, oldest first; for whom is not said. */
export function preemptionsOf({ preemptions }: JobView): ShownPreemption[] {
  return preemptions.map(({ askedAt, noticeUntil, ...rest }) => ({
    ...rest,
    askedAt: new Date(askedAt).toISOString(),
    noticeUntil: new Date(noticeUntil).toISOString(),
  }));
}

/** Why it waits, how it ended, and what of it could not be kept. */
export function reasonOf(view: JobView): Reason | null {
  // What ended a gang is written down with each member; the first one's own end is but its own.
  if (view.ended_at !== null && view.gang_id === view.id && view.state !== "succeeded") {
    return withLosses(view, view.end_reason ?? endReason(view));
  }
  return ownReasonOf(view);
}

/** Of one member, whatever became of its gang. */
export function ownReasonOf(view: JobView): Reason | null {
  switch (view.state) {
    case "queued":
      return view.refusal ?? (view.turn > 1 ? view.end_reason : null);
    case "starting":
    case "running":
      if (view.waiting !== null) return reasonOfRemark(view.waiting);
      return view.turn > 1 ? view.end_reason : null;
    case "canceling":
      return view.end_reason;
    case "succeeded":
    case "failed":
    case "timed_out":
    case "canceled":
      return withLosses(view, endReason(view));
  }
  return unreachable(view.state);
}

function endReason(view: JobView): Reason | null {
  const end = view.attempts.at(-1)?.workload?.end;
  if (end === undefined || view.state === "canceled") return view.end_reason;
  return sentenceOf(view, end);
}

function sentenceOf(view: JobView, end: AttemptEnd): Reason | null {
  switch (end.kind) {
    case "exited":
      if (end.exitCode === 0) return null;
      return { code: "exited", message: `The program ended with exit code ${end.exitCode}.` };
    case "signaled":
      return { code: "signaled", message: `The program was ended by ${end.signal}.` };
    case "timed_out": {
      const limit = view.workload.timeLimitSeconds;
      return {
        code: "timed_out",
        message: `The program ran longer than its limit of ${limit} s.`,
        details: { timeLimitSeconds: limit },
      };
    }
    case "canceled":
    case "preempted":
    case "platform_fault":
      return view.end_reason;
  }
  return unreachable(end);
}

function withLosses(view: JobView, reason: Reason | null): Reason | null {
  const losses = [
    ...(view.results_reason === null
      ? []
      : [
          {
            ...view.results_reason,
            message: `No results were kept: ${view.results_reason.message}`,
          },
        ]),
    ...(view.log_reason === null ? [] : [view.log_reason]),
  ];
  const [first] = losses;
  if (first === undefined) return reason;
  return {
    code: reason?.code ?? first.code,
    message: [...(reason === null ? [] : [reason]), ...losses]
      .map((each) => each.message)
      .join(" "),
    details: { ...reason?.details, losses: losses.map(({ code, message }) => ({ code, message })) },
  };
}
