import { expect, test } from "vitest";

import { aShape, gpus } from "#test/place-states.ts";

import { movesLive, startsElsewhere } from "./movable.ts";

type Seen = Parameters<typeof movesLive>[0];

function seen(change: Partial<Seen>): Seen {
  const can = { can: true };
  return { shape: aShape({}), notes: null, move_live: can, start_elsewhere: can, ...change };
}

const one = { can: false, because: "only one node may open a disk of this storage" };

test("R-GPU-01: what has a GPU does not move while it runs, whatever its platform can; once stopped it starts elsewhere", () => {
  const train = seen({ shape: aShape({ gpu: gpus("A100") }) });
  expect(movesLive(train)).toMatchObject({ can: false, because: expect.stringContaining("GPU") });
  expect(startsElsewhere(train)).toEqual({ can: true });
});

test("the platform's word counts: of all of its machines, of a service class, of the one that it looked at", () => {
  expect(movesLive(seen({}))).toEqual({ can: true });
  expect(movesLive(seen({ move_live: one }))).toEqual(one);
  expect(startsElsewhere(seen({ start_elsewhere: one }))).toEqual(one);
  const core = { ...one, classes: ["core"] };
  const ofClass = (serviceClass: "core" | "standard"): boolean =>
    movesLive(seen({ move_live: core, shape: aShape({ serviceClass }) })).can;
  expect([ofClass("core"), ofClass("standard")]).toEqual([false, true]);
  const said = "cannot migrate VMI: PVC disk is not shared";
  const notes = [{ code: "not_migratable", details: { said } }];
  expect(movesLive(seen({ notes }))).toEqual({ can: false, because: said });
  expect(movesLive(seen({ notes: [{ code: "not_migratable" }] })).can).toBe(false);
  expect(movesLive(seen({ notes: [{ code: "restart_required" }] })).can).toBe(true);
});

test("a platform that says nothing of it is not taken for able", () => {
  expect(movesLive(seen({ move_live: null })).can).toBe(false);
  expect(startsElsewhere(seen({ start_elsewhere: null })).can).toBe(false);
});
