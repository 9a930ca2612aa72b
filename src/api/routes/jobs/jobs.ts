/** Submit, look at and cancel jobs. */
import type { Handler } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { optionalTime, rfc3339, showReason } from "#api/routes/leases/show.ts";
import { inLine } from "#api/routes/schedule/line.ts";
import type { Operations } from "#contract/operations.ts";
import { price } from "#contract/schemas/catalog.ts";
import type { Job } from "#contract/schemas/jobs.ts";
import type { Tx } from "#db/pool.ts";
import { shownBeside } from "#flow/provision/beside-view.ts";
import { askCancel } from "#flow/provision/job-asks.ts";
import {
  attemptsOf,
  findJob,
  listJobs,
  membersOf,
  ownReasonOf,
  preemptionsOf,
  reasonOf,
  type JobView,
} from "#flow/provision/job-view.ts";
import { usedFlavor } from "#flow/provision/lease-view.ts";
import { present } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";

import { submitJobs } from "./submit.ts";

export const createJob: Handler<Operations["createJob"]> = async ({ body }, context) => {
  const { tx, tenantId } = context;
  const [submitted] = await submitJobs(context, [body]);
  const outcome = present(submitted, "the outcome of what was submitted");
  if (!outcome.accepted) throw outcome.failure;
  context.note({ target: outcome.id, details: { name: body.name, flavor: body.flavor } });
  return jobOf(tx, { tenantId, id: outcome.id });
};

export const listJobsHandler: Handler<Operations["listJobs"]> = ({ query }, { tx, tenantId }) =>
  pageOf(query, {
    load: (ask) =>
      listJobs(
        tx,
        { tenantId, state: query.state, projectId: query.projectId, name: query.name },
        ask,
      ),
    show: showJob,
    positionOf: (row) => ({ at: row.created_at, id: row.id }),
  });

export const getJob: Handler<Operations["getJob"]> = async ({ params }, { tx, tenantId }) =>
  inLine(tx, await jobOf(tx, { tenantId, id: params.jobId }));

export const cancelJob: Handler<Operations["cancelJob"]> = async ({ params }, context) => {
  const { tx, tenantId, principal } = context;
  const by = principal.userName;
  await askCancel(tx, { tenantId, jobId: params.jobId, by, at: context.now() });
  return jobOf(tx, { tenantId, id: params.jobId });
};

async function jobOf(
  tx: Tx,
  key: { readonly tenantId: string; readonly id: string },
): Promise<Job> {
  const view = await jobView(tx, key);
  const { gang_id: gangId } = view;
  if (gangId === null || view.gang_rank > 0) return showJob(view);
  const members = await membersOf(tx, { tenantId: key.tenantId, gangId });
  return { ...showJob(view), gang: { ...gangOf(view, gangId), members: members.map(showMember) } };
}

export async function jobView(
  tx: Tx,
  key: { readonly tenantId: string; readonly id: string },
): Promise<JobView> {
  const found = await findJob(tx, key);
  if (found === undefined) throw new Failure("not_found", "There is no such job.");
  return found;
}

function showJob(view: JobView): Job {
  return {
    id: view.id,
    projectId: view.project_id,
    name: view.name,
    state: view.state,
    reason: showReason(reasonOf(view)),
    line: null,
    flavor: usedFlavor(view.shape),
    image: view.image,
    price: price.parse(view.price),
    timeLimitSeconds: view.workload.timeLimitSeconds,
    preemptible: view.workload.preemptible,
    checkpoint: view.workload.checkpoint,
    attempts: attemptsOf(view),
    preemptions: preemptionsOf(view),
    resultsBytes: view.results_bytes,
    gang: view.gang_id === null ? null : { ...gangOf(view, view.gang_id), members: null },
    ...shownBeside(view),
    createdAt: rfc3339(view.created_at),
    endedAt: optionalTime(view.ended_at),
  };
}

function gangOf(
  { gang_size: size, gang_rank: rank, gang_how: how }: JobView,
  id: string,
): Omit<NonNullable<Job["gang"]>, "members"> {
  return { id, size, rank, how };
}

function showMember(view: JobView): NonNullable<NonNullable<Job["gang"]>["members"]>[number] {
  return {
    rank: view.gang_rank,
    id: view.id,
    name: view.name,
    state: view.state,
    reason: showReason(ownReasonOf(view)),
    address: view.address,
    attempts: attemptsOf(view),
    resultsBytes: view.results_bytes,
  };
}
