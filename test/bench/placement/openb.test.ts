/** The published runs of the openb experiment, where the traces lie beside the clone. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";

import { wholeGpu } from "#flow/place/engine/amounts.ts";
import type { Fleet } from "#flow/place/engine/fleet.ts";
import { fragment } from "#flow/place/engine/fragment.ts";
import type { Demand } from "#flow/place/engine/policy.ts";

import { drawArrivals, milliOf, type Arrivals } from "./arrivals.ts";
import { demandOf } from "./demand.ts";
import { openTraces, podsOf, runPlan } from "./experiment.ts";
import { figuresOf } from "./results.ts";
import { arrivedPercent, fleetOf, simulate } from "./simulate.ts";
import type { Pod, TraceNode } from "./trace.ts";

const traces = openTraces(resolve(import.meta.dirname, "../../../../shared/traces"), undefined);
const absent = "the traces do not lie beside this clone";

const vectors = z.object({
  totalGpuMilli: z.number(),
  specs: z.number(),
  typicalPods: z.array(
    z.object({ cpu: z.number(), milli: z.number(), num: z.number(), n: z.number(), p: z.number() }),
  ),
  initialFragMilli: z.number(),
  arrivals: z.object({
    count: z.number(),
    first20: z.array(z.string()),
    last5: z.array(z.string()),
    totalMilli: z.number(),
  }),
  nodePerm: z.object({ first20: z.array(z.number()) }),
  policies: z.record(
    z.string(),
    z.object({
      failed: z.number(),
      usedGpuMilliEnd: z.number(),
      usedCpuMilliEnd: z.number(),
      usedMemMiBEnd: z.number(),
      fragMilliEnd: z.number(),
      alloc100: z.number(),
      alloc130: z.number(),
      first60nodes: z.array(z.string()),
    }),
  ),
});

interface Default {
  readonly wanted: z.output<typeof vectors>;
  readonly nodes: readonly TraceNode[];
  readonly pods: readonly Pod[];
  readonly arrivals: Arrivals;
}

function defaultRun(): Default | undefined {
  if (traces === undefined) return undefined;
  const { nodes, cooked, folder } = traces;
  const pods = podsOf(traces, "default");
  const capacity = nodes.reduce((sum, node) => sum + node.gpus * wholeGpu, 0);
  const draw = { seed: 42, cooked, pods, nodeCount: nodes.length, capacity };
  return {
    wanted: vectors.parse(JSON.parse(readFileSync(join(folder, "testvectors.json"), "utf8"))),
    nodes,
    pods,
    arrivals: drawArrivals({ ...draw, percent: arrivedPercent }),
  };
}

const run = defaultRun();

function fragmentsOf(fleet: Fleet, demand: Demand): number {
  let sum = 0;
  for (let slot = 0; slot < fleet.slots; slot += 1) {
    const from = slot * fleet.gpus.stride;
    sum += fragment(demand, {
      cpuMilli: fleet.free.cpuMilli[slot] ?? 0,
      models: fleet.gpus.models[slot] ?? 0,
      gpus: fleet.gpus.free.slice(from, from + (fleet.gpus.count[slot] ?? 0)),
    });
  }
  return sum;
}

function used(total: Float64Array, free: Float64Array): number {
  return total.reduce((sum, amount, slot) => sum + amount - (free[slot] ?? 0), 0);
}

test("arrivals, order of nodes, demand and fragments of the openb experiment", ({ skip }) => {
  if (run === undefined) return skip(absent);
  const { wanted, nodes, pods, arrivals } = run;
  const names = arrivals.pods.map(({ name }) => name);
  expect(names.length).toBe(wanted.arrivals.count);
  expect(names.slice(0, 20)).toEqual(wanted.arrivals.first20);
  expect(names.slice(-5)).toEqual(wanted.arrivals.last5);
  expect(arrivals.pods.reduce((sum, pod) => sum + milliOf(pod), 0)).toBe(
    wanted.arrivals.totalMilli,
  );
  expect(arrivals.ranks.slice(0, 20)).toEqual(wanted.nodePerm.first20);
  const fleet = fleetOf(nodes, arrivals.ranks);
  const demand = demandOf(pods, fleet.gpus.names);
  expect(demand.length).toBe(wanted.typicalPods.length);
  for (const [i, typical] of wanted.typicalPods.entries()) {
    expect(demand[i]).toMatchObject({
      cpuMilli: typical.cpu,
      gpuMilli: typical.milli,
      gpuCount: typical.num,
    });
    expect(demand[i]?.share).toBeCloseTo(typical.p, 8);
  }
  expect(fragmentsOf(fleet, demand)).toBeCloseTo(wanted.initialFragMilli, 3);
});

test.for([
  ["fgd", "FGD"],
  ["bestfit", "BestFit"],
  ["dotprod", "DotProd"],
  ["gpupacking", "GpuPacking"],
] as const)("S-17: %s decides as published, node by node", ([policy, published], { skip }) => {
  if (run === undefined) return skip(absent);
  const { wanted, ...setting } = run;
  const vector = wanted.policies[published];
  const { fleet, curve, failed, firstNodes } = simulate({ ...setting, policy });
  expect(firstNodes).toEqual(vector?.first60nodes);
  expect({
    failed,
    usedCpuMilliEnd: used(fleet.total.cpuMilli, fleet.free.cpuMilli),
    usedMemMiBEnd: used(fleet.total.memoryMiB, fleet.free.memoryMiB),
    usedGpuMilliEnd: wanted.totalGpuMilli - fleet.gpus.freeSum.reduce((sum, left) => sum + left, 0),
    alloc100: Number(curve[100]?.toFixed(2)),
    alloc130: Number(curve[130]?.toFixed(2)),
  }).toEqual({
    failed: vector?.failed,
    usedCpuMilliEnd: vector?.usedCpuMilliEnd,
    usedMemMiBEnd: vector?.usedMemMiBEnd,
    usedGpuMilliEnd: vector?.usedGpuMilliEnd,
    alloc100: vector?.alloc100,
    alloc130: vector?.alloc130,
  });
  const fragments = fragmentsOf(fleet, demandOf(setting.pods, fleet.gpus.names));
  expect(fragments).toBeCloseTo(vector?.fragMilliEnd ?? Number.NaN, 1);
});

test("S-17, R-POOL-06: our policy leaves less unallocated than the best published one", ({
  skip,
}) => {
  if (traces === undefined) return skip(absent);
  const plan = { seeds: [42, 43, 44], policies: ["balance"] as const };
  for (const [variant, at100, at130] of [
    // Each is FGD's published mean with what the gates ask above it.
    ["default", 95.75, 95.9],
    ["cpu250", 93.3, 93.6],
    ["multigpu50", 97.1, 97.18],
  ] as const) {
    const [figures] = figuresOf(runPlan(traces, { ...plan, variant }));
    expect(figures?.at100).toBeGreaterThan(at100);
    expect(figures?.at130).toBeGreaterThan(at130);
  }
});
