import fc from "fast-check";
import { expect, test } from "vitest";

import type { Shape } from "#kernel/shape.ts";
import { fits, oversold, statesOf, type Standing } from "#test/place-oracle.ts";
import { aDevice, aHost, aShape, gpus } from "#test/place-states.ts";

import { howManyFit } from "./free.ts";
import { Planner } from "./planner.ts";

const empty = aHost({
  hugePagesMiB: { "2Mi": 4096, "1Gi": 0 },
  devices: [aDevice({ id: "g0" }), aDevice({ id: "g1", mode: "shared", isolation: "soft" })],
});

function shape(change: Partial<Shape> = {}): Shape {
  return aShape({ vcpus: 1, memoryMiB: 1024, diskGiB: 1, ...change });
}

test("counts until the first resource is used up", () => {
  expect(howManyFit([empty], { tenantId: "me", shape: shape() })).toEqual({
    count: 8,
    hostIds: ["h1"],
    isolation: "none",
  });
  expect(howManyFit([empty], { tenantId: "me", shape: shape({ memoryMiB: 8192 }) }).count).toBe(2);
  expect(howManyFit([empty], { tenantId: "me", shape: shape({ hugePages: "2Mi" }) }).count).toBe(4);
  expect(howManyFit([empty], { tenantId: "me", shape: shape({ antiAffinity: true }) }).count).toBe(
    1,
  );
  expect(howManyFit([], { tenantId: "me", shape: shape() }).count).toBe(0);
});

test("R-GPU-02: slices and whole devices, and how they are kept apart", () => {
  const quarter = shape({ gpu: gpus("T4", { slice: 4 }) });
  expect(howManyFit([empty], { tenantId: "me", shape: quarter })).toMatchObject({
    count: 8,
    isolation: "soft",
  });
  const whole = shape({ gpu: gpus("T4") });
  expect(howManyFit([empty], { tenantId: "me", shape: whole }).count).toBe(2);
});

test("as many as are said to fit do, and never one more", () => {
  const asks = fc.record({
    vcpus: fc.integer({ min: 1, max: 5 }),
    memoryMiB: fc.integer({ min: 256, max: 9000 }),
    diskGiB: fc.integer({ min: 1, max: 60 }),
    slice: fc.constantFrom(0, 1, 2, 4),
    overcommitPercent: fc.integer({ min: 100, max: 150 }),
  });
  fc.assert(
    fc.property(asks, ({ slice, ...sizes }) => {
      const of = shape({ ...sizes, gpu: slice === 0 ? null : gpus("T4", { slice }) });
      const ask = { tenantId: "me", shape: of };
      const { count } = howManyFit([empty], ask);
      const planner = new Planner([empty]);
      const standing: Standing[] = [];
      for (let placed = planner.place(ask); placed.placed; placed = planner.place(ask)) {
        standing.push({ ask, placed });
      }
      expect(standing).toHaveLength(count);
      const states = statesOf([empty], standing);
      expect(oversold(states, standing)).toEqual([]);
      expect(states.some((state) => fits(states, state, ask))).toBe(false);
      expect(howManyFit(states, ask).count).toBe(0);
    }),
  );
});
