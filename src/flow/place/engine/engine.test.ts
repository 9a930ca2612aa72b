/** Properties of the engine over random fleets: the quick answer is that of a full scan, always. */
import { equal } from "node:assert/strict";
import fc from "fast-check";
import { expect, test } from "vitest";

import { resources, wholeGpu } from "./amounts.ts";
import { Chooser } from "./choose.ts";
import { explain } from "./explain.ts";
import { obstacleOn } from "./feasible.ts";
import { Fleet, type Held, type HostSpec } from "./fleet.ts";
import { Kinds, type Kind, type PlacementRequest } from "./kind.ts";
import { policies, policyNames, type PolicyName } from "./policies.ts";
import type { Demand } from "./policy.ts";
import { unfit } from "./tournament.ts";

const host = fc.record({
  cpus: fc.constantFrom(8, 16, 64, 104),
  memoryGiB: fc.constantFrom(32, 128, 512),
  gpus: fc.constantFrom(0, 1, 2, 8),
  model: fc.constantFrom("T4", "A100"),
  uniform: fc.boolean(),
  offers: fc.constantFrom([], ["nvme"], ["nvme", "core"]),
  repels: fc.constantFrom([], [], ["reserve"]),
});
const request = fc.record({
  cpuMilli: fc.constantFrom(500, 4_000, 9_000, 12_500, 32_000),
  memoryMiB: fc.constantFrom(1_024, 16_384, 65_536),
  hugePages2Mi: fc.constantFrom(0, 0, 512),
  gpu: fc.constantFrom(
    undefined,
    { count: 1, milli: 1000 },
    { count: 2, milli: 1000 },
    { count: 8, milli: 1000 },
    { count: 1, milli: 250 },
    { count: 1, milli: 333 },
    { count: 1, milli: 810, models: ["T4"] },
    { count: 2, milli: 500, models: ["T4", "A100"] },
    { count: 1, milli: 1000, models: ["H100"] },
  ),
  requires: fc.constantFrom([], [], ["nvme"]),
  tolerates: fc.constantFrom([], ["reserve"]),
});
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("place" as const), request }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("release" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("add" as const), host }) },
);
type HostChoice = typeof host extends fc.Arbitrary<infer T> ? T : never;
type RequestChoice = typeof request extends fc.Arbitrary<infer T> ? T : never;
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const demand: Demand = [
  { cpuMilli: 9_000, gpuCount: 1, gpuMilli: 1000, models: -1, share: 0.5 },
  { cpuMilli: 4_000, gpuCount: 1, gpuMilli: 250, models: -1, share: 0.3 },
  { cpuMilli: 8_000, gpuCount: 0, gpuMilli: 0, models: -1, share: 0.2 },
];

function specOf(choice: HostChoice, id: string): HostSpec {
  const { cpus, memoryGiB, gpus, model, uniform, offers, repels } = choice;
  return {
    id,
    amounts: { cpuMilli: cpus * 1000, memoryMiB: memoryGiB * 1024, hugePages2Mi: 1024 },
    // The last device is of another make, so that hosts with mixed devices are seen too.
    gpus: Array.from({ length: gpus }, (_, i) => ({ model: i === 7 ? "T4" : model, uniform })),
    offers,
    repels,
  };
}

function requestOf(choice: RequestChoice): PlacementRequest {
  const { cpuMilli, memoryMiB, hugePages2Mi, gpu, requires, tolerates } = choice;
  const amounts = { cpuMilli, memoryMiB, hugePages2Mi };
  return { amounts, requires, tolerates, ...(gpu === undefined ? {} : { gpu }) };
}

/** What the engine must answer: the first of the best, found by looking at every host. */
function scan(fleet: Fleet, policy: PolicyName, kind: Kind): number | undefined {
  const fresh = policies[policy](fleet, demand);
  let best = unfit;
  let found: number | undefined;
  for (let slot = 0; slot < fleet.slots; slot += 1) {
    if (obstacleOn(fleet, slot, kind) !== undefined) continue;
    const score = fresh.score(slot, kind);
    if (score > best) {
      best = score;
      found = slot;
    }
  }
  return found;
}

