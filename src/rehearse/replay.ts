/**
 * Real history under another policy: what really happened, the product's policy on paper and the policy
 * asked for, side by side. What must stay true: all three see the same work, the same lengths and the
 * same hosts, those of now (nobody recorded the fleet of the past).
 */
import type { PolicyName } from "#flow/place/engine/policies.ts";
import type { HostState } from "#flow/place/host-state.ts";
import { usualPlan } from "#flow/place/pass.ts";
import { Planner } from "#flow/place/planner.ts";
import { milliRules } from "#flow/queue/policy.ts";
import type { Plan, Snapshot } from "#flow/queue/work.ts";

import { figuresOf, type Figures, type Span } from "./figures.ts";
import { bare, sizeOf } from "./fleet.ts";
import type { History } from "./history.ts";
import { passOn } from "./moment.ts";
import { scheduler, type SchedulerName } from "./rivals.ts";
import { rehearsing, type Rehearsed } from "./simulate.ts";

export interface Replayed {
  readonly real: Figures;
  /** The product's own, on paper: what differs from `real` is what paper leaves out. */
  readonly usual: Figures;
  readonly other: Figures;
  /** Stood on hosts that are not there any more, and had to start anew at the beginning. */
  readonly displaced: number;
}

export interface Policies {
  readonly queue: SchedulerName;
  readonly placement: PolicyName;
}

export interface Replay {
  readonly span: Span;
  readonly hosts: readonly HostState[];
  readonly policies: Policies;
}

/** A pass at a time: a month of a busy cloud takes a while. */
export function* replaying(
  history: History,
  of: Replay,
): Generator<undefined, Replayed, undefined> {
  const { span, policies } = of;
  const hosts = of.hosts.map(bare);
  const size = sizeOf(hosts);
  const usual = yield* run(history, { span, hosts, policies: ours });
  const same = policies.queue === ours.queue && policies.placement === ours.placement;
  const other = same ? usual : yield* run(history, { span, hosts, policies });
  return {
    real: figuresOf(really(history), span, size),
    usual: figuresOf(usual, span, size),
    other: figuresOf(other, span, size),
    displaced: other.displaced.length,
  };
}

const ours: Policies = { queue: "due", placement: "balance" };

function run(
  history: History,
  { span, hosts, policies }: Replay,
): Generator<undefined, Rehearsed, undefined> {
  // What requests usually look like the product learns from the weeks before; here it is the stretch.
  const known = [...history.standing.map(({ piece }) => piece), ...history.arrivals];
  const mix = known.map(({ shape }) => ({ shape, count: 1 }));
  const planner = new Planner(hosts, policies.placement, mix);
  const pass = passOn(hosts, plannedBy(policies.queue));
  return rehearsing({ ...span, ...history }, planner, pass);
}

function plannedBy(name: SchedulerName): (snapshot: Snapshot) => Plan {
  if (name === "due") return usualPlan;
  const starts = scheduler(name, milliRules);
  return (snapshot) => ({ starts: starts(snapshot), reservations: [], waiting: [] });
}

function really({ standing, arrivals, startedAt }: History): Rehearsed {
  const nowhere = { placed: true, hostId: "", deviceIds: [], numaNode: null } as const;
  const came = arrivals.flatMap((piece) => {
    const at = startedAt.get(piece.id);
    return at === undefined ? [] : [{ piece, placed: nowhere, startedAt: at }];
  });
  return {
    ran: [
      ...standing.map((each) => ({
        piece: each.piece,
        placed: nowhere,
        startedAt: each.startedAt,
      })),
      ...came,
    ],
    waiting: arrivals.filter(({ id }) => !startedAt.has(id)),
    displaced: [],
    passes: 0,
  };
}
