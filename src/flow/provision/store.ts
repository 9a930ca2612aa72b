/**
 * Writes rows of `instance`, `transition` and `request_event`. A step is applied in one transaction, and
 * only if nobody changed the instance since it was looked at (`version`).
 */
import { v7 as uuid } from "uuid";
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { endOperation } from "#flow/admit/operations.ts";
import { endRequest, setReason, setShape, setWanted } from "#flow/admit/requests.ts";
import { keepDevices } from "#flow/place/devices.ts";
import { growPlacement, keepDiskOnly, releasePlacement } from "#flow/place/store.ts";
import { holdBack } from "#flow/queue/held.ts";

import { eventOf } from "./event-words.ts";
import type { InstanceRow } from "./instance-rows.ts";
import { tellEviction } from "./evictions.ts";
import { closePreemptions, recordTold } from "./preemptions.ts";
import { resizeArguments } from "./arguments.ts";
import { updateSnapshotOf } from "./snapshots.ts";
import type { PendingCall, Step, Transition } from "./view.ts";

/**
 * Writes a step and the call that it will make. False, and nothing written, if the instance has
 * changed since `row` was read.
 */
export async function applyStep(
  tx: Tx,
  row: InstanceRow,
  step: Step,
  now: number,
): Promise<boolean> {
  const { patch } = step;
  if (!(await requestIsAsRead(tx, row))) return false;
  const metering = step.transitions.reduce(counted, row.metering);
  const call: PendingCall | null | undefined =
    step.call === undefined
      ? patch.call
      : {
          key: step.call.key,
          kind: step.call.kind,
          native: null,
          operationId: step.call.operationId,
          issuedAt: now,
        };
  const changed = await tx.execute(sql`
    update instance set version = version + 1,
      state = ${step.state},
      state_since = case when state = ${step.state} and ${step.call?.kind !== "start"}
        then state_since else ${new Date(now)} end,
      turn = ${step.call?.kind === "start" ? row.request_turn : row.turn},
      metering = ${json(metering)},
      ready_at = case when ${patch.readyAt !== undefined}
        then ${instantOf(patch.readyAt)}::timestamptz else ready_at end,
      endpoints = coalesce(${patch.endpoints === undefined ? null : json(patch.endpoints)}::jsonb,
        endpoints),
      address = coalesce(${patch.address ?? null}, address),
      start_kind = coalesce(${patch.startKind ?? null}, start_kind),
      pending_resize = coalesce(${patch.pendingResize ?? null}::boolean, pending_resize),
      restarts = ${patch.restarts ?? row.restarts},
      call = ${call === undefined ? (row.call === null ? null : json(row.call)) : call === null ? null : json(call)},
      pace = ${json(patch.pace ?? row.pace)},
      stop_before_start = ${instantOf(patch.stopBeforeStart === undefined ? row.stop_before_start : patch.stopBeforeStart)}::timestamptz,
      missing_since = ${instantOf(patch.missingSince === undefined ? row.missing_since : patch.missingSince)}::timestamptz,
      seen_until = ${instantOf(patch.seenUntil === undefined ? row.seen_until : patch.seenUntil)}::timestamptz,
      seen_at = ${new Date(now)},
      shape = ${json(patch.shape ?? row.shape)},
      workload = coalesce(${patch.workload === undefined ? null : json(patch.workload)}::jsonb, workload),
      reason = case when ${patch.reason !== undefined}
        then ${patch.reason === undefined || patch.reason === null ? null : json(patch.reason)}::jsonb
        else reason end,
      waiting = case when ${step.state === "gone"} then null
        when ${patch.waiting !== undefined} then ${patch.waiting === undefined || patch.waiting === null ? null : json(patch.waiting)}::jsonb
        else waiting end,
      notes = coalesce(${step.state === "gone" ? "[]" : patch.notes === undefined ? null : json(patch.notes)}::jsonb, notes),
      waited_until = coalesce(${instantOf(patch.waitedUntil)}::timestamptz, waited_until),
      gone_at = ${step.state === "gone" ? new Date(now) : null}
    where tenant_id = ${row.tenant_id} and id = ${row.id} and version = ${row.version}
      and not exists (select from operation o where o.tenant_id = ${row.tenant_id}
        and o.request_id = ${row.request_id} and o.state = 'running'
        and not o.id = any(${row.operations.map(({ id }) => id)}::uuid[]))`);
  if (changed === 0) return false;
  await insertTransitions(tx, row, step.transitions);
  await applyToInterruption(tx, row, step, now);
  if (step.evicted !== undefined) await tellEviction(tx, row, step.evicted, now);
  await applyToRequest(tx, row, step, now);
  await applyToPlacement(tx, row, step, now);
  for (const { operation, outcome } of step.endedOperations) {
    await endOperation(tx, { tenantId: row.tenant_id, id: operation.id, outcome, at: now });
    await updateSnapshotOf(tx, { tenantId: row.tenant_id, operation, outcome });
    if (operation.kind === "resize" && outcome.state === "succeeded") {
      const { shape, price } = resizeArguments(operation.arguments);
      await setShape(tx, { tenantId: row.tenant_id, id: row.request_id, shape, price, at: now });
    }
  }
  const told = step.transitions.flatMap((transition) => eventOf(transition) ?? []);
  for (const event of [...told, ...step.events]) {
    await addEvent(tx, { tenantId: row.tenant_id, requestId: row.request_id, ...event });
  }
  await nudgeFor(tx, row, step);
  return true;
}

