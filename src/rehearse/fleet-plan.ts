/**
 * What would become of what runs and waits now if the hosts were others: who loses his host and finds
 * another, who waits and would start, and what share of the fleet is sold for how much an hour. Pure.
 */
import type { PlaceAsk } from "#flow/place/ask.ts";
import { asksOf } from "#flow/place/asks.ts";
import { marketOf } from "#flow/place/market.ts";
import { planPass } from "#flow/place/pass.ts";
import { Planner } from "#flow/place/planner.ts";
import type { View } from "#flow/place/read.ts";
import { parseFen, fen, type Fen } from "#kernel/money.ts";
import type { Reason } from "#kernel/reason.ts";
import { milliCpusOf, type Shape } from "#kernel/shape.ts";

import { gpusOf, type FleetSize } from "./figures.ts";
import { changed, sizeOf, type FleetChange } from "./fleet.ts";

/** What runs now. */
export interface Held {
  readonly requestId: string;
  readonly tenantId: string;
  readonly kind: "lease" | "job";
  readonly name: string;
  readonly hostId: string;
  readonly shape: Shape;
  readonly fenPerHour: bigint | null;
  /** Its members run together or not at all. */
  readonly gang: { readonly id: string; readonly how: "spread" | "pack" } | null;
}

export interface Sold {
  readonly hosts: number;
  readonly gpus: number;
  readonly gpuUtilization: number | null;
  readonly cpuUtilization: number;
  readonly revenuePerHour: Fen;
  readonly waiting: number;
}

export interface FleetPlan {
  readonly before: Sold;
  readonly after: Sold;
  /** On hosts that would go. */
  readonly displaced: readonly (Held & { readonly refusal: Reason | null })[];
  readonly started: readonly { readonly requestId: string; readonly hostId: string }[];
  readonly waiting: readonly { readonly requestId: string; readonly reason: Reason }[];
}

export function planFleet(
  view: Omit<View, "digest">,
  of: {
    readonly held: readonly Held[];
    readonly changes: readonly FleetChange[];
    readonly at: number;
  },
): FleetPlan {
  const hosts = changed(view.hosts, of.changes);
  const there = new Set(hosts.map(({ id }) => id));
  const planner = new Planner(hosts);
  // Those first: they were sold already.
  const displaced = displacedFrom(there, of.held, planner);
  const running = view.running.work.filter(({ parts }) =>
    parts.every(({ hostId }) => there.has(hostId)),
  );
  const { groups, unready } = asksOf({ ...view, hosts });
  const market = marketOf(
    { ...view, hosts, running: { ...view.running, work: running } },
    { groups, at: of.at },
  );
  const passed = planPass(groups, market, planner);
  const starts = passed.found.flatMap((found) => found.starts);
  const outIds = new Set(displaced.map(({ requestId }) => requestId));
  const stays = of.held.filter(({ requestId }) => !outIds.has(requestId));
  const moved = displaced.filter(({ refusal }) => refusal === null);
  const started = starts.map(({ member, placed }) => ({
    requestId: member.entry.requestId,
    hostId: placed.hostId,
  }));
  const waiting = [
    ...passed.waiting.flatMap(({ group, reason }) =>
      group.members.map(({ entry }) => ({ requestId: entry.requestId, reason })),
    ),
    ...unready.map(({ entry, reason }) => ({ requestId: entry.requestId, reason })),
  ];
  const after: Work[] = [
    ...stays,
    ...moved,
    ...starts.map(({ member: { entry } }) => ({
      shape: entry.shape,
      fenPerHour: entry.hourly === null ? null : parseFen(entry.hourly),
    })),
  ];
  return {
    before: sold(of.held, {
      size: sizeOf(view.hosts),
      hosts: view.hosts.length,
      waiting: view.entries.length,
    }),
    after: sold(after, { size: sizeOf(hosts), hosts: hosts.length, waiting: waiting.length }),
    displaced,
    started,
    waiting,
  };
}

/**
 * Who loses his host, and whether there is another. A gang that cannot be whole again is displaced with
 * the members that would keep theirs.
 */
function displacedFrom(
  there: ReadonlySet<string>,
  held: readonly Held[],
  planner: Planner,
): FleetPlan["displaced"] {
  const askOf = ({ tenantId, kind, shape }: Held): PlaceAsk => ({
    tenantId,
    kind,
    shape,
    afterFault: true,
  });
  const lost = held.filter(({ hostId }) => !there.has(hostId));
  return [...Map.groupBy(lost, ({ gang, requestId }) => gang?.id ?? requestId)].flatMap(
    ([id, members]) => {
      const stay = held.filter(({ gang, hostId }) => gang?.id === id && there.has(hostId));
      // Each where none of the others is, those that stay among them.
      const not = members[0]?.gang?.how === "spread" ? stay.map(({ hostId }) => hostId) : [];
      const asks = members.map((member) => ({ ...askOf(member), not }));
      const answer = planner.placeAll(asks, members[0]?.gang?.how ?? "pack");
      const refusal = answer.placed ? null : answer.reason;
      const out = answer.placed ? members : [...members, ...stay];
      return out.map((each) => ({ ...each, refusal }));
    },
  );
}

type Work = Pick<Held, "shape" | "fenPerHour">;

function sold(
  work: readonly Work[],
  of: { readonly size: FleetSize; readonly hosts: number; readonly waiting: number },
): Sold {
  const { size, hosts, waiting } = of;
  const gpus = work.reduce((sum, { shape }) => sum + gpusOf(shape), 0);
  const milliCpus = work.reduce((sum, { shape }) => sum + milliCpusOf(shape), 0);
  return {
    hosts,
    gpus: size.gpus,
    gpuUtilization: size.gpus === 0 ? null : gpus / size.gpus,
    cpuUtilization: size.milliCpus === 0 ? 0 : milliCpus / size.milliCpus,
    revenuePerHour: fen(work.reduce((sum, { fenPerHour }) => sum + (fenPerHour ?? 0n), 0n)),
    waiting,
  };
}
