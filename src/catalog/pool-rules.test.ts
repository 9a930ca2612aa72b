import { expect, test } from "vitest";

import { createFlavorBody } from "#contract/schemas/catalog.ts";
import { present } from "#kernel/assert.ts";

import { poolFindings, targetOf } from "./pool-findings.ts";
import { brokenPoolRules, brokenRulesOfPool, poolPresets, sharedPool } from "./pool-rules.ts";
import { flavorPresets } from "./presets.ts";

const codes = (rules: readonly { readonly code: string }[]): string[] =>
  rules.map(({ code }) => code);

function preset(name: string): ReturnType<typeof createFlavorBody.parse> {
  return createFlavorBody.parse(
    present(
      flavorPresets.find((each) => each.name === name),
      name,
    ),
  );
}

const highEnd = { ...poolPresets["high-end"], name: "high-end" };
const general = { ...poolPresets.general, name: "general" };
const edge = { ...poolPresets.edge, name: "edge" };

test("R-POOL-02: the high-end pool sells whole devices of class core, for leases by the month too", () => {
  expect(brokenPoolRules(poolPresets["high-end"])).toEqual([]);
  expect(codes(brokenPoolRules({ ...poolPresets["high-end"], slicesMax: 4 }))).toEqual([
    "R-POOL-02",
  ]);
  for (const name of ["h100.1", "a100.1", "a100.2", "ai-training"]) {
    expect(brokenRulesOfPool(preset(name), highEnd)).toEqual([]);
  }
  expect(preset("a100.1").subscriptionSku).toBe("vm.a100x1");
  const [rule] = brokenRulesOfPool(
    { ...preset("a100.1"), gpu: { model: "A100", count: 1, slice: 4 } },
    highEnd,
  );
  expect(rule).toMatchObject({ code: "R-POOL-02" });
  expect(rule?.message).toBe("the pool high-end sells whole devices only, not 1/4");
});

const allHere = { hosts: 4, away: [] } as const;

test("R-POOL-03: the general pool shares 1:4 to 1:8; other ratios are the operator's word, and are said", () => {
  expect(brokenPoolRules(poolPresets.general)).toEqual([]);
  expect(poolPresets.general.slicesMax).toBe(8);
  expect(codes(brokenPoolRules({ ...sharedPool, slicesMax: 1 }))).toEqual(["R-POOL-03"]);
  const seen = {
    ...allHere,
    gpus: [],
    unit: "gpu",
    capacity: 4,
    allocated: 4,
    days30: null,
  } as const;
  const findings = (slicesMax: number): string[] =>
    codes(poolFindings({ ...sharedPool, slicesMax }, seen));
  for (const usual of [4, 8]) expect(findings(usual)).toEqual([]);
  for (const unusual of [2, 3, 9, 16]) {
    expect(brokenPoolRules({ ...sharedPool, slicesMax: unusual })).toEqual([]);
    expect(findings(unusual)).toEqual(["R-POOL-03"]);
  }
});

test("R-POOL-04: an edge pool is rented on demand only", () => {
  expect(brokenPoolRules(poolPresets.edge)).toEqual([]);
  const jetson = { ...preset("t4.1"), gpu: { model: "Jetson", count: 1, slice: 1 } };
  expect(brokenRulesOfPool(jetson, edge)).toEqual([]);
  const sold = { ...jetson, subscriptionSku: "vm.jetson" };
  expect(codes(brokenRulesOfPool(sold, edge))).toEqual(["R-POOL-04"]);
});

test("R-POOL-05: a pool of class core keeps at least 20 % in reserve, and says when it is used", () => {
  const core = { ...poolPresets["high-end"], reservePercent: 19 };
  expect(codes(brokenPoolRules(core))).toEqual(["R-POOL-05"]);
  expect(brokenPoolRules({ ...core, reservePercent: 20 })).toEqual([]);
  const seen = { ...allHere, gpus: [], unit: "gpu", days30: null } as const;
  const messages = (capacity: number, allocated: number): string[] =>
    poolFindings(highEnd, { ...seen, capacity, allocated }).map(({ message }) => message);
  expect(messages(10, 8)).toEqual([]);
  expect(messages(10, 9)).toEqual(["1 of the 2 GPUs in reserve are in use"]);
  expect(messages(1, 0)).toEqual(["a reserve of 20 % of 1 GPUs leaves no whole one to sell"]);
});

test("R-POOL-06: a shared pool should reach 80 to 90 %; what was measured stands beside it", () => {
  expect(targetOf(sharedPool)).toEqual({ from: 0.8, until: 0.9 });
  expect(targetOf(poolPresets["high-end"])).toBeNull();
  const seen = { ...allHere, gpus: [], unit: "gpu", capacity: 4, allocated: 1 } as const;
  const [finding] = poolFindings(sharedPool, { ...seen, days30: 0.421 });
  expect(finding).toEqual({
    code: "R-POOL-06",
    message: "42.1 % were held over 30 days; a shared pool should reach 80 to 90 %",
  });
  expect(poolFindings(sharedPool, { ...seen, days30: 0.8 })).toEqual([]);
});

test("R-GPU-02: a device that cannot be cut as far as its pool says is named", () => {
  const gpus = [
    { model: "A100", devices: 2, slicesMaxLeast: 7 },
    { model: "T4", devices: 2, slicesMaxLeast: 8 },
  ];
  const seen = { ...allHere, gpus, unit: "gpu", capacity: 4, allocated: 0, days30: null } as const;
  expect(poolFindings(sharedPool, seen)).toEqual([
    { code: "R-GPU-02", message: "not all A100 can be cut as far: some up to 1/7 only" },
  ]);
});

test("R-GPU-07: what is not core shares devices, and has no place among the whole ones", () => {
  const quarter = preset("t4.quarter");
  expect(quarter).toMatchObject({ serviceClass: "standard", gpu: { slice: 4 } });
  expect(brokenRulesOfPool(quarter, general)).toEqual([]);
  expect(codes(brokenRulesOfPool(quarter, highEnd))).toEqual(["R-POOL-02", "R-POOL-01"]);
});

test("R-GPU-09: a flavor cannot be cut finer than its pool allows, with the numbers", () => {
  const tenth = { ...preset("t4.quarter"), gpu: { model: "T4", count: 1, slice: 10 } };
  const [rule] = brokenRulesOfPool(tenth, general);
  expect(rule).toMatchObject({ code: "R-GPU-09", details: { slice: 10, slicesMax: 8 } });
  expect(rule?.message).toBe("the pool general cuts its devices up to 1/8, not 1/10");
});

test("a pool whose hosts' site is away says so, however full it is", () => {
  const seen = {
    hosts: 4,
    gpus: [],
    unit: "gpu",
    capacity: 4,
    allocated: 4,
    days30: null,
  } as const;
  const away = [{ site: "far", hosts: 3, since: "2026-05-04T00:00:00.000Z" }];
  expect(poolFindings(poolPresets.edge, { ...seen, away })).toEqual([
    {
      code: "site_away",
      message:
        "3 of its 4 hosts are at sites that do not answer: far (since 2026-05-04T00:00:00.000Z). They take nothing new; the figures have them as they were.",
    },
  ]);
});
