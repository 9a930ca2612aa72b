import fc from "fast-check";
import { expect, test } from "vitest";

import { balance } from "./balance.ts";
import { Chooser } from "./choose.ts";
import { explain } from "./explain.ts";
import { Fleet, type HostSpec } from "./fleet.ts";
import { Kinds, type Kind, type PlacementRequest } from "./kind.ts";
import { Tournament, unfit } from "./tournament.ts";

const spec = (id: string, change: Partial<HostSpec> = {}): HostSpec => ({
  id,
  amounts: { cpuMilli: 18_000, memoryMiB: 90_000 },
  gpus: [{ model: "T4" }, { model: "T4" }],
  ...change,
});
const oneGpu: PlacementRequest = {
  amounts: { cpuMilli: 9_000, memoryMiB: 40_000 },
  gpu: { count: 1, milli: 1000 },
};

function setUp(hosts: readonly HostSpec[]): { fleet: Fleet; kinds: Kinds; chooser: Chooser } {
  const fleet = new Fleet();
  for (const host of hosts) fleet.add(host);
  return { fleet, kinds: new Kinds(fleet), chooser: new Chooser(fleet, balance(fleet, [])) };
}

function kindOf(kinds: Kinds, request: PlacementRequest): Kind {
  const compiled = kinds.of(request);
  if ("problem" in compiled) throw new Error(compiled.problem);
  return compiled.kind;
}

test("a tournament's winner is the first of the best, after any changes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(unfit, -1, 0, 5), { minLength: 1, maxLength: 40 }),
      fc.array(fc.tuple(fc.nat(39), fc.constantFrom(unfit, -2, 0, 5, 6)), { maxLength: 40 }),
      (start, changes) => {
        const scores: number[] = [...start];
        const tournament = new Tournament();
        tournament.fill(scores.length, (slot) => scores[slot] ?? unfit);
        for (const [slot, score] of changes) {
          if (slot >= scores.length) continue;
          scores[slot] = score;
          tournament.set(slot, score);
          const best = Math.max(...scores);
          expect(tournament.first()).toBe(best === unfit ? -1 : scores.indexOf(best));
        }
      },
    ),
  );
});

test("who has missed more changes than the log keeps looks at every host again", () => {
  const { fleet, kinds, chooser } = setUp([spec("a"), spec("b")]);
  const kind = kindOf(kinds, oneGpu);
  const rare = kindOf(kinds, { amounts: { cpuMilli: 1_000 } });
  expect(chooser.choose(rare)).toMatchObject({ slot: 0, gpus: [] });
  while (fleet.changes.reaches(0)) {
    const held = chooser.place(kind);
    if (held === undefined) throw new Error("it fits");
    fleet.release(held);
  }
  chooser.place(kind);
  chooser.place(kind);
  expect(chooser.choose(rare)).toMatchObject({ slot: 1, gpus: [] });
});

test("more kinds than there are boards for are decided alike", () => {
  const { fleet, kinds, chooser } = setUp([spec("a"), spec("b")]);
  const many = Array.from({ length: 600 }, (_, i) =>
    kindOf(kinds, { amounts: { cpuMilli: 9_000, memoryMiB: i } }),
  );
  for (const kind of many) expect(chooser.choose(kind)?.slot).toBe(0);
  fleet.remove(0);
  for (const kind of many) expect(chooser.choose(kind)?.slot).toBe(1);
});

test("S-15: hosts that are ruled out for one request are back for the next", () => {
  const { kinds, chooser } = setUp([spec("a"), spec("b")]);
  const kind = kindOf(kinds, oneGpu);
  expect(chooser.choose(kind)?.slot).toBe(0);
  expect(chooser.choose(kind, { not: [0] })?.slot).toBe(1);
  expect(chooser.choose(kind, { not: [0, 99] })?.slot).toBe(1);
  expect(chooser.choose(kind, { only: [99] })).toBeUndefined();
  expect(chooser.choose(kind, { not: [0, 1, 1] })).toBeUndefined();
  expect(chooser.choose(kind, { only: [1] })?.slot).toBe(1);
  expect(chooser.choose(kind, { only: [1, 0] })?.slot).toBe(0);
  expect(chooser.choose(kind, { only: [1, 0], not: [0] })?.slot).toBe(1);
  expect(chooser.choose(kind, { only: [] })).toBeUndefined();
  expect(chooser.choose(kind)?.slot).toBe(0);
});

