/**
 * Makes a decision so: each step is one transaction under the lock of the lease's request, decided
 * once more on what stands there then. Whoever dies before its commit leaves nothing of it, and
 * whoever comes after it goes on from the stage that was written.
 */
import type { Db, Tx } from "#db/pool.ts";
import { askRelease } from "#flow/admit/lease.ts";
import { keepSnapshotOf, lockRequest, setReason } from "#flow/admit/requests.ts";
import { askDeleteSnapshot, askSnapshotToKeep } from "#flow/provision/snapshot-asks.ts";
import { keepUntil } from "#flow/provision/snapshots.ts";
import { addEvent } from "#flow/provision/store.ts";
import { Failure } from "#kernel/failure.ts";
import { notify, raiseAlert, resolveAlert } from "#notices/store.ts";
import type { Activity } from "#providers/provider.ts";

import { decide, eligibility, type Act, type Decision } from "./decide.ts";
import { addIdleEvent, type EventDetails, type EventKind } from "./events.ts";
import { rulesFor, type Policy, type Rules } from "./rules.ts";
import { look, type Looked, type Signal } from "./signals.ts";
import { saveWatch, watchedLease, type WatchedLease } from "./store.ts";
import { eventWords, movedText } from "./words.ts";

const dayMs = 24 * 3_600_000;

export interface Thought {
  readonly looked: Looked;
  readonly rules: Rules | undefined;
  readonly decision: Decision;
}

/** What one look at a lease leads to. Pure. */
export function consider(
  lease: WatchedLease,
  ask: {
    readonly activity: Activity | undefined;
    readonly policies: readonly Policy[];
    readonly now: number;
  },
): Thought {
  const { watch, instanceId, shape } = lease;
  const { activity, now } = ask;
  const rules =
    eligibility({ ...lease, exempt: watch.exempt }) === "watched" && instanceId !== null
      ? rulesFor(ask.policies, lease)
      : undefined;
  // Of a lease that is not watched nothing is known: looking begins anew when it is again.
  const looked: Looked =
    rules === undefined
      ? { signals: {}, counters: null }
      : look({
          before: watch,
          activity,
          lease: {
            instanceId: instanceId ?? "",
            vcpus: shape.vcpus,
            hasGpu: shape.gpu !== null,
          },
          consoleAt: watch.consoleAt,
          rules,
          now,
        });
  const decision = decide({
    standing: watch.standing,
    signals: looked.signals,
    keptAt: watch.keptAt,
    rules,
    snapshot: lease.snapshot,
    now,
  });
  return { looked, rules, decision };
}

/** Nothing happens if the lease is not as it was read any more: the next look decides. */
export async function apply(
  db: Db,
  lease: WatchedLease,
  ask: Parameters<typeof consider>[1],
): Promise<void> {
  const { tenantId, requestId } = lease;
  try {
    await db.transaction(async (tx) => {
      await lockRequest(tx, { tenantId, id: requestId, kind: "lease" });
      const fresh = await watchedLease(tx, { tenantId, id: requestId });
      if (fresh?.watch.version !== lease.watch.version) throw new Overtaken();
      const thought = consider(fresh, ask);
      const { act, standing } = thought.decision;
      const snapshotId = await carryOut(tx, fresh, { ...thought, act, now: ask.now });
      const after = snapshotId === undefined ? standing : { ...standing, snapshotId };
      const watch = { ...fresh.watch, ...thought.looked, standing: after };
      if (!(await saveWatch(tx, { tenantId, requestId }, watch))) throw new Overtaken();
    });
  } catch (error) {
    if (!(error instanceof Overtaken)) throw error;
  }
}

/** Undoes the transaction: another look was faster, or the machine is being changed. */
class Overtaken extends Error {
  override readonly name = "Overtaken";
}

interface Doing extends Thought {
  readonly act: Act;
  readonly now: number;
}

/** The id of a snapshot that was asked for. */
async function carryOut(tx: Tx, lease: WatchedLease, doing: Doing): Promise<string | undefined> {
  const { tenantId, requestId, name } = lease;
  const { act, now } = doing;
  const key = { tenantId, leaseId: requestId, at: now };
  switch (act.does) {
    case "nothing":
      return undefined;
    case "warn":
      await warn(tx, lease, doing, act.idleSince);
      return undefined;
    case "take-back":
      await takeBack(tx, lease, doing);
      return undefined;
    case "snapshot": {
      // A machine that is being changed at this moment is not idle enough: the next look decides.
      const asked = await unlessWrongState(() =>
        askSnapshotToKeep(tx, { ...key, name: `idle ${dayText(now)}` }),
      );
      if (asked === undefined) throw new Overtaken();
      await tell(tx, lease, { kind: "idle_snapshot", message: eventWords.idle_snapshot(), now });
      return asked.snapshot.id;
    }
    case "snapshot-again":
      await record(tx, lease, { kind: "snapshot_failed", note: "", now });
      await tell(tx, lease, {
        kind: "idle_snapshot_failed",
        message: eventWords.idle_snapshot_failed(),
        now,
      });
      await raiseAlert(tx, {
        key: `idle-snapshot:${requestId}`,
        kind: "idle_snapshot_failed",
        severity: "warning",
        tenantId,
        data: { tenant: tenantId, name },
        at: now,
      });
      return undefined;
    case "release":
      await release(tx, lease, { ...doing, snapshotId: act.snapshotId });
      return undefined;
    case "drop-snapshot": {
      const wish = { ...key, snapshotId: act.snapshotId };
      await unlessWrongState(() => askDeleteSnapshot(tx, wish));
      return undefined;
    }
  }
}

