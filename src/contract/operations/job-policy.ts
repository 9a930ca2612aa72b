import { operation } from "#contract/operation.ts";
import { jobPolicy, jobPolicyBody } from "#contract/schemas/job-policy.ts";

export const jobPolicyOperations = {
  getJobPolicy: operation({
    method: "GET",
    path: "/v1/job-policy",
    summary: "Who may preempt whom, how long a job may run, when a guest counts as dead",
    tag: "jobs",
    permission: "platform.read",
    result: jobPolicy,
  }),
  setJobPolicy: operation({
    method: "PUT",
    path: "/v1/job-policy",
    summary: "For the operator: change it; what is left out stays as it is",
    tag: "jobs",
    permission: "platform.manage",
    audit: "job-policy.set",
    body: jobPolicyBody,
    result: jobPolicy,
  }),
};