/** Totals less what is held, counted anew, are what the arrays say; nothing is below zero. */
function expectSound(fleet: Fleet, held: ReadonlySet<Held>): void {
  const on = Map.groupBy(held, ({ slot }) => slot);
  for (let slot = 0; slot < fleet.slots; slot += 1) {
    const here = on.get(slot) ?? [];
    for (const resource of resources) {
      const used = here.reduce((sum, { kind }) => sum + (kind.request.amounts[resource] ?? 0), 0);
      const left = fleet.free[resource][slot] ?? -1;
      equal(left, (fleet.total[resource][slot] ?? 0) - used);
      equal(left >= 0, true);
    }
    const left: number[] = [];
    for (let number = 0; number < (fleet.gpus.count[slot] ?? 0); number += 1) {
      const slices = here.filter(({ gpus }) => gpus.includes(number));
      const milli = slices.map(({ kind }) => kind.gpuMilli);
      const uniform = fleet.gpus.slice[slot * fleet.gpus.stride + number] !== -1;
      const over = wholeGpu - milli.reduce((a, b) => a + b, 0);
      left.push(uniform && over < (milli[0] ?? 0) ? 0 : over);
      equal(over >= 0, true);
      equal(uniform && new Set(milli).size > 1, false);
    }
    const from = slot * fleet.gpus.stride;
    equal(fleet.gpus.free.subarray(from, from + left.length).join(), left.join());
    equal(Math.min(0, ...left), 0);
    equal(
      fleet.gpus.freeSum[slot],
      left.reduce((a, b) => a + b, 0),
    );
    equal(fleet.gpus.wholeFree[slot], left.filter((milli) => milli === wholeGpu).length);
  }
}

/** A fleet with everything that is held of it, as the test knows it. */
class World {
  readonly fleet = new Fleet();
  readonly held = new Set<Held>();
  readonly chosen: (number | undefined)[] = [];
  readonly #policy: PolicyName;
  readonly #kinds = new Kinds(this.fleet);
  readonly #chooser: Chooser;

  constructor(policy: PolicyName) {
    this.#policy = policy;
    this.#chooser = new Chooser(this.fleet, policies[policy](this.fleet, demand));
  }

  place(choice: RequestChoice): void {
    const compiled = this.#kinds.of(requestOf(choice));
    if ("problem" in compiled) throw new Error(compiled.problem);
    const { kind } = compiled;
    const { hosts, obstacles } = explain(this.fleet, kind);
    const obstructed = Object.values(obstacles).reduce((a, b) => a + b, 0);
    const wanted = scan(this.fleet, this.#policy, kind);
    const got = this.#chooser.place(kind);
    equal(got?.slot, wanted);
    equal(obstructed === hosts, got === undefined);
    this.chosen.push(got?.slot);
    if (got !== undefined) this.held.add(got);
  }

  release(which: number): void {
    const one = [...this.held][which % Math.max(1, this.held.size)];
    const known = one !== undefined && this.held.delete(one);
    equal(one !== undefined && this.fleet.release(one), known);
    equal(one !== undefined && this.fleet.release(one), false);
  }

  lose(which: number): void {
    const slot = which % Math.max(1, this.fleet.slots);
    if (this.fleet.idOf(slot) === undefined) return;
    for (const lost of this.fleet.remove(slot)) {
      equal(this.held.delete(lost), true);
      equal(this.fleet.release(lost), false);
    }
  }

  do(next: Step, number: number): void {
    switch (next.do) {
      case "place":
        return this.place(next.request);
      case "release":
        return this.release(next.which);
      case "lose":
        return this.lose(next.which);
      case "add":
        this.fleet.add(specOf(next.host, `new${number}`));
    }
  }
}

/** The slots chosen. */
function play(
  policy: PolicyName,
  hosts: readonly HostChoice[],
  steps: readonly Step[],
): readonly (number | undefined)[] {
  const world = new World(policy);
  for (const [i, choice] of hosts.entries()) world.fleet.add(specOf(choice, `h${i}`));
  for (const [i, next] of steps.entries()) {
    world.do(next, i);
    expectSound(world.fleet, world.held);
  }
  return world.chosen;
}

test.for(policyNames)(
  "S-06: over any history %s answers as a full scan would, twice the same, and oversells nothing",
  (policy) => {
    fc.assert(
      fc.property(
        fc.array(host, { minLength: 1, maxLength: 12 }),
        fc.array(step, { maxLength: 60 }),
        (hosts, steps) => {
          expect(play(policy, hosts, steps)).toEqual(play(policy, hosts, steps));
        },
      ),
      { numRuns: 60 },
    );
  },
);
