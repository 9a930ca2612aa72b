/** Submit, look at and cancel jobs. */
import type { Handler } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { optionalTime, rfc3339, showReason } from "#api/routes/leases/show.ts";
import { inLine } from "#api/routes/schedule/line.ts";
import type { Operations } from "#contract/operations.ts";
import { price } from "#contract/schemas/catalog.ts";
import type { Job } from "#contract/schemas/compute.ts";
import type { Tx } from "#db/pool.ts";
import { askCancel } from "#flow/provision/job-asks.ts";
import {
  attemptsOf,
  findJob,
  listJobs,
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
  return showJob(await jobView(tx, key));
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
    flavor: usedFlavor(view.shape),
    image: view.image,
    price: price.parse(view.price),
    timeLimitSeconds: view.workload.timeLimitSeconds,
    preemptible: view.workload.preemptible,
    checkpoint: view.workload.checkpoint,
    attempts: attemptsOf(view),
    line: null,
    preemptions: preemptionsOf(view),
    resultsBytes: view.results_bytes,
    createdAt: rfc3339(view.created_at),
    endedAt: optionalTime(view.ended_at),
  };
}
