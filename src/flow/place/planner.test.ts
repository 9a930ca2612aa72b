/** What the planner answers, over random histories; gangs, nonsense, refusals. Rule by rule: rules.test.ts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Shape } from "#kernel/shape.ts";
import { play } from "#test/place-histories.ts";
import { someAsk, someHost, someStep } from "#test/place-random.ts";
import { aDevice, aHost, aShape, gpus } from "#test/place-states.ts";

import type { GangAnswer, PlaceAsk } from "./ask.ts";
import { couldEverFit, couldEverFitTogether } from "./decide.ts";
import type { DeviceState } from "./host-state.ts";
import { Planner } from "./planner.ts";

function ask(shape: Partial<Shape> = {}): PlaceAsk {
  return { tenantId: "ann", shape: aShape(shape) };
}

function t4s(count: number, change: Partial<DeviceState> = {}): DeviceState[] {
  return Array.from({ length: count }, (_, i) => aDevice({ id: `g${i}`, ...change }));
}

function members(count: number): PlaceAsk[] {
  return Array.from({ length: count }, () => ask({ gpu: gpus("T4") }));
}

function hostsOf(answer: GangAnswer): unknown {
  return answer.placed ? answer.members.map(({ hostId }) => hostId) : answer.fitting;
}

test("S-06: over any history the planner finds a place if and only if there is one, twice the same, and oversells nothing", () => {
  fc.assert(
    fc.property(
      fc.array(someHost, { minLength: 1, maxLength: 5 }),
      fc.array(someAsk, { minLength: 1, maxLength: 5 }),
      fc.array(someStep, { minLength: 20, maxLength: 60 }),
      (hosts, asks, steps) => {
        expect(play(hosts, asks, steps)).toEqual(play(hosts, asks, steps));
      },
    ),
    { numRuns: 200 },
  );
});

describe("gangs", () => {
  const hosts = [0, 1, 2].map((i) => aHost({ id: `h${i}`, devices: t4s(2) }));
  test("S-16: a gang is placed whole or not at all, spread or packed", () => {
    const planner = new Planner(hosts);
    expect(hostsOf(planner.placeAll(members(4), "spread"))).toBe(3);
    expect(hostsOf(planner.placeAll(members(7), "pack"))).toBe(6);
    // Nothing is held after that.
    const spread = planner.placeAll(members(3), "spread");
    expect(hostsOf(spread)).toEqual(["h0", "h1", "h2"]);
    if (spread.placed) for (const member of spread.members) planner.release(member);
    expect(hostsOf(planner.placeAll(members(3), "pack"))).toEqual(["h0", "h0", "h1"]);
    expect(hostsOf(planner.placeAll(members(3), "pack"))).toEqual(["h2", "h2", "h1"]);
  });

  test("S-16: a gang that is larger than the pool is refused before it waits", () => {
    expect(couldEverFitTogether(hosts, members(6), "pack").placed).toBe(true);
    expect(couldEverFitTogether(hosts, members(7), "pack")).toMatchObject({
      placed: false,
      fitting: 6,
      reason: { code: "no_host_fits" },
    });
    expect(couldEverFitTogether(hosts, members(4), "spread").placed).toBe(false);
    for (const count of [0, 1025]) {
      expect(couldEverFitTogether(hosts, members(count), "pack")).toMatchObject({
        reason: { code: "senseless" },
      });
    }
  });
});

test.for([
  ["no GPU", { gpu: gpus("T4", { count: 0 }) }, "whole numbers from 1"],
  ["fewer than none", { gpu: gpus("T4", { count: -1 }) }, "not -1"],
  ["half a GPU as a whole one", { gpu: gpus("T4", { count: 0.5 }) }, "not 0.5"],
  ["1/0", { gpu: gpus("T4", { slice: 0 }) }, "1/0"],
  ["1/2.5", { gpu: gpus("T4", { slice: 2.5 }) }, "1/2.5"],
  ["no CPU", { vcpus: 0 }, "not 0"],
  ["negative memory", { memoryMiB: -1 }, "not -1"],
  ["CPUs of nothing", { overcommitPercent: 0 }, "not 0"],
] as const)("S-06: %s is senseless, whatever the hosts are", ([, shape, words]) => {
  for (const hosts of [[], [aHost({ devices: t4s(4) })]]) {
    const answer = couldEverFit(hosts, ask(shape));
    expect(answer).toMatchObject({ placed: false, reason: { code: "senseless" } });
    expect(answer.placed ? "" : answer.reason.message).toContain(words);
  }
});

test("what was usual in the past is known to policies that ask", () => {
  const hosts = [
    aHost({ id: "a", milliCpus: 4_000, devices: t4s(1) }),
    aHost({ id: "b", devices: t4s(1) }),
  ];
  const usual = { shape: aShape({ vcpus: 4, gpu: gpus("T4") }), count: 3 };
  // On the first host it would leave a GPU without the CPUs that go with it.
  const plain = ask({ vcpus: 2 });
  expect(new Planner(hosts, "fgd").place(plain)).toMatchObject({ hostId: "a" });
  expect(new Planner(hosts, "fgd", [usual]).place(plain)).toMatchObject({ hostId: "b" });
  const later = new Planner([], "fgd", [usual]);
  later.refresh(hosts);
  expect(later.place(plain)).toMatchObject({ hostId: "b" });
});

test("S-06: a refusal says what was asked, what is in the way where, and what the nearest host lacks", () => {
  const hosts = [
    aHost({ id: "a", milliCpusUsed: 7_500, devices: t4s(2) }),
    aHost({ id: "b", devices: t4s(1, { model: "A10" }) }),
    aHost({ id: "c", up: false }),
  ];
  const answer = new Planner(hosts).place(ask({ gpu: gpus("T4", { slice: 2 }), numa: true }));
  expect(answer).toMatchObject({
    reason: {
      message:
        "No host fits 2 vCPU, 4096 MiB, 10 GiB disk, 1 x T4 1/2, on one NUMA node: of 3 hosts, " +
        "not enough CPU on 1, no such GPU on 1, host is down on 1. The nearest lacks 1.5 CPU.",
      details: { nearest: { hostId: "a", lacks: { cpuMilli: 1_500 } } },
    },
  });
});
