/** Asks an attempt to save its work and to end, and tells everybody who is to know of it. */
import { audit } from "#audit/audit.ts";
import type { Tx } from "#db/pool.ts";
import { notify } from "#notices/store.ts";

import { matesOf } from "./gang-rows.ts";
import { insertPreemption, type NewPreemption } from "./preemptions.ts";
import { addEvent } from "./store.ts";

/**
 * All of it with the row; nothing if the attempt was told already or has ended. A gang is told as a
 * whole, and its owner once.
 */
export async function interrupt(tx: Tx, name: string, draft: NewPreemption): Promise<void> {
  const id = await insertPreemption(tx, draft);
  if (id === undefined) return;
  const { tenantId, requestId, at, cause } = draft;
  const until = new Date(draft.noticeUntil).toISOString();
  const kind = cause === "preemption" ? "preempting" : "moving";
  for (const mate of await matesOf(tx, { tenantId, requestId })) {
    const told = { ...draft, ...mate, lostUnitMs: 0 };
    if ((await insertPreemption(tx, told)) === undefined) continue;
    const text = `Attempt ${told.attempt} is to save its work and to end by ${new Date(draft.noticeUntil).toISOString()}, as all members of its gang. ${draft.reason.message}`;
    await addEvent(tx, { tenantId, requestId: mate.requestId, kind, message: text, at });
  }
  const message = `Attempt ${draft.attempt} is to save its work and to end by ${until}. ${draft.reason.message}`;
  await addEvent(tx, { tenantId, requestId, kind, message, at });
  await notify(tx, {
    tenantId,
    key: `interrupted:${id}`,
    kind: cause === "preemption" ? "job_preempted" : "job_moved",
    severity: "info",
    data: { job: name, attempt: draft.attempt, until },
    at,
  });
  await audit(tx, {
    tenantId,
    actor: { kind: "system", name: "scheduler" },
    action: cause === "preemption" ? "job.preempt" : "job.move",
    target: requestId,
    outcome: "done",
    requestId: id,
    details: { attempt: draft.attempt, reason: draft.reason.message, lostUnitMs: draft.lostUnitMs },
    at,
  });
  tx.nudge("provision");
}
