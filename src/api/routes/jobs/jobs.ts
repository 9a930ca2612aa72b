/** Submit, look at and cancel jobs. */
import type { Handler } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { requireImageFits, requirePlaceable } from "#api/routes/leases/leases.ts";
import { pricesNow } from "#api/routes/leases/quote.ts";
import { priorityOf } from "#api/routes/priority.ts";
import { optionalTime, rfc3339, showReason } from "#api/routes/leases/show.ts";
import { offeredFlavor } from "#catalog/flavors.ts";
import { usableImage } from "#catalog/images.ts";
import type { Operations } from "#contract/operations.ts";
import { price } from "#contract/schemas/catalog.ts";
import type { Job } from "#contract/schemas/compute.ts";
import { requireAgreements } from "#customers/agreements.ts";
import { requireMeans } from "#dunning/require.ts";
import type { Tx } from "#db/pool.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import { workloadOf } from "#flow/admit/job.ts";
import { admitWork } from "#flow/admit/lease.ts";
import { priceOf } from "#flow/admit/price.ts";
import { shapeOf } from "#flow/admit/shape.ts";
import { askCancel } from "#flow/provision/job-asks.ts";
import { attemptsOf, findJob, listJobs, reasonOf, type JobView } from "#flow/provision/job-view.ts";
import { usedFlavor } from "#flow/provision/lease-view.ts";
import { projectForWork } from "#identity/projects.ts";
import { Failure } from "#kernel/failure.ts";

export const createJob: Handler<Operations["createJob"]> = async ({ body }, context) => {
  const { tx, tenantId, principal } = context;
  const project = await projectForWork(tx, tenantId, body.projectId);
  await requireAgreements(tx, tenantId);
  await requireMeans(tx, { tenantId, kind: "job" });
  const image = await usableImage(tx, body.image);
  const shape = shapeOf(await offeredFlavor(tx, body.flavor), {});
  requireImageFits(shape, image);
  const workload = await workloadOf(tx, tenantId, body, shape);
  await requirePlaceable(context, shape);
  const { requestId } = await admitWork(tx, ledgerCredit, {
    tenantId,
    projectId: project.id,
    userId: principal.userId,
    kind: "job",
    name: body.name,
    shape,
    image: image.name,
    loginUser: image.defaultUser,
    // Nobody logs in to a job's machine.
    sshKeys: [],
    userData: undefined,
    restart: "never",
    priority: await priorityOf(context),
    workload,
    plan: "on_demand",
    price: priceOf(await pricesNow(tx, context.now()), shape),
    at: context.now(),
  });
  context.note({ target: requestId, details: { name: body.name, flavor: body.flavor } });
  return jobOf(tx, { tenantId, id: requestId });
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

export const getJob: Handler<Operations["getJob"]> = ({ params }, { tx, tenantId }) =>
  jobOf(tx, { tenantId, id: params.jobId });

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
    attempts: attemptsOf(view),
    resultsBytes: view.results_bytes,
    createdAt: rfc3339(view.created_at),
    endedAt: optionalTime(view.ended_at),
  };
}
