/** The one row of `job_policy`: what the operator has said about jobs, over what is usual. */
import { z } from "zod";

import {
  jobPolicyBody,
  usualJobPolicy,
  type JobPolicy,
  type JobPolicyBody,
} from "#contract/schemas/job-policy.ts";
import { json } from "#db/json.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

const row = z.object({ policy: jobPolicyBody });

export async function jobPolicy(db: Queryable): Promise<JobPolicy> {
  const found = await db.maybe(sql`select policy from job_policy`, row);
  return found === undefined ? usualJobPolicy : changed(usualJobPolicy, found.policy);
}

/** What is left out stays as it was. */
export async function setJobPolicy(
  tx: Tx,
  change: { readonly policy: JobPolicyBody; readonly at: number },
): Promise<JobPolicy> {
  await tx.execute(sql`
    insert into job_policy (policy, changed_at) values (${json({})}, ${new Date(change.at)})
    on conflict do nothing`);
  await tx.one(sql`select policy from job_policy for update`, row);
  const policy = changed(await jobPolicy(tx), change.policy);
  await tx.execute(sql`
    update job_policy set policy = ${json(policy)}, changed_at = ${new Date(change.at)}`);
  return policy;
}

function changed(policy: JobPolicy, by: JobPolicyBody): JobPolicy {
  const preemption = { ...policy.preemption, ...defined(by.preemption ?? {}) };
  return { ...policy, ...defined(by), preemption };
}

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const said: { [K in keyof T]?: Exclude<T[K], undefined> } = {};
  for (const key in values) {
    const value = values[key];
    if (isSaid(value)) said[key] = value;
  }
  return said;
}

function isSaid<T>(value: T): value is Exclude<T, undefined> {
  return value !== undefined;
}