async function warn(tx: Tx, lease: WatchedLease, doing: Doing, idleSince: number): Promise<void> {
  const { now, rules } = doing;
  const releaseAt = doing.decision.standing.releaseAt ?? now;
  const [from, at] = [new Date(idleSince).toISOString(), new Date(releaseAt).toISOString()];
  await record(tx, lease, { kind: "warned", note: at, now });
  await tell(tx, lease, {
    kind: "idle_warned",
    message: eventWords.idle_warned(from, at),
    now,
  });
  await notify(tx, {
    tenantId: lease.tenantId,
    key: `idle-warned:${lease.requestId}:${now}`,
    kind: "idle_warned",
    severity: "warning",
    data: { name: lease.name, since: from, at, days: rules?.keepDays ?? 0 },
    at: now,
  });
}

async function takeBack(tx: Tx, lease: WatchedLease, doing: Doing): Promise<void> {
  const { looked, now } = doing;
  const moved = newest(looked);
  const note = movedText(moved?.signal, moved?.missing ?? false);
  await record(tx, lease, { kind: "active", note, now });
  await tell(tx, lease, {
    kind: "idle_taken_back",
    message: eventWords.idle_taken_back(note),
    now,
  });
}

function newest({
  signals,
}: Looked): { readonly signal: Signal; readonly missing: boolean } | undefined {
  const seen = (["sessions", "console", "gpu", "network", "cpu"] as const).flatMap((signal) => {
    const each = signals[signal];
    return each === undefined ? [] : [{ signal, ...each }];
  });
  const [first] = seen.toSorted((a, b) => b.activeAt - a.activeAt);
  if (first === undefined) return undefined;
  return { signal: first.signal, missing: first.value === null && first.signal !== "console" };
}

async function release(
  tx: Tx,
  lease: WatchedLease,
  { snapshotId, rules, now }: Doing & { readonly snapshotId: string },
): Promise<void> {
  const { tenantId, requestId, name } = lease;
  const until = now + (rules?.keepDays ?? 0) * dayMs;
  const untilText = new Date(until).toISOString();
  await keepUntil(tx, { tenantId, id: snapshotId, until });
  await keepSnapshotOf(tx, { tenantId, id: requestId, snapshotId });
  await askRelease(tx, { tenantId, leaseId: requestId, at: now });
  const message = eventWords.idle_released(untilText, snapshotId);
  const reason = { code: "idle_released", message, details: { snapshotId, until: untilText } };
  await setReason(tx, { tenantId, id: requestId, reason });
  await record(tx, lease, { kind: "released", note: snapshotId, now });
  await resolveAlert(tx, { key: `idle-snapshot:${requestId}`, by: "idle", at: now });
  await tell(tx, lease, { kind: "idle_released", message, now });
  await notify(tx, {
    tenantId,
    key: `idle-released:${requestId}`,
    kind: "idle_released",
    severity: "critical",
    data: { name, until: untilText, snapshot: snapshotId },
    at: now,
  });
}

export async function record(
  tx: Tx,
  lease: Pick<WatchedLease, "tenantId" | "requestId" | "name" | "shape" | "hourly">,
  { kind, note, now }: { readonly kind: EventKind; readonly note: string; readonly now: number },
): Promise<void> {
  const { tenantId, requestId, name, shape, hourly } = lease;
  const { flavor, gpu } = shape;
  const gpus = gpu === null ? 0 : gpu.count / gpu.slice;
  const details: EventDetails = { name, flavor, hourly, gpus, note };
  await addIdleEvent(tx, { tenantId, requestId, kind, details, at: now });
}

async function tell(
  tx: Tx,
  { tenantId, requestId }: WatchedLease,
  { now: at, ...event }: { readonly kind: string; readonly message: string; readonly now: number },
): Promise<void> {
  await addEvent(tx, { tenantId, requestId, at, ...event });
}

async function unlessWrongState<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure && ["wrong_state", "not_found"].includes(error.code)) {
      return undefined;
    }
    throw error;
  }
}

function dayText(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