/**
 * Locks the request, as every ask does, and sees whether it still says what the decision rests on:
 * a stop decided a moment ago must not undo the release that was asked for since.
 */
async function requestIsAsRead(tx: Tx, row: InstanceRow): Promise<boolean> {
  const found = await tx.maybe(
    sql`select id from request
      where tenant_id = ${row.tenant_id} and id = ${row.request_id} and wanted = ${row.wanted}
        and turn = ${row.request_turn} and (ended_at is not null) = ${row.ended}
      for no key update`,
    z.object({ id: z.string() }),
  );
  return found !== undefined;
}

function counted(sum: InstanceRow["metering"], transition: Transition): InstanceRow["metering"] {
  const next = { ...sum, seq: sum.seq + 1, lastAt: Math.max(sum.lastAt, transition.at) };
  switch (transition.kind) {
    case "created":
      return { ...next, created: true };
    case "ready":
      return { ...next, ready: true };
    case "stopped":
      return { ...next, ready: false };
    case "workload_started":
      return { ...next, workloadStarted: true };
    case "workload_ended":
      return { ...next, workloadEnded: true };
    case "deleted":
      return { ...next, deleted: true };
    case "resized":
      return next;
  }
}

async function insertTransitions(
  tx: Tx,
  row: InstanceRow,
  transitions: readonly Transition[],
): Promise<void> {
  let { seq } = row.metering;
  for (const transition of transitions) {
    seq += 1;
    await tx.execute(sql`
      insert into transition (tenant_id, instance_id, seq, at, kind, shape, evidence)
      values (${row.tenant_id}, ${row.id}, ${seq}, ${new Date(transition.at)}, ${transition.kind},
        ${json(transition.shape)}, ${json(transition.evidence)})`);
  }
}

async function applyToRequest(tx: Tx, row: InstanceRow, step: Step, now: number): Promise<void> {
  const key = { tenantId: row.tenant_id, id: row.request_id };
  switch (step.request?.set) {
    case undefined:
    case "as-its-gang":
      return;
    case "wanted-stopped":
      await setWanted(tx, { ...key, wanted: "stopped", at: now });
      await setReason(tx, { ...key, reason: step.request.reason });
      return;
    case "next-turn":
      await setWanted(tx, { ...key, wanted: "running", nextTurn: true, at: now });
      await setReason(tx, { ...key, reason: step.request.reason });
      await holdBack(tx, {
        tenantId: row.tenant_id,
        requestId: row.request_id,
        until: step.request.heldUntil,
        afterFault: step.request.reason.code !== "preempted",
      });
      return;
    case "ended":
      await endRequest(tx, { ...key, at: now, reason: step.request.reason });
      return;
  }
}