test("S-15: labels are required, taints tolerated", () => {
  const { kinds, chooser } = setUp([
    spec("reserve", { repels: ["reserve"], offers: ["core"] }),
    spec("plain"),
  ]);
  const slotFor = (change: Partial<PlacementRequest>): number | undefined =>
    chooser.choose(kindOf(kinds, { ...oneGpu, ...change }))?.slot;
  expect(slotFor({})).toBe(1);
  expect(slotFor({ tolerates: ["reserve"] })).toBe(0);
  expect(slotFor({ requires: ["core"] })).toBeUndefined();
  expect(slotFor({ requires: ["core"], tolerates: ["reserve"] })).toBe(0);
  expect(slotFor({ requires: ["nowhere"] })).toBeUndefined();
});

test("R-GPU-02: where slices have one size, another waits for a free device", () => {
  const uniform = { model: "A100", uniform: true };
  const { fleet, kinds, chooser } = setUp([spec("mig", { gpus: [uniform, uniform] })]);
  const slice = (milli: number): Kind =>
    kindOf(kinds, { amounts: { cpuMilli: 1_000 }, gpu: { count: 1, milli } });
  const first = chooser.place(slice(250));
  expect(chooser.place(slice(500))?.gpus).toEqual([1]);
  expect(chooser.place(slice(250))?.gpus).toEqual([0]);
  expect(chooser.place(slice(333))).toBeUndefined();
  expect(first && fleet.release(first)).toBe(true);
  expect(chooser.place(slice(333))).toBeUndefined();
  expect(chooser.place(slice(500))?.gpus).toEqual([1]);
});

test("a refusal counts the obstacles, and names the host that lacks least and what", () => {
  const { fleet, kinds, chooser } = setUp([
    spec("small", { amounts: { cpuMilli: 4_000, memoryMiB: 90_000 } }),
    spec("tainted", { repels: ["drain"] }),
    spec("busy"),
    spec("cpu", { gpus: [] }),
  ]);
  const kind = kindOf(kinds, oneGpu);
  chooser.place(kindOf(kinds, { amounts: { cpuMilli: 12_000 }, gpu: { count: 1, milli: 1000 } }));
  expect(chooser.choose(kind)).toBeUndefined();
  expect(explain(fleet, kind)).toEqual({
    hosts: 4,
    obstacles: { "not enough CPU": 2, "taint is not tolerated": 1, "no such GPU": 1 },
    nearest: { slot: 2, lacks: { cpuMilli: 3_000 }, gpus: 0, share: 1 / 3 },
  });
});

test("a fleet takes no nonsense and no more than there is", () => {
  const { fleet, kinds } = setUp([spec("a")]);
  const kind = kindOf(kinds, oneGpu);
  expect(() => fleet.add(spec("b", { amounts: { cpuMilli: -1 } }))).toThrow("whole number");
  expect(() => fleet.place(0, kind, { gpus: [0, 1], node: -1 })).toThrow("1 different GPUs");
  expect(() => fleet.place(1, kind, { gpus: [0], node: -1 })).toThrow("no host in slot 1");
  fleet.place(0, kind, { gpus: [0], node: -1 });
  expect(() => fleet.place(0, kind, { gpus: [0], node: -1 })).toThrow("GPU 0 has no room");
  fleet.place(0, kind, { gpus: [1], node: -1 });
  expect(() => fleet.place(0, kind, { gpus: [1], node: -1 })).toThrow("no cpuMilli left");
});
