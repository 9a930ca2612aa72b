/**
 * A pass of the product on paper, under its own policy or another: the same asks, the same market and
 * the same planner as the place loop, with rows made up from pieces. Limits of tenants are left out:
 * what they were at each moment of the past nobody recorded.
 */
import { asksOf } from "#flow/place/asks.ts";
import type { HostState } from "#flow/place/host-state.ts";
import { marketOf } from "#flow/place/market.ts";
import { Neighbors } from "#flow/place/neighbors.ts";
import { planPass } from "#flow/place/pass.ts";
import { usualRules } from "#flow/queue/policy.ts";
import { used } from "#flow/queue/shares.ts";
import { poolOf, unitsOf, type Used } from "#flow/queue/snapshot.ts";
import type { WaitingEntry } from "#flow/queue/store.ts";
import type { Plan, RunningWork, Snapshot, Usage } from "#flow/queue/work.ts";
import { formatFen, fen } from "#kernel/money.ts";
import { milliCpusOf } from "#kernel/shape.ts";

import type { Pass, Piece, Running } from "./simulate.ts";

/** For one run from its start to its end: it remembers what was used, for the fair shares. */
export function passOn(hosts: readonly HostState[], planned: (snapshot: Snapshot) => Plan): Pass {
  const shares = new Shares();
  return ({ now, waiting, running }, planner) => {
    shares.count(running, now);
    const pieces = new Map(waiting.map((piece) => [piece.id, piece]));
    const states = loaded(hosts, running);
    const { groups } = asksOf({
      entries: waiting.map(entryOf),
      hosts: states,
      held: new Map(),
      neighbors: new Neighbors(),
    });
    const view = {
      hosts: states,
      running: { work: running.map(workOf), promised: [] },
      limits: { limits: [], caps: [], used: shares.rows(), promised: [] },
    };
    const passed = planPass(groups, marketOf(view, { groups, at: now }), planner, { planned });
    return passed.found.flatMap(({ starts }) =>
      starts.flatMap(({ member, placed }) => {
        const piece = pieces.get(member.entry.requestId);
        return piece === undefined ? [] : [{ piece, placed }];
      }),
    );
  };
}

/** The piece as a row of the queue. */
export function entryOf(piece: Piece): WaitingEntry {
  const { gang, fenPerHour } = piece;
  return {
    tenantId: piece.tenantId,
    requestId: piece.id,
    projectId: piece.projectId,
    kind: piece.kind,
    turn: 1,
    priority: { diamond: 10, gold: 20, ordinary: 30 }[piece.workClass],
    workClass: piece.workClass,
    enqueuedAt: piece.askedAt,
    askedAt: piece.askedAt,
    shape: piece.shape,
    refusal: null,
    refusedAt: null,
    estimateMs: piece.estimateMs,
    longestMs: piece.estimateMs,
    deadlineAt: piece.deadlineAt ?? null,
    hourly: fenPerHour === null ? null : formatFen(fen(fenPerHour)),
    gangId: gang?.id ?? null,
    gangSize: gang?.size ?? 1,
    gangHow: gang?.how ?? "pack",
    preemptible: false,
    afterFault: false,
    near: [],
    apart: [],
    nearGroups: [],
    apartGroups: [],
    group: null,
  };
}

function workOf({ piece, placed, startedAt }: Running): RunningWork {
  return {
    id: piece.id,
    tenantId: piece.tenantId,
    projectId: piece.projectId,
    pool: poolOf(piece.shape),
    parts: [{ hostId: placed.hostId, units: unitsOf(piece.shape) }],
    endsAt: startedAt + piece.estimateMs,
  };
}

/** Of what runs the market wants to know the CPUs only; the planner has the rest on its paper. */
function loaded(hosts: readonly HostState[], running: readonly Running[]): HostState[] {
  const cpus = new Map<string, number>();
  for (const { piece, placed } of running) {
    cpus.set(placed.hostId, (cpus.get(placed.hostId) ?? 0) + milliCpusOf(piece.shape));
  }
  return hosts.map((host) => ({ ...host, milliCpusUsed: cpus.get(host.id) ?? 0 }));
}

/** Use is counted when it ends. */
class Shares {
  readonly #usage = new Map<
    string,
    Usage & { readonly projectId: string; readonly pool: string }
  >();
  #active: ReadonlyMap<string, Running> = new Map();

  count(running: readonly Running[], now: number): void {
    const active = new Map(running.map((each) => [each.piece.id, each]));
    for (const [id, { piece, startedAt }] of this.#active) {
      if (active.has(id)) continue;
      const { tenantId, projectId, shape } = piece;
      const pool = poolOf(shape);
      const key = `${tenantId} ${pool}`;
      const before = this.#usage.get(key) ?? { tenantId, unitMs: 0, asOf: now, weight: 1 };
      const unitMs = unitsOf(shape) * Math.max(0, Math.min(piece.ranMs, now - startedAt));
      const after = used(before, unitMs, now, usualRules.halfLifeMs);
      this.#usage.set(key, { ...after, projectId, pool });
    }
    this.#active = active;
  }

  rows(): Used[] {
    return [...this.#usage.values()].map(({ tenantId, projectId, pool, unitMs, asOf }) => ({
      tenantId,
      projectId,
      pool,
      unitMs,
      asOf,
      monthUnitMs: 0,
      monthFen: 0n,
    }));
  }
}
