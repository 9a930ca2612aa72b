import { expect, test } from "vitest";

import { running } from "#test/lease-view.ts";

import { AtRest, digestOf } from "./at-rest.ts";

const minuteMs = 60_000;

test("what is as it was rests, for a minute at the most", () => {
  let now = 1_000_000;
  const rests = new AtRest(() => now);
  expect(rests.has("a", "same")).toBe(false);
  rests.add("a", "same");
  expect(rests.has("a", "same")).toBe(true);
  expect(rests.has("a", "other")).toBe(false);
  now += minuteMs / 2 - 1;
  expect(rests.has("a", "same")).toBe(true);
  now += minuteMs / 2 + 1;
  expect(rests.has("a", "same")).toBe(false);
});

test("what was found to be busy, or is not there any more, does not rest", () => {
  const rests = new AtRest(() => 0);
  for (const id of ["a", "b", "c"]) rests.add(id, id);
  rests.remove("a");
  rests.keep(new Set(["a", "b"]));
  expect(["a", "b", "c"].map((id) => rests.has(id, id))).toEqual([false, true, false]);
});

test("a machine that was only seen again is the same; one that runs elsewhere, is off, or has another row is not", () => {
  const machine = { ...running, power: { value: "running" as const, at: 1 } };
  const is = digestOf("row", machine);
  expect(digestOf("row", { ...machine, power: { value: "running", at: 2 } })).toBe(is);
  expect(digestOf("another row", machine)).not.toBe(is);
  expect(digestOf("row", { ...machine, hostId: "elsewhere" })).not.toBe(is);
  expect(digestOf("row", { ...machine, power: { value: "stopped", at: 1 } })).not.toBe(is);
  expect(digestOf("row", { ...machine, guest: { ready: false } })).not.toBe(is);
});
