/** Our policy beside the best published one on a small trace; the real ones are in test/bench/placement. */
import { expect, test } from "vitest";

import { Chooser } from "./choose.ts";
import { Fleet } from "./fleet.ts";
import { Kinds, type Kind, type PlacementRequest } from "./kind.ts";
import { policies, type PolicyName } from "./policies.ts";
import type { Demand } from "./policy.ts";

/** What arrives, with its weight: the most frequent requests of the openb trace, rounded. */
const mix: readonly { readonly weight: number; readonly request: PlacementRequest }[] = [
  { weight: 20, request: gpu(3_200, 1, 810) },
  { weight: 30, request: gpu(11_400, 1, 1000) },
  { weight: 9, request: gpu(3_200, 1, 1000) },
  { weight: 14, request: gpu(12_000, 1, 470) },
  { weight: 5, request: gpu(12_000, 1, 650) },
  { weight: 5, request: gpu(19_000, 1, 1000) },
  { weight: 7, request: gpu(4_000, 1, 320) },
  { weight: 7, request: { amounts: { cpuMilli: 12_500, memoryMiB: 57_344 } } },
  { weight: 5, request: { amounts: { cpuMilli: 32_000, memoryMiB: 49_152 } } },
];
const weights = mix.reduce((sum, { weight }) => sum + weight, 0);

function gpu(cpuMilli: number, count: number, milli: number): PlacementRequest {
  return { amounts: { cpuMilli, memoryMiB: 3 * cpuMilli }, gpu: { count, milli } };
}

/** Hosts of that cluster, by how many there are of a hundred. */
const shapes = [
  { hosts: 50, cpus: 96, gpus: 8 },
  { hosts: 35, cpus: 104, gpus: 2 },
  { hosts: 10, cpus: 16, gpus: 2 },
  { hosts: 5, cpus: 32, gpus: 4 },
].flatMap(({ hosts, ...shape }) => Array.from({ length: hosts }, () => shape));

/** GPUs that are allocated when 130 % of them have been asked for, in percent. */
function allocated(policy: PolicyName, seed: number): number {
  const fleet = new Fleet();
  for (const [i, { cpus, gpus }] of shapes.entries()) {
    fleet.add({
      id: `h${i}`,
      amounts: { cpuMilli: cpus * 1000, memoryMiB: cpus * 4096 },
      gpus: Array.from({ length: gpus }, () => ({ model: "T4" })),
    });
  }
  const demand: Demand = mix.map(({ weight, request: { amounts, gpu: wanted } }) => ({
    cpuMilli: amounts.cpuMilli ?? 0,
    gpuCount: wanted?.count ?? 0,
    gpuMilli: wanted?.milli ?? 0,
    models: -1,
    share: weight / weights,
  }));
  const kinds = new Kinds(fleet);
  const chooser = new Chooser(fleet, policies[policy](fleet, demand));
  const capacity = fleet.gpus.count.reduce((sum, count) => sum + count, 0) * 1000;
  const draw = drawer(seed);
  let placed = 0;
  for (let arrived = 0; arrived < 1.3 * capacity;) {
    const kind = kindFor(kinds, draw());
    const milli = kind.gpuCount * kind.gpuMilli;
    arrived += milli;
    if (chooser.place(kind) !== undefined) placed += milli;
  }
  return (100 * placed) / capacity;
}

function kindFor(kinds: Kinds, at: number): Kind {
  let sum = 0;
  const found = mix.find(({ weight }) => (sum += weight / weights) > at) ?? mix[0];
  const compiled = found && kinds.of(found.request);
  if (compiled === undefined || "problem" in compiled) throw new Error("the mix makes sense");
  return compiled.kind;
}

/** Numbers from 0 to 1, always the same ones for a seed. */
function drawer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test("S-17: our policy leaves less unallocated than the best published one, over the same arrivals", () => {
  const seeds = [42, 43, 44, 45, 46, 47, 48, 49, 50, 51];
  const mean = (policy: PolicyName): number =>
    seeds.reduce((sum, seed) => sum + allocated(policy, seed), 0) / seeds.length;
  const [ours, published, bestFit] = [mean("balance"), mean("fgd"), mean("bestfit")];
  expect(ours).toBeGreaterThan(published);
  expect(ours).toBeGreaterThan(bestFit);
});
