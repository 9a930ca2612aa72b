import fc from "fast-check";
import { expect, test } from "vitest";

import { createFlavorBody } from "#contract/schemas/catalog.ts";
import { present } from "#kernel/assert.ts";

import { brokenFlavorRules, type FlavorFields } from "./flavor-rules.ts";
import { flavorPresets } from "./presets.ts";

function flavor(change: Record<string, unknown> = {}): FlavorFields {
  return createFlavorBody.parse({
    name: "test",
    vcpus: 4,
    cpu: { sockets: 1, cores: 2, threads: 2 },
    memoryMiB: 4096,
    diskGiB: 10,
    ...change,
  });
}

function broken(change: Record<string, unknown>): string[] {
  return brokenFlavorRules(flavor(change)).map(({ code }) => code);
}

function preset(name: string): FlavorFields {
  return createFlavorBody.parse(
    present(
      flavorPresets.find((each) => each.name === name),
      name,
    ),
  );
}

test("a plain flavor breaks nothing", () => {
  expect(broken({})).toEqual([]);
});

test("R-CPU-05: rejects a topology that does not multiply out, with the product", () => {
  const [rule] = brokenFlavorRules(flavor({ cpu: { sockets: 1, cores: 3, threads: 2 } }));
  expect(rule).toMatchObject({ code: "R-CPU-05", details: { product: 6, vcpus: 4 } });
  expect(rule?.message).toContain("3 x 2 x 1 = 6, not 4");
});

test("R-CPU-05: exactly the topologies that multiply out pass", () => {
  const part = fc.integer({ min: 1, max: 8 });
  fc.assert(
    fc.property(part, part, fc.constantFrom(1, 2), part, (sockets, cores, threads, vcpus) => {
      const passes = !broken({ vcpus, cpu: { sockets, cores, threads } }).includes("R-CPU-05");
      expect(passes).toBe(sockets * cores * threads === vcpus);
    }),
  );
});

test("R-CPU-09: overcommit is at most 1:1.5", () => {
  expect(broken({ overcommitPercent: 150 })).toEqual([]);
  const beyond = { ...flavor(), overcommitPercent: 151 };
  expect(brokenFlavorRules(beyond).map(({ code }) => code)).toEqual(["R-CPU-09"]);
});

test("R-CPU-10: core is never overcommitted", () => {
  expect(broken({ serviceClass: "core", overcommitPercent: 100 })).toEqual([]);
  expect(broken({ serviceClass: "core", overcommitPercent: 101 })).toEqual(["R-CPU-10"]);
});

test("R-MEM-01: no more is guaranteed than the cap", () => {
  expect(broken({ memoryRequestMiB: 4097 })).toContain("R-MEM-01");
  expect(broken({ memoryRequestMiB: 4096 })).toEqual([]);
});

test("R-MEM-02: core shares no pages", () => {
  expect(broken({ serviceClass: "core", pageSharing: true })).toEqual(["R-MEM-02"]);
  expect(broken({ pageSharing: true })).toEqual([]);
});

test("R-MEM-03: core has no balloon", () => {
  expect(broken({ serviceClass: "core", balloon: true })).toEqual(["R-MEM-03"]);
});

test("R-MEM-05: core guarantees all of its memory", () => {
  expect(broken({ serviceClass: "core", memoryRequestMiB: 2048 })).toContain("R-MEM-05");
});

test("R-MEM-06: a gap between guarantee and cap needs the balloon", () => {
  expect(broken({ memoryRequestMiB: 2048 })).toEqual(["R-MEM-06"]);
  expect(broken({ memoryRequestMiB: 2048, balloon: true })).toEqual([]);
});

test("R-MEM-07: memory is a multiple of the page, without balloon or page sharing", () => {
  expect(broken({ memoryMiB: 4095, hugePages: "2Mi" })).toEqual(["R-MEM-07"]);
  expect(broken({ memoryMiB: 4098, hugePages: "2Mi" })).toEqual([]);
  expect(broken({ memoryMiB: 4098, hugePages: "1Gi" })).toEqual(["R-MEM-07"]);
  expect(broken({ memoryMiB: 4096, hugePages: "1Gi", balloon: true })).toEqual(["R-MEM-07"]);
  expect(broken({ memoryMiB: 4096, hugePages: "1Gi", pageSharing: true })).toEqual(["R-MEM-07"]);
});

test("R-GPU-02: a slice is of one device", () => {
  expect(broken({ gpu: { model: "T4", count: 1, slice: 4 } })).toEqual([]);
  expect(broken({ gpu: { model: "T4", count: 2, slice: 4 } })).toEqual(["R-GPU-02"]);
});

test("R-GPU-11: NVLink joins at least two whole GPUs", () => {
  expect(broken({ nvlink: true })).toEqual(["R-GPU-11"]);
  expect(broken({ nvlink: true, gpu: { model: "A100", count: 1 } })).toEqual(["R-GPU-11"]);
  expect(broken({ nvlink: true, gpu: { model: "A100", count: 1, slice: 7 } })).toEqual([
    "R-GPU-11",
  ]);
  expect(broken({ nvlink: true, gpu: { model: "A100", count: 2 } })).toEqual([]);
});

test("R-PROF-10: one NIC queue per vCPU at most, extra disks with names of their own", () => {
  expect(broken({ nicQueues: 5 })).toEqual(["R-PROF-10"]);
  expect(broken({ nicQueues: 4 })).toEqual([]);
  const disk = { name: "log", sizeGiB: 1 };
  expect(broken({ extraDisks: [disk, disk] })).toEqual(["R-PROF-10"]);
  // What no machine could be made with is refused here, and not with the first order.
  for (const name of ["root", "init", "a-name-too-long-1"]) {
    expect(broken({ extraDisks: [{ ...disk, name }] })).toEqual(["R-PROF-10"]);
  }
  expect(broken({ extraDisks: [{ ...disk, name: "fifteen-letters" }] })).toEqual([]);
});

test("all rules that are broken are named, not only the first", () => {
  expect(
    broken({
      vcpus: 3,
      serviceClass: "core",
      overcommitPercent: 120,
      nicQueues: 8,
      gpu: { model: "T4", count: 2, slice: 4 },
    }),
  ).toEqual(["R-CPU-05", "R-CPU-10", "R-GPU-02", "R-PROF-10"]);
});

test.each(flavorPresets.map(({ name }) => name))("the preset %s breaks no rule", (name) => {
  expect(brokenFlavorRules(preset(name))).toEqual([]);
});

test("R-PROF-01, R-PROF-03: AI training is 16 logical CPUs, 128 GiB in 2Mi pages and two whole GPUs", () => {
  expect(preset("ai-training")).toMatchObject({
    vcpus: 16,
    cpu: { sockets: 1, cores: 8, threads: 2 },
    cpuModel: "host-passthrough",
    memoryMiB: 131_072,
    hugePages: "2Mi",
    gpu: { count: 2, slice: 1 },
    nvlink: true,
    serviceClass: "core",
    placement: { antiAffinity: true },
  });
});

test("R-PROF-07, R-PROF-09: a database has no hyper-threads, 64 GiB in 1Gi pages, no overcommit, no KSM", () => {
  expect(preset("database")).toMatchObject({
    cpu: { sockets: 1, cores: 4, threads: 1 },
    cpuModel: "host-model",
    memoryMiB: 65_536,
    hugePages: "1Gi",
    overcommitPercent: 100,
    pageSharing: false,
    balloon: false,
    serviceClass: "core",
    nicQueues: 4,
    placement: { tolerations: ["database"] },
  });
});
