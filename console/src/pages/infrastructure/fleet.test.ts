import { expect, test } from "vitest";

import { amountText, fleetSum, gpuLine, gpuSums, type Gpu, type Host } from "./fleet.ts";

function gpu(change: Partial<Gpu>): Gpu {
  return {
    id: "g0",
    model: "A100",
    memoryMiB: 81_920,
    isolation: "hard",
    slicesMax: 7,
    mode: "mig",
    numaNode: null,
    nvlinkGroup: null,
    resource: null,
    sliceResource: null,
    healthy: true,
    sickBy: [],
    note: null,
    used: 0,
    ...change,
  };
}

function host(change: Partial<Host>): Host {
  return {
    id: "0190c2b4-0000-7000-8000-000000000001",
    name: "h",
    zone: "z",
    pod: "p",
    cluster: "c",
    site: "s",
    execution: "simulated",
    state: "up",
    siteAwaySince: null,
    schedulable: true,
    maintenance: false,
    pool: null,
    cpus: 64,
    cpusUsed: 8,
    memoryMiB: 1024,
    memoryMiBUsed: 512,
    diskGiB: 100,
    diskGiBUsed: 10,
    numa: [],
    gpus: [],
    gpuDriver: null,
    refuses: [],
    seenAt: null,
    ...change,
  };
}

test("free are whole devices that are well, on hosts that take work", () => {
  const sums = gpuSums([
    host({ gpus: [gpu({}), gpu({ used: 0.25 }), gpu({ healthy: false }), gpu({ model: "T4" })] }),
    host({ schedulable: false, gpus: [gpu({})] }),
    host({ state: "down", gpus: [gpu({ used: 1 })] }),
  ]);
  expect(sums).toEqual([
    { model: "A100", devices: 5, free: 1, used: 1.25, sick: 1, closed: 2 },
    { model: "T4", devices: 1, free: 1, used: 0, sick: 0, closed: 0 },
  ]);
});

test("the fleet counts what is up", () => {
  const away = host({ siteAwaySince: "2026-05-04T00:00:00.000Z", gpus: [gpu({})] });
  const hosts = [host({}), host({ schedulable: false }), host({ state: "down" }), away];
  expect(gpuSums([away])).toMatchObject([{ devices: 1, free: 0, closed: 1 }]);
  expect(fleetSum(hosts)).toEqual({
    hosts: 4,
    up: 2,
    down: 1,
    away: 1,
    cordoned: 1,
    cpus: 128,
    cpusUsed: 16,
    memoryMiB: 2048,
    memoryMiBUsed: 1024,
  });
});

test("in words", () => {
  expect(gpuLine([gpu({}), gpu({ model: "T4" }), gpu({})])).toBe("2 × A100, 1 × T4");
  expect(amountText(1 / 7)).toBe("0.14");
  expect(amountText(2)).toBe("2");
});