async function applyToInterruption(
  tx: Tx,
  row: InstanceRow,
  step: Step,
  at: number,
): Promise<void> {
  const { tenant_id: tenantId, id: instanceId } = row;
  if (step.told !== undefined) await recordTold(tx, { tenantId, told: step.told, at });
  const end = step.patch.workload?.end;
  if (row.interruption === null || end === undefined || row.workload?.end !== undefined) return;
  await closePreemptions(tx, { tenantId, instanceId, end, at });
}

async function applyToPlacement(tx: Tx, row: InstanceRow, step: Step, now: number): Promise<void> {
  const key = { tenantId: row.tenant_id, instanceId: row.id };
  if (step.placement === "none") {
    await releasePlacement(tx, key, now);
    await tx.execute(sql`
      update snapshot set state = 'gone'
      where tenant_id = ${row.tenant_id} and instance_id = ${row.id} and state <> 'gone'
        and id is distinct from ${row.keep_snapshot}`);
  }
  const refused = step.endedOperations.some(
    ({ operation, outcome }) => operation.kind === "resize" && outcome.state === "failed",
  );
  // Both shapes were held while it was under way; from now on the one that is there.
  const shape = step.patch.shape ?? (refused ? row.shape : undefined);
  if (shape !== undefined) {
    await growPlacement(tx, key, shape);
    await keepDevices(tx, key, shape.gpu?.count ?? 0);
  }
  if (step.placement === "disk") await keepDiskOnly(tx, key, row.placement_turn);
}

async function nudgeFor(tx: Tx, row: InstanceRow, step: Step): Promise<void> {
  if (step.transitions.length > 0) tx.nudge("meter");
  // Whoever is to reach it may now be made.
  if (row.address === null && step.patch.address !== undefined) tx.nudge("provision");
  if (step.placement !== undefined) tx.nudge("capacity");
  if (step.request !== undefined) tx.nudge("request");
  if (step.endedOperations.length > 0) tx.nudge("operation");
  // What is to be made of it may begin.
  if (step.endedOperations.some(({ operation }) => operation.kind === "snapshot")) {
    tx.nudge("provision");
  }
  if (step.state !== row.state || step.events.length > 0) tx.nudge("instance");
  const workload = step.patch.workload?.state;
  if (workload !== undefined && workload !== row.workload?.state) tx.nudge("workload");
}

/** Keeps what the platform calls the operation, so that another process can ask for it. */
export async function recordNative(
  db: Queryable,
  row: InstanceRow,
  call: { readonly key: string; readonly native: string },
): Promise<void> {
  await db.execute(sql`
    update instance set call = jsonb_set(call, '{native}', ${json(call.native)}::jsonb)
    where tenant_id = ${row.tenant_id} and id = ${row.id} and call->>'key' = ${call.key}`);
}

export async function addEvent(
  db: Queryable,
  event: {
    readonly tenantId: string;
    readonly requestId: string;
    readonly kind: string;
    readonly message: string;
    readonly details?: Readonly<Record<string, unknown>>;
    readonly at: number;
    /** As in EventNote. */
    readonly sparseMs?: number;
  },
): Promise<void> {
  const since = new Date(event.at - (event.sparseMs ?? 0));
  await db.execute(sql`
    insert into request_event (tenant_id, id, request_id, at, kind, message, details)
    select ${event.tenantId}, ${uuid()}, ${event.requestId}, ${new Date(event.at)},
      ${event.kind}, ${event.message}, ${json(event.details ?? {})}
    where ${event.sparseMs === undefined} or not exists (select from request_event e
      where e.tenant_id = ${event.tenantId} and e.request_id = ${event.requestId}
        and e.at > ${since} and e.kind = ${event.kind}
        and e.details->>'code' = ${String(event.details?.["code"])})`);
}

function instantOf(at: number | null | undefined): Date | null {
  return at === null || at === undefined ? null : new Date(at);
}
