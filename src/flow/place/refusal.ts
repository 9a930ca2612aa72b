/** Why nowhere, in words and numbers: how many hosts have which obstacle, and what the nearest lacks. */
import type { WorkKind } from "#kernel/host-refuses.ts";
import { takenBy } from "#kernel/machine-cost.ts";
import type { Reason } from "#kernel/reason.ts";
import type { Shape } from "#kernel/shape.ts";

import { workOfAsk, type PlaceAsk } from "./ask.ts";
import { explain, type Nearest } from "./engine/explain.ts";
import type { Look, Pool } from "./pool.ts";
import { wallOf } from "./walls.ts";

type Word =
  | "not the host of its disk"
  | "ruled out by affinity"
  | "another of the tenant's instances is here"
  | "another GPU driver than the image has"
  | "its site does not have the image"
  | (typeof startsNone)[WorkKind]
  | "the rest of the pool is kept for faults";

const startsNone = {
  core: "starts no machines of class core",
  standard: "starts no machines of class standard",
  job: "starts no hosted jobs",
} as const satisfies Record<WorkKind, string>;

/** Reasons that an answer holds; the others are on the hosts. */
const refusalsMax = 3;

export function senseless(message: string): Reason {
  return { code: "senseless", message };
}

export function refusalOf(pools: readonly Pool[], ask: PlaceAsk): Reason {
  const counts = new Map<string, number>();
  const refusals = new Set<string>();
  let hosts = 0;
  let nearest: { readonly pool: Pool; readonly at: Nearest } | undefined;
  const count = (word: string, by: number): void =>
    void counts.set(word, (counts.get(word) ?? 0) + by);
  for (const pool of pools) {
    if (pool.hosts === 0) continue;
    hosts += pool.hosts;
    const wall = wallOf(pool.state, ask);
    if (wall !== undefined) {
      count(wall, pool.hosts);
      continue;
    }
    const look = pool.look(ask);
    const found = explain(pool.fleet, pool.ownKind(look), (slot) => {
      const refused = pool.refusalOf(ask, slot);
      if (refused !== undefined && refusals.size < refusalsMax) refusals.add(refused);
      return ruledOut(pool, look, slot);
    });
    let counted = 0;
    for (const [word, times] of Object.entries(found.obstacles)) {
      count(word, times);
      counted += times;
    }
    // What has room on a host and still finds none is in the way of the reserve.
    const kept = found.hosts - counted;
    if (kept > 0) count("the rest of the pool is kept for faults" satisfies Word, kept);
    const share = nearest?.at.share ?? Infinity;
    if (found.nearest !== undefined && found.nearest.share < share) {
      nearest = { pool, at: found.nearest };
    }
  }
  return {
    code: "no_host_fits",
    message:
      hosts === 0
        ? noHost
        : `${sentence(ask.shape, hosts, counts)}${nearestWords(nearest?.at)}${costWords(nearest, ask)}`,
    details: {
      hosts,
      obstacles: Object.fromEntries(counts),
      ...(refusals.size === 0 ? {} : { refusals: [...refusals] }),
      ...(nearest === undefined ? {} : { nearest: lacking(nearest.pool, nearest.at) }),
    },
  };
}

const noHost = "There is no host yet; the operator has to connect one.";

function ruledOut(pool: Pool, { ask, kind, only, not }: Look, slot: number): Word | undefined {
  if (ask.pinned !== undefined && pool.fleet.idOf(slot) !== ask.pinned.hostId) {
    return "not the host of its disk";
  }
  if (not.includes(slot) || only?.includes(slot) === false) return "ruled out by affinity";
  if (pool.refusalOf(ask, slot) !== undefined) {
    return startsNone[workOfAsk(ask)];
  }
  if (!pool.hasDriverFor(ask, slot)) return "another GPU driver than the image has";
  if (!pool.hasImageFor(ask, slot)) return "its site does not have the image";
  const { tenants } = pool.fleet;
  return kind.apart && tenants.apart.has(tenants.known(ask.tenantId), slot)
    ? "another of the tenant's instances is here"
    : undefined;
}

function sentence(shape: Shape, hosts: number, counts: ReadonlyMap<string, number>): string {
  const words = [...counts]
    .toSorted((a, b) => b[1] - a[1])
    .map(([obstacle, times]) => `${obstacle} on ${times}`);
  return `No host fits ${asked(shape)}: of ${hosts} ${hosts === 1 ? "host" : "hosts"}, ${words.join(", ")}.`;
}

function asked({ vcpus, memoryMiB, diskGiB, gpu, numa, pool }: Shape): string {
  return [
    `${vcpus} vCPU`,
    `${memoryMiB} MiB`,
    `${diskGiB} GiB disk`,
    ...(gpu === null
      ? []
      : [
          `${gpu.count} x ${gpu.model}${gpu.slice === 1 ? "" : ` 1/${gpu.slice}`}${gpu.nvlink ? " linked by NVLink" : ""}`,
        ]),
    ...(numa ? ["on one NUMA node"] : []),
    ...(pool === null ? [] : [`in the pool ${pool}`]),
  ].join(", ");
}

function nearestWords(nearest: Nearest | undefined): string {
  if (nearest === undefined) return "";
  const { lacks, gpus } = nearest;
  const words = [
    ...(lacks.cpuMilli === undefined ? [] : [`${lacks.cpuMilli / 1000} CPU`]),
    ...(lacks.memoryMiB === undefined ? [] : [`${lacks.memoryMiB} MiB`]),
    ...(lacks.diskMiB === undefined ? [] : [`${Math.ceil(lacks.diskMiB / 1024)} GiB disk`]),
    ...(lacks.hugePages2Mi === undefined ? [] : [`${lacks.hugePages2Mi} MiB in pages of 2 MiB`]),
    ...(lacks.hugePages1Gi === undefined ? [] : [`${lacks.hugePages1Gi} MiB in pages of 1 GiB`]),
    ...(gpus === 0 ? [] : [`${gpus} GPU`]),
  ];
  return words.length === 0 ? "" : ` The nearest lacks ${words.join(", ")}.`;
}

/** Where a machine takes more than it was sold, and that is what lacks. */
function costWords(
  nearest: { readonly pool: Pool; readonly at: Nearest } | undefined,
  { shape }: PlaceAsk,
): string {
  if (nearest === undefined || nearest.pool.costs === null) return "";
  const { cpuMilli, memoryMiB } = nearest.at.lacks;
  if (cpuMilli === undefined && memoryMiB === undefined) return "";
  const taken = takenBy(shape, nearest.pool.costs);
  return ` With what its platform needs to run it, it takes ${taken.milliCpus / 1000} CPU and ${taken.memoryMiB} MiB there.`;
}

function lacking(pool: Pool, { slot, lacks, gpus }: Nearest): Readonly<Record<string, unknown>> {
  return { hostId: pool.fleet.idOf(slot), lacks: { ...lacks, ...(gpus === 0 ? {} : { gpus }) } };
}
