import { expect, test } from "vitest";

import { Fleet } from "./fleet.ts";
import { Kinds, sliceMilli, type PlacementRequest } from "./kind.ts";

const amounts = { cpuMilli: 4_000, memoryMiB: 8_192 };

function problem(request: PlacementRequest): string | undefined {
  const compiled = new Kinds(new Fleet()).of(request);
  return "problem" in compiled ? compiled.problem : undefined;
}

test("S-06: nonsense is refused in words, before anything is decided", () => {
  expect(problem({ amounts })).toBeUndefined();
  expect(problem({ amounts: { ...amounts, cpuMilli: 0 } })).toBe("A request needs some CPU.");
  expect(problem({ amounts: { ...amounts, cpuMilli: -1 } })).toContain("cpuMilli");
  expect(problem({ amounts: { ...amounts, memoryMiB: 0.5 } })).toContain("not 0.5");
  expect(problem({ amounts: { ...amounts, memoryMiB: Number.NaN } })).toContain("not NaN");
  for (const count of [0, -1, 1.5, 257, Infinity, Number.NaN]) {
    expect(problem({ amounts, gpu: { count, milli: 1000 } })).toBe(
      `GPUs are counted in whole numbers from 1 to 256, not ${count}.`,
    );
  }
  for (const milli of [0, -250, 0.25, 1001, sliceMilli(0), sliceMilli(2000)]) {
    expect(problem({ amounts, gpu: { count: 1, milli } })).toBe(
      `Of a GPU one takes 1 to 1000 thousandths, not ${milli}.`,
    );
  }
  expect(problem({ amounts, gpu: { count: 1, milli: 1000, models: [] } })).toContain(
    "at least one",
  );
});

test("R-GPU-02: n slices 1/n fit on one device, whatever n", () => {
  for (let n = 1; n <= 16; n += 1) {
    expect(sliceMilli(n) * n).toBeLessThanOrEqual(1000);
    expect(sliceMilli(n) * (n + 1)).toBeGreaterThan(1000 - n);
  }
});

test("requests for the same are one kind, in whatever order their names stand", () => {
  const fleet = new Fleet();
  fleet.add({ id: "a", amounts, gpus: [{ model: "T4" }, { model: "A10" }], offers: ["x", "y"] });
  const kinds = new Kinds(fleet);
  const one = kinds.of({ amounts, gpu: { count: 1, milli: 500, models: ["T4", "A10"] } });
  const two = kinds.of({ amounts, gpu: { count: 1, milli: 500, models: ["A10", "T4"] } });
  const three = kinds.of({ amounts, gpu: { count: 1, milli: 500 } });
  expect(one).toEqual(two);
  expect("kind" in one && "kind" in two && one.kind === two.kind).toBe(true);
  expect(one).not.toEqual(three);
});

test("what no host has yet is known as soon as one has it", () => {
  const fleet = new Fleet();
  const kinds = new Kinds(fleet);
  const wants = { amounts, gpu: { count: 1, milli: 1000, models: ["H100"] }, requires: ["nvme"] };
  expect(kinds.of(wants)).toMatchObject({ kind: { models: 0, modelNumbers: [] } });
  fleet.add({ id: "a", amounts, gpus: [{ model: "H100" }], offers: ["nvme"] });
  expect(kinds.of(wants)).toMatchObject({ kind: { models: 1, modelNumbers: [0] } });
});
