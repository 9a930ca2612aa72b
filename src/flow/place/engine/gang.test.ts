import fc from "fast-check";
import { expect, test } from "vitest";

import { balance } from "./balance.ts";
import { Chooser } from "./choose.ts";
import { Fleet } from "./fleet.ts";
import { gangMax, placeGang, type GangPlaced } from "./gang.ts";
import { Kinds, type Kind } from "./kind.ts";

interface Room {
  readonly fleet: Fleet;
  readonly gpu: Kind;
  readonly gang: (count: number, how: "spread" | "pack") => GangPlaced;
}

/** Hosts with so many GPUs each; a member takes one. */
function room(gpus: readonly number[]): Room {
  const fleet = new Fleet();
  for (const [i, count] of gpus.entries()) {
    fleet.add({
      id: `h${i}`,
      amounts: { cpuMilli: 9_000 * count + 1_000 },
      gpus: Array.from({ length: count }, () => ({ model: "A100" })),
    });
  }
  const chooser = new Chooser(fleet, balance(fleet, []));
  const compiled = new Kinds(fleet).of({
    amounts: { cpuMilli: 9_000 },
    gpu: { count: 1, milli: 1000 },
  });
  if ("problem" in compiled) throw new Error(compiled.problem);
  const { kind: gpu } = compiled;
  return {
    fleet,
    gpu,
    gang: (count, how) => {
      const members = Array.from({ length: count }, () => gpu);
      return placeGang(fleet, chooser, { members, how });
    },
  };
}

test("S-16: a gang is placed whole or not at all, and then nothing is held", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(4), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom("spread", "pack"),
      (gpus, count, how) => {
        const { fleet, gang } = room(gpus);
        const all = gpus.reduce((a, b) => a + b, 0);
        const possible = how === "spread" ? gpus.filter((has) => has > 0).length : all;
        const { held } = gang(count, how);
        expect(held?.length).toBe(count <= possible ? count : undefined);
        const left = fleet.gpus.wholeFree.reduce((a, b) => a + b, 0);
        expect(left).toBe(count <= possible ? all - count : all);
      },
    ),
  );
});

test("S-15: spread takes a host for each, pack as few as it can", () => {
  const hosts = (how: "spread" | "pack"): number =>
    new Set(
      room([2, 2, 2])
        .gang(3, how)
        .held?.map(({ slot }) => slot),
    ).size;
  expect(hosts("spread")).toBe(3);
  expect(hosts("pack")).toBe(2);
  expect(room([2, 2]).gang(3, "spread")).toEqual({ held: undefined, fitting: 2 });
});

test("a gang of nobody, and one larger than any fleet, is refused", () => {
  expect(() => room([1]).gang(0, "pack")).toThrow("1 to 1024 members, not 0");
  expect(() => room([1]).gang(gangMax + 1, "pack")).toThrow("not 1025");
});
