/**
 * One instance, again and again until nothing is left to do now: look, decide, write, call. May
 * run in any process that holds the site, and stop at any line.
 */
import { isDeepStrictEqual } from "node:util";

import type { Db } from "#db/pool.ts";
import type { Observer } from "#observe/observer.ts";
import type { OperationStatus, Provider, ProviderError } from "#providers/provider.ts";

import { makeCall } from "./calls.ts";
import { decide } from "./decide.ts";
import { findInstance, viewOf, type InstanceRow } from "./instance-rows.ts";
import { applyStep, recordNative } from "./store.ts";
import type { Sight, Step } from "./view.ts";

export interface ReconcileContext {
  readonly db: Db;
  readonly provider: Provider;
  readonly observer: Observer;
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** When the platform showed it last. */
  readonly lastSeenAt: (instanceId: string) => number | null;
}

/** A step that leads to a next one at once: more than this in a row is a bug or a storm. */
const stepsMax = 12;
/** While a call is under way and nothing else nudges. */
export const callPollMs = 250;

/** When to look again, or `undefined` when only an event or a nudge matters. */
export async function reconcile(
  context: ReconcileContext,
  instanceId: string,
  listed?: { readonly row: InstanceRow; readonly sight: Sight },
): Promise<number | undefined> {
  const { db, provider, now } = context;
  let known = listed;
  let failure: { readonly key: string; readonly error: ProviderError } | undefined;
  for (let steps = 0; steps < stepsMax && !context.signal.aborted; steps += 1) {
    const row = known?.row ?? (await findInstance(db, provider.site, instanceId));
    if (row === undefined || row.state === "gone") return undefined;
    // The sight must be younger than the row and the call's status, or a call that has finished
    // could hide behind an old look.
    const callStatus =
      failure !== undefined && failure.key === row.call?.key
        ? ({ state: "failed", error: failure.error } as const)
        : await statusOf(context, row);
    const listedSight = row.call === null ? known?.sight : undefined;
    const sight = listedSight ?? (await lookAt(context, instanceId));
    known = undefined;
    failure = undefined;
    const lastSeenAt = context.lastSeenAt(instanceId);
    const step = decide(viewOf(row, { sight, callStatus, lastSeenAt, now: now() }));
    if (!changesAnything(row, step)) return step.lookAgainAt ?? pollTime(row, now());
    const applied = await db.transaction((tx) => applyStep(tx, row, step, now()));
    if (!applied) continue;
    if (step.call !== undefined) {
      const result = await makeCall(provider, row, step.call, context.signal);
      if ("issued" in result) {
        await recordNative(db, row, { key: step.call.key, native: result.issued.native });
      } else if ("failed" in result) {
        failure = { key: step.call.key, error: result.failed };
      } else {
        context.observer.log.warn(
          { instanceId, call: step.call.kind, err: result.unknown },
          "provider call ended without a known effect",
        );
        return now() + callPollMs;
      }
    }
    if (step.state === "gone") return undefined;
  }
  return now() + callPollMs;
}

async function statusOf(
  { provider, signal, observer }: ReconcileContext,
  row: InstanceRow,
): Promise<OperationStatus | undefined> {
  const { call } = row;
  if (call === null) return undefined;
  const ref = { id: call.key, machineId: row.id, native: call.native ?? call.key };
  try {
    return await provider.operation({ signal }, ref);
  } catch (error) {
    observer.log.debug({ instanceId: row.id, err: error }, "operation could not be looked up");
    return undefined;
  }
}

async function lookAt(
  { provider, signal, observer }: ReconcileContext,
  instanceId: string,
): Promise<Sight> {
  try {
    const machine = await provider.machine({ signal }, instanceId);
    return machine === undefined ? { seen: "absent" } : { seen: "machine", machine };
  } catch (error) {
    observer.log.debug({ instanceId, err: error }, "machine could not be looked at");
    return { seen: "unknown" };
  }
}

function pollTime(row: InstanceRow, now: number): number | undefined {
  return row.call === null ? undefined : now + callPollMs;
}

/** Evidence that is the same as before is not written again. */
function changesAnything(row: InstanceRow, step: Step): boolean {
  const { patch } = step;
  return (
    step.call !== undefined ||
    step.state !== row.state ||
    step.transitions.length > 0 ||
    step.endedOperations.length > 0 ||
    step.events.length > 0 ||
    step.request !== undefined ||
    (step.placement === "disk" && row.placement_state === "full") ||
    (step.placement === "none" && row.placement_state !== "none") ||
    (patch.call === null && row.call !== null) ||
    (patch.pace !== undefined && JSON.stringify(patch.pace) !== JSON.stringify(row.pace)) ||
    (patch.missingSince !== undefined && patch.missingSince !== row.missing_since) ||
    (patch.readyAt !== undefined && patch.readyAt !== row.ready_at) ||
    (patch.workload !== undefined && patch.workload.state !== row.workload?.state) ||
    (patch.pendingResize !== undefined && patch.pendingResize !== row.pending_resize) ||
    (patch.address !== undefined && patch.address !== row.address) ||
    (patch.waiting !== undefined && !isDeepStrictEqual(patch.waiting, row.waiting)) ||
    (patch.notes !== undefined && !isDeepStrictEqual(patch.notes, row.notes)) ||
    (patch.endpoints !== undefined &&
      JSON.stringify(patch.endpoints) !== JSON.stringify(row.endpoints))
  );
}
