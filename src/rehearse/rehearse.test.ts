import { expect, test } from "vitest";

import type { HostState } from "#flow/place/host-state.ts";
import { Planner } from "#flow/place/planner.ts";
import { present } from "#kernel/assert.ts";
import { aDevice, aHost, aPool, aShape, gpus } from "#test/place-states.ts";
import { randomFrom, seeds } from "#test/sim/random.ts";

import { figuresOf } from "./figures.ts";
import { changed, sizeOf } from "./fleet.ts";
import { askOf, endOf, rehearse, type Pass, type Piece } from "./simulate.ts";

const hour = 3_600_000;

/** First come first served; what does not fit is passed over. */
const inOrder: Pass = ({ waiting }, planner) =>
  waiting.flatMap((next) => {
    const placed = planner.place(askOf(next));
    return placed.placed ? [{ piece: next, placed }] : [];
  });

function piece(id: string, change: Partial<Piece> = {}): Piece {
  return {
    id,
    tenantId: "t",
    projectId: "p",
    kind: "job",
    workClass: "ordinary",
    shape: aShape({ gpu: gpus("A100") }),
    askedAt: 0,
    estimateMs: hour,
    deadlineAt: undefined,
    gang: null,
    ranMs: hour,
    fenPerHour: 1_000n,
    ...change,
  };
}

function gpuHost(id: string, count = 1): HostState {
  const devices = Array.from({ length: count }, (_, i) =>
    aDevice({ id: `${id}.${i}`, model: "A100", mode: "whole", slicesMax: 1 }),
  );
  return aHost({
    id,
    name: id,
    milliCpus: 64_000,
    memoryBytes: 2 ** 39,
    diskBytes: 2 ** 42,
    devices,
  });
}

test("work starts when it came or when there is room, and the figures say so", () => {
  const span = { from: 0, until: 4 * hour };
  const hosts = [gpuHost("a")];
  const arrivals = [
    piece("1"),
    piece("2"),
    piece("3", { askedAt: hour / 2 }),
    piece("late", { askedAt: 5 * hour }),
  ];
  const done = rehearse({ ...span, standing: [], arrivals }, new Planner(hosts), inOrder);
  expect(done.ran.map((each) => [each.piece.id, each.startedAt / hour])).toEqual([
    ["1", 0],
    ["2", 1],
    ["3", 2],
  ]);
  expect(figuresOf(done, span, sizeOf(hosts))).toMatchObject({
    asked: 3,
    started: 3,
    stillWaiting: 0,
    meanWaitMs: (0 + hour + 1.5 * hour) / 3,
    longestWaitMs: 1.5 * hour,
    gpuUtilization: 0.75,
    revenue: 3_000n,
  });
});

test("what stands holds its host until it ends; of a host that is gone it asks again", () => {
  const span = { from: 10 * hour, until: 20 * hour };
  const standing = [
    { piece: piece("old", { askedAt: hour, ranMs: 4 * hour }), hostId: "a", startedAt: 8 * hour },
  ];
  const arrivals = [piece("new", { askedAt: 10 * hour })];
  const fleet = [gpuHost("a"), gpuHost("b")];
  const one = changed(fleet, [{ do: "remove", host: "b" }]);
  const kept = rehearse({ ...span, standing, arrivals }, new Planner(one), inOrder);
  expect(kept.displaced).toEqual([]);
  expect(present(kept.ran[1], "the new one").startedAt).toBe(12 * hour);
  const other = changed(fleet, [{ do: "remove", host: "a" }]);
  const moved = rehearse({ ...span, standing, arrivals }, new Planner(other), inOrder);
  expect(moved.displaced.map(({ id }) => id)).toEqual(["old"]);
  expect(moved.ran.map((each) => [each.piece.id, each.startedAt / hour])).toEqual([
    ["old", 10],
    ["new", 14],
  ]);
});

function slices(count: number): Piece[] {
  return Array.from({ length: count }, (_, i) =>
    piece(`s${i}`, { shape: aShape({ vcpus: 1, gpu: gpus("T4", { slice: 8 }) }) }),
  );
}

test("R-POOL-06: more hosts, and a pool cut finer, take more work", () => {
  const span = { from: 0, until: 2 * hour };
  const host = aHost({
    milliCpus: 64_000,
    memoryBytes: 2 ** 40,
    diskBytes: 2 ** 42,
    pool: aPool({ slicesMax: 4 }),
    devices: [aDevice({ slicesMax: 8 })],
  });
  const run = (hosts: readonly HostState[]): number =>
    rehearse(
      { ...span, standing: [], arrivals: slices(12) },
      new Planner(hosts),
      inOrder,
    ).ran.filter(({ startedAt }) => startedAt === 0).length;
  expect(run([host])).toBe(0);
  const finer = changed([host], [{ do: "pool", pool: "general", slicesMax: 8 }]);
  expect(run(finer)).toBe(8);
  expect(run(changed(finer, [{ do: "add", like: "h1", count: 1 }]))).toBe(12);
  expect(() => changed([host], [{ do: "remove", host: "nobody" }])).toThrow("no host named nobody");
  expect(() => changed([host], [{ do: "pool", pool: "none" }])).toThrow("No host is in a pool");
});

const [seed = 1] = seeds(1);

test(`nothing starts before it came, twice, or where there is no room, seed ${seed}`, () => {
  const random = randomFrom(seed);
  for (let round = 0; round < 50; round += 1) {
    const hosts = Array.from({ length: 1 + random.below(4) }, (_, i) =>
      gpuHost(`h${i}`, 1 + random.below(4)),
    );
    const gpusOfAll = sizeOf(hosts).gpus;
    const span = { from: 0, until: 50 * hour };
    const arrivals = Array.from({ length: random.below(60) }, (_, i) =>
      piece(`${i}`, {
        askedAt: random.below(40) * hour,
        ranMs: (1 + random.below(9)) * hour,
        shape: aShape({ gpu: gpus("A100", { count: 1 + random.below(3) }) }),
      }),
    );
    const done = rehearse({ ...span, standing: [], arrivals }, new Planner(hosts), inOrder);
    const ids = done.ran.map((each) => each.piece.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length + done.waiting.length).toBe(arrivals.length);
    for (const { piece: each, startedAt } of done.ran) {
      expect(startedAt).toBeGreaterThanOrEqual(each.askedAt);
      const held = done.ran
        .filter((other) => other.startedAt <= startedAt && endOf(other) > startedAt)
        .reduce((sum, other) => sum + (other.piece.shape.gpu?.count ?? 0), 0);
      expect(held).toBeLessThanOrEqual(gpusOfAll);
    }
  }
});
