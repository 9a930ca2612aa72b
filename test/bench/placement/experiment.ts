/** The openb experiment over variants and seeds: one outcome per variant, policy and seed. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { wholeGpu } from "#flow/place/engine/amounts.ts";
import type { PolicyName } from "#flow/place/engine/policies.ts";

import { drawArrivals } from "./arrivals.ts";
import { readCooked } from "./go-random.ts";
import { arrivedPercent, simulate } from "./simulate.ts";
import { readNodes, readPods, rowsOf, type Pod, type TraceNode } from "./trace.ts";

export interface Traces {
  readonly folder: string;
  readonly nodes: readonly TraceNode[];
  /** The nodes of the published runs, so that their figures mean something here. */
  readonly publishedNodes: boolean;
  readonly cooked: readonly bigint[];
  readonly variants: readonly string[];
}

export interface Outcome {
  readonly variant: string;
  readonly policy: PolicyName;
  readonly seed: number;
  readonly curve: readonly number[];
  readonly failed: number;
  readonly decisions: number;
  readonly seconds: number;
}

const podFile = /^openb_pod_list_(.+)\.csv$/;

/** Undefined where the folder has no traces. */
export function openTraces(folder: string, nodeFile: string | undefined): Traces | undefined {
  const openb = join(folder, "openb");
  if (!existsSync(openb)) return undefined;
  return {
    folder: openb,
    nodes: readNodes(nodeFile ?? join(openb, "openb_node_list_gpu_node.csv")),
    publishedNodes: nodeFile === undefined,
    cooked: readCooked(join(openb, "gorand_cooked.json")),
    variants: readdirSync(openb)
      .flatMap((name) => podFile.exec(name)?.[1] ?? [])
      .toSorted(),
  };
}

export function podsOf(traces: Traces, variant: string): Pod[] {
  return readPods(join(traces.folder, `openb_pod_list_${variant}.csv`));
}

export interface Plan {
  readonly variant: string;
  readonly seeds: readonly number[];
  readonly policies: readonly PolicyName[];
}

export function runPlan(traces: Traces, { variant, seeds, policies }: Plan): Outcome[] {
  const { nodes, cooked } = traces;
  const pods = podsOf(traces, variant);
  const capacity = nodes.reduce((sum, node) => sum + node.gpus * wholeGpu, 0);
  return seeds.flatMap((seed) => {
    const draw = { seed, cooked, pods, nodeCount: nodes.length, capacity, percent: arrivedPercent };
    const arrivals = drawArrivals(draw);
    return policies.map((policy) => {
      const { curve, failed, seconds } = simulate({ nodes, pods, arrivals, policy });
      return { variant, policy, seed, curve, failed, decisions: arrivals.pods.length, seconds };
    });
  });
}

export interface PublishedCurve {
  readonly variant: string;
  readonly policy: PolicyName;
  readonly seed: number;
  readonly curve: readonly number[];
}

const publishedNames: Readonly<Record<string, PolicyName>> = {
  "06-FGD": "fgd",
  "05-BestFit": "bestfit",
  "04-GpuPacking": "gpupacking",
  "02-DotProd": "dotprod",
};

export function readPublished(traces: Traces): PublishedCurve[] {
  const path = join(traces.folder, "published_allocation.csv");
  if (!traces.publishedNodes || !existsSync(path)) return [];
  return rowsOf(path).flatMap((row) => {
    const policy = publishedNames[row["sc_policy"] ?? ""];
    if (policy === undefined) return [];
    return [
      {
        variant: (row["workload"] ?? "").replace("openb_pod_list_", ""),
        policy,
        seed: Number(row["seed"]),
        curve: Array.from({ length: arrivedPercent + 1 }, (_, at) => Number(row[String(at)])),
      },
    ];
  });
}
