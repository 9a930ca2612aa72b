/** The one thing that can be asked of a job that was submitted: that it ends. */
import type { Tx } from "#db/pool.ts";
import { supersedeOperations } from "#flow/admit/operations.ts";
import { lockRequest, setReason, setWanted } from "#flow/admit/requests.ts";
import { Failure } from "#kernel/failure.ts";

import { findJob } from "./job-view.ts";

/** Canceling what is being canceled is the same wish. A program that has ended, has ended. */
export async function askCancel(
  tx: Tx,
  ask: {
    readonly tenantId: string;
    readonly jobId: string;
    readonly by: string;
    readonly at: number;
  },
): Promise<void> {
  const key = { tenantId: ask.tenantId, id: ask.jobId };
  const job = await lockRequest(tx, { ...key, kind: "job" });
  const over = job.ended_at !== null || (await programEnded(tx, key));
  if (over) throw new Failure("wrong_state", `The job ${job.name} has ended already.`);
  if (job.wanted === "released") return;
  await setWanted(tx, { ...key, wanted: "released", at: ask.at });
  await setReason(tx, {
    ...key,
    reason: { code: "canceled", message: `It was canceled by ${ask.by}.` },
  });
  await supersedeOperations(tx, { tenantId: ask.tenantId, requestId: ask.jobId, at: ask.at }, [
    "create",
  ]);
  await tx.nudge("request");
}

/** Its machine is about to go by itself; only what ended by our doing or fault might go on. */
async function programEnded(
  tx: Tx,
  key: { readonly tenantId: string; readonly id: string },
): Promise<boolean> {
  const view = await findJob(tx, key);
  const end = view?.attempts.at(-1)?.workload?.end;
  return end !== undefined && end.kind !== "platform_fault" && end.kind !== "preempted";
}
