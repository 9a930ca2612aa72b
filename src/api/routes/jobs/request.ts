/** What a job was submitted with, so that it can be submitted again. */
import type { Handler } from "#api/handler.ts";
import type { Operations } from "#contract/operations.ts";
import { shownBeside } from "#flow/provision/beside-view.ts";

import { jobView } from "./jobs.ts";

export const getJobRequest: Handler<Operations["getJobRequest"]> = async (
  { params },
  { tx, tenantId },
) => {
  const view = await jobView(tx, { tenantId, id: params.jobId });
  const { workload } = view;
  const { group, near, apart } = shownBeside(view);
  return {
    name: view.name,
    projectId: view.project_id,
    flavor: view.shape.flavor,
    image: view.image,
    ...(workload.script === null ? { command: workload.command } : { script: workload.script }),
    framework: workload.framework,
    environment: workload.environment,
    inputs: workload.inputs,
    timeLimitSeconds: workload.timeLimitSeconds,
    ...(workload.expectedSeconds === undefined
      ? {}
      : { expectedSeconds: workload.expectedSeconds }),
    ...(workload.deadline === undefined ? {} : { deadline: workload.deadline }),
    preemptible: workload.preemptible,
    ...(workload.checkpoint === null ? {} : { checkpoint: workload.checkpoint }),
    platformRetriesMax: workload.platformRetriesMax,
    members: view.gang_size,
    membersHow: view.gang_how,
    ...(group === null ? {} : { group }),
    near,
    apart,
  };
};
