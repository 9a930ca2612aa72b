/** The operator's word about jobs: who may preempt whom, how long one may run. */
import type { Handlers } from "#api/handler.ts";
import { jobPolicy, setJobPolicy } from "#flow/admit/job-policy.ts";

export const jobPolicyHandlers = {
  getJobPolicy: (_input, { tx }) => jobPolicy(tx),

  setJobPolicy: async ({ body }, { tx, now, note }) => {
    const policy = await setJobPolicy(tx, { policy: body, at: now() });
    note({ details: { ...policy } });
    return policy;
  },
} satisfies Partial<Handlers>;
