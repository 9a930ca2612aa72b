/**
 * One run of the openb experiment: each pod is placed if it is feasible anywhere, in order, once;
 * nothing is refused, delayed or moved, and nothing is known of later arrivals.
 */
import { Chooser } from "#flow/place/engine/choose.ts";
import { Fleet } from "#flow/place/engine/fleet.ts";
import { Kinds, type Kind } from "#flow/place/engine/kind.ts";
import { policies, type PolicyName } from "#flow/place/engine/policies.ts";
import { wholeGpu } from "#flow/place/engine/amounts.ts";

import { milliOf, type Arrivals } from "./arrivals.ts";
import { demandOf } from "./demand.ts";
import type { Pod, TraceNode } from "./trace.ts";

export interface Run {
  /** Allocated percent by percent arrived, 0 to 130: the mean over the events of a bin. */
  readonly curve: readonly number[];
  readonly failed: number;
  readonly fleet: Fleet;
  /** Names of the nodes chosen, of the first pods. */
  readonly firstNodes: readonly string[];
  readonly seconds: number;
}

export interface Setting {
  readonly nodes: readonly TraceNode[];
  /** The original list, from which the demand is known. */
  readonly pods: readonly Pod[];
  readonly arrivals: Arrivals;
  readonly policy: PolicyName;
}

/** What arrives, in percent of the cluster's GPUs. */
export const arrivedPercent = 130;
const firstNodesKept = 60;

export function simulate({ nodes, pods, arrivals, policy }: Setting): Run {
  const fleet = fleetOf(nodes, arrivals.ranks);
  const kinds = kindsOf(fleet, arrivals.pods);
  const chooser = new Chooser(fleet, policies[policy](fleet, demandOf(pods, fleet.gpus.names)));
  const capacity = nodes.reduce((sum, node) => sum + node.gpus * wholeGpu, 0);
  const bins = new Map<number, { sum: number; count: number }>();
  const firstNodes: string[] = [];
  let arrived = 0;
  let used = 0;
  let failed = 0;
  const start = performance.now();
  for (const [i, pod] of arrivals.pods.entries()) {
    const kind = kinds[i];
    const held = kind && chooser.place(kind);
    arrived += milliOf(pod);
    if (held === undefined) failed += 1;
    else {
      used += milliOf(pod);
      if (firstNodes.length < firstNodesKept) firstNodes.push(fleet.idOf(held.slot) ?? "");
    }
    const at = halfToEven((100 * arrived) / capacity);
    const bin = bins.get(at) ?? { sum: 0, count: 0 };
    bin.sum += Math.round((10_000 * used) / capacity) / 100;
    bin.count += 1;
    bins.set(at, bin);
  }
  const seconds = (performance.now() - start) / 1000;
  const curve: number[] = [];
  for (let at = 0; at <= arrivedPercent; at += 1) {
    const bin = bins.get(at);
    // A small cluster steps over some percents; it stands there where it stood before.
    curve.push(bin === undefined ? (curve.at(-1) ?? 0) : bin.sum / bin.count);
  }
  return { curve, failed, fleet, firstNodes, seconds };
}

/** Nodes stand in the order in which ties are decided. */
export function fleetOf(nodes: readonly TraceNode[], ranks: readonly number[]): Fleet {
  const fleet = new Fleet();
  const order = nodes
    .map((node, i) => ({ node, rank: ranks[i] ?? i }))
    .toSorted((a, b) => a.rank - b.rank);
  for (const { node } of order) {
    fleet.add({
      id: node.name,
      amounts: { cpuMilli: node.cpuMilli, memoryMiB: node.memoryMiB },
      gpus: Array.from({ length: node.gpus }, () => ({ model: node.model })),
    });
  }
  return fleet;
}

export function kindsOf(fleet: Fleet, pods: readonly Pod[]): Kind[] {
  const kinds = new Kinds(fleet);
  return pods.map((pod) => {
    const compiled = kinds.of({
      amounts: { cpuMilli: pod.cpuMilli, memoryMiB: pod.memoryMiB },
      ...(pod.gpuCount === 0
        ? {}
        : {
            gpu: {
              count: pod.gpuCount,
              milli: pod.gpuMilli,
              ...(pod.spec === "" ? {} : { models: pod.spec.split("|") }),
            },
          }),
    });
    if ("problem" in compiled) throw new Error(`${pod.name}: ${compiled.problem}`);
    return compiled.kind;
  });
}

function halfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
