/** From what a pass did to its row in the log of decisions. Pure. */
import type { Decision, HostBefore } from "#flow/queue/decisions.ts";
import { poolOf, unitsOf } from "#flow/queue/snapshot.ts";
import type { WaitingEntry } from "#flow/queue/store.ts";
import type { Snapshot } from "#flow/queue/work.ts";
import type { Reason } from "#kernel/reason.ts";
import { gibibyte, mebibyte } from "#kernel/shape.ts";

import type { Committed } from "./commit.ts";
import type { HostState } from "./host-state.ts";
import type { Passed } from "./pass.ts";
import type { View } from "./read.ts";

const policyName = "due+balance";

export interface Said {
  readonly entry: WaitingEntry;
  readonly reason: Reason;
}

export function decisionOf(
  of: {
    readonly view: View;
    readonly passed: Passed;
    readonly committed: Committed;
    readonly at: number;
  },
  refused: readonly Said[],
): Decision {
  const { view, passed, committed, at } = of;
  const known = knownOf(passed);
  const entries = [...committed.starts, ...refused].map(({ entry }) => entry);
  const reasons = new Map<string, { readonly place: number; readonly reason: Reason }>();
  const placeOf = (reason: Reason): number => {
    const key = JSON.stringify(reason);
    const seen = reasons.get(key) ?? { place: reasons.size, reason };
    reasons.set(key, seen);
    return seen.place;
  };
  return {
    at,
    policy: policyName,
    inputs: {
      waiting: view.digest.waiting,
      capacity: view.digest.capacity,
      free: freeUnits(passed.snapshot, view),
      hosts: hostsBefore(view.hosts, new Set(committed.starts.map(({ hostId }) => hostId))),
      work: entries.map((entry) => workOf(entry, known.get(entry.requestId)?.dueAt)),
    },
    answers: {
      started: committed.starts.map(({ entry, hostId, deviceIds }) => {
        const around = known.get(entry.requestId)?.around;
        const id = entry.requestId;
        return { id, hostId, deviceIds, ...(around === undefined ? {} : { around }) };
      }),
      refused: refused.map(({ entry, reason }) => ({
        id: entry.requestId,
        code: reason.code,
        reason: placeOf(reason),
      })),
      reasons: [...reasons.values()].map(({ reason }) => reason),
      reserved: passed.plan.reservations.map(({ id, startsAt }) => ({ id, startsAt })),
      stale: committed.stale.length,
    },
  };
}

type DecidedWork = Decision["inputs"]["work"][number];

function workOf(entry: WaitingEntry, dueAt: number | undefined): DecidedWork {
  return {
    id: entry.requestId,
    turn: entry.turn,
    tenantId: entry.tenantId,
    projectId: entry.projectId,
    workClass: entry.workClass,
    kind: entry.kind,
    flavor: entry.shape.flavor,
    pool: poolOf(entry.shape),
    units: unitsOf(entry.shape),
    askedAt: entry.askedAt,
    dueAt: dueAt ?? null,
    estimateMs: Number.isFinite(entry.estimateMs) ? entry.estimateMs : null,
    deadlineAt: entry.deadlineAt,
    ...(entry.gangId === null ? {} : { gang: { id: entry.gangId, size: entry.gangSize } }),
  };
}

interface Known {
  readonly dueAt: number | undefined;
  readonly around: number | undefined;
}

/** Of each request that the policy had in line. */
function knownOf({ found, waiting, plan }: Passed): Map<string, Known> {
  const known = new Map<string, Known>();
  for (const { starts, dueAt, aroundReservationAt: around } of found) {
    for (const { member } of starts) known.set(member.entry.requestId, { dueAt, around });
  }
  const due = new Map(plan.waiting.map(({ id, dueAt }) => [id, dueAt]));
  for (const { group } of waiting) {
    const dueAt = due.get(group.work.id);
    for (const { entry } of group.members) known.set(entry.requestId, { dueAt, around: undefined });
  }
  return known;
}

function hostsBefore(
  hosts: readonly HostState[],
  which: ReadonlySet<string>,
): Record<string, HostBefore> {
  return Object.fromEntries(
    hosts.filter(({ id }) => which.has(id)).map((host) => [host.id, leftOn(host)]),
  );
}

function leftOn(host: HostState): HostBefore {
  const byModel = Map.groupBy(
    host.devices.filter(({ healthy }) => healthy),
    ({ model }) => model,
  );
  return {
    name: host.name,
    milliCpus: host.milliCpus - host.milliCpusUsed,
    memoryMiB: Math.floor((host.memoryBytes - host.memoryBytesUsed) / mebibyte),
    diskGiB: Math.floor((host.diskBytes - host.diskBytesUsed) / gibibyte),
    gpus: Object.fromEntries(
      [...byModel].map(([model, devices]) => [
        model,
        {
          free: devices.filter(({ claims }) => claims === 0).length,
          begun: devices.filter(({ claims, slice }) => claims > 0 && claims < slice).length,
        },
      ]),
    ),
  };
}

/** Before anything of this pass started. */
function freeUnits(
  { hosts }: Pick<Snapshot, "hosts">,
  { running }: Pick<View, "running">,
): Record<string, number> {
  const free: Record<string, number> = {};
  for (const { pool, units } of hosts) free[pool] = (free[pool] ?? 0) + units;
  for (const { pool, parts } of running.work) {
    for (const { units } of parts) free[pool] = (free[pool] ?? 0) - units;
  }
  return free;
}
