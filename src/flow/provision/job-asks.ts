/** The one thing that can be asked of a job that was submitted: that it ends. */
import type { Tx } from "#db/pool.ts";
import { supersedeOperations } from "#flow/admit/operations.ts";
import { lockRequest, setReason, setWanted, type Request } from "#flow/admit/requests.ts";
import { Failure } from "#kernel/failure.ts";

import { lockTogether } from "./gang-rows.ts";
import { findJob } from "./job-view.ts";

/** Of a gang all members, whichever is named. Canceling what is being canceled is the same wish. A program that has ended, has ended. */
export async function askCancel(
  tx: Tx,
  ask: {
    readonly tenantId: string;
    readonly jobId: string;
    readonly by: string;
    readonly at: number;
  },
): Promise<void> {
  const { tenantId, jobId, at } = ask;
  const members: Request[] = [];
  for (const id of await lockTogether(tx, { tenantId, requestId: jobId })) {
    members.push(await lockRequest(tx, { tenantId, id, kind: "job" }));
  }
  const [job] = members;
  if (job === undefined) throw new Failure("not_found", "There is no such job.");
  const open: Request[] = [];
  for (const member of members) {
    const over = member.ended_at !== null || (await programEnded(tx, { tenantId, id: member.id }));
    if (!over) open.push(member);
  }
  if (open.length === 0) {
    throw new Failure("wrong_state", `The job ${job.name} has ended already.`);
  }
  for (const { id, wanted } of open) {
    if (wanted === "released") continue;
    await setWanted(tx, { tenantId, id, wanted: "released", at });
    await setReason(tx, {
      tenantId,
      id,
      reason: { code: "canceled", message: `It was canceled by ${ask.by}.` },
    });
    await supersedeOperations(tx, { tenantId, requestId: id, at }, ["create"]);
  }
  tx.nudge("request");
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
