import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";

import type { Call, MachineSpec, Owner, ReadCall } from "#providers/provider.ts";

import { gpuHost, parseGpus } from "./hosts.ts";
import { ManualClock } from "./manual-clock.ts";
import { openSimulated, type SimulatedProvider } from "./provider.ts";

const gib = 1024 ** 3;
const owner: Owner = { tenantId: "t", projectId: "p", resourceId: "r" };
const read: ReadCall = { signal: new AbortController().signal };
const directories: string[] = [];
const call = (operationId: string): Call => ({ ...read, operationId, owner });

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function spec(id: string, overrides: Partial<MachineSpec> = {}): MachineSpec {
  return {
    id,
    name: "a",
    hostId: "gpu-1",
    image: "tiny",
    cpu: { sockets: 1, cores: 2, threads: 1 },
    memoryBytes: gib,
    diskBytes: gib,
    gpus: [],
    serviceClass: "core",
    network: "n",
    loginUser: "root",
    sshKeys: [],
    owner,
    ...overrides,
  };
}

function open(directory?: string): { provider: SimulatedProvider; clock: ManualClock } {
  const clock = new ManualClock();
  const provider = openSimulated({
    site: "somewhere",
    hosts: [gpuHost("gpu-1", "A100=2,T4=1")],
    clock,
    latencies: { createMs: 1000, bootMs: 5000, shutdownMs: 500 },
    ...(directory === undefined ? {} : { directory }),
  });
  return { provider, clock };
}

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), "simulated-"));
  directories.push(directory);
  return directory;
}

test("R-GPU-10: A100=8,T4=16 becomes one host with those devices", () => {
  const host = gpuHost("gpu-1", "A100=8,T4=16");
  expect(host.gpus.filter((gpu) => gpu.model === "A100")).toHaveLength(8);
  expect(host.gpus.filter((gpu) => gpu.model === "T4")).toHaveLength(16);
  expect(new Set(host.gpus.map((gpu) => gpu.id)).size).toBe(24);
  expect(host.labels).toEqual({ simulated: "true" });
});

test.each(["", "A100", "A100=0", "A100=-1", "A100=8,A100=1", "A100=8;T4=1", "A100=9999", "=8"])(
  "%j is not a description of GPUs",
  (text) => {
    expect(() => parseGpus(text)).toThrow(/simulated GPUs/);
  },
);

test("a machine is on after the time of creation and ready after the time of boot", async () => {
  const { provider, clock } = open();
  const ref = await provider.create(call("o1"), spec("m1"));
  expect(await provider.operation(read, ref)).toMatchObject({ state: "running" });
  await clock.advance(1000);
  expect(await provider.operation(read, ref)).toMatchObject({ state: "done" });
  expect(await provider.machine(read, "m1")).toMatchObject({
    power: { value: "running" },
    guest: { ready: false },
  });
  await clock.advance(5000);
  expect(await provider.machine(read, "m1")).toMatchObject({
    guest: { ready: true, readyAt: clock.now() },
    endpoints: [],
  });
});

test("R-GPU-01: a GPU that one machine holds is refused to another, and free when it is off", async () => {
  const { provider } = open();
  const gpus = [{ deviceId: "a100-0", model: "A100", slice: 1 }];
  await provider.create(call("o1"), spec("m1", { gpus }));
  const refusal = { code: "capacity", effect: "none" };
  await expect(provider.create(call("o2"), spec("m2", { gpus }))).rejects.toMatchObject(refusal);
  await provider.power(call("o3"), "m1", { to: "stop" });
  await provider.create(call("o4"), spec("m2", { gpus }));
  await expect(provider.power(call("o5"), "m1", { to: "start" })).rejects.toMatchObject(refusal);
});

function slice(n: number): Pick<MachineSpec, "gpus"> {
  return { gpus: [{ deviceId: "a100-0", model: "A100", slice: n }] };
}

test("R-CPU-11: what is bound to a NUMA node fits on it, whatever is free elsewhere", async () => {
  const { provider } = open();
  const half = { cpu: { sockets: 1, cores: 16, threads: 1 } };
  const pinned = (numaNode: number): Partial<MachineSpec> => ({ ...half, pinning: { numaNode } });
  // Two nodes of 24 CPUs each.
  await provider.create(call("c1"), spec("a", pinned(0)));
  await expect(provider.create(call("c2"), spec("b", pinned(0)))).rejects.toMatchObject({
    code: "capacity",
    message: "CPU of NUMA node 0: 16 asked, of 24",
  });
  await provider.create(call("c3"), spec("b", pinned(1)));
  await expect(provider.create(call("c4"), spec("c", pinned(2)))).rejects.toMatchObject({
    code: "refused",
  });
  await provider.create(call("c5"), spec("c", half));
});

test("R-GPU-02: slices of a device sum to at most one", async () => {
  const { provider } = open();
  await provider.create(call("o1"), spec("m1", slice(3)));
  await provider.create(call("o2"), spec("m2", slice(3)));
  await provider.create(call("o3"), spec("m3", slice(4)));
  await expect(provider.create(call("o4"), spec("m4", slice(7)))).rejects.toMatchObject({
    code: "capacity",
  });
  await expect(provider.create(call("o5"), spec("m5", slice(8)))).rejects.toMatchObject({
    code: "refused",
  });
});

test("the world survives in its directory, and machines go on while nobody looks", async () => {
  const directory = temporary();
  const { provider, clock } = open(directory);
  await provider.create(call("o1"), spec("m1"));
  await provider.close();
  const next = openSimulated({
    site: "somewhere",
    hosts: provider.platform.hosts,
    directory,
    clock,
    latencies: provider.platform.latencies,
  });
  await clock.advance(10_000);
  expect(await next.machine(read, "m1")).toMatchObject({ guest: { ready: true } });
  expect(readdirSync(directory)).toEqual(["world.2.json"]);
});

test("a world that cannot be read or written is said to be so, and nothing has happened", async () => {
  const directory = temporary();
  const { provider } = open(directory);
  await provider.create(call("o1"), spec("m1"));
  writeFileSync(join(directory, "world.7.json"), '{"format":"millra');
  const failure = { name: "ProviderError", code: "unavailable", effect: "none" };
  await expect(provider.machines(read)).rejects.toMatchObject(failure);
  await expect(provider.delete(call("o2"), "m1")).rejects.toMatchObject(failure);
  rmSync(join(directory, "world.7.json"));
  expect((await provider.machines(read)).items).toHaveLength(1);
  // Not a permission, which root ignores: a directory where the draft should be written.
  mkdirSync(join(directory, `draft.${process.pid}.json`));
  await expect(provider.delete(call("o3"), "m1")).rejects.toMatchObject(failure);
  expect((await provider.machines(read)).items).toHaveLength(1);
});

test("two drivers on one directory see each other and never give one GPU twice", async () => {
  const directory = temporary();
  const [a, b] = [open(directory).provider, open(directory).provider];
  const gpus = [{ deviceId: "t4-0", model: "T4", slice: 1 }];
  const outcomes = await Promise.allSettled(
    [a, b, a, b].map((each, index) => each.create(call(`o${index}`), spec(`m${index}`, { gpus }))),
  );
  expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
  expect((await b.machines(read)).items).toHaveLength(1);
  expect((await a.machines(read)).items).toHaveLength(1);
});

test("a clock that steps back an hour takes no time back", async () => {
  const { provider, clock } = open();
  await provider.create(call("o1"), spec("m1"));
  await clock.advance(2000);
  const before = await provider.machine(read, "m1");
  clock.stepBack(3_600_000);
  await provider.machines(read);
  await clock.advance(4000);
  const after = await provider.machine(read, "m1");
  expect(after?.powerSince).toBe(before?.powerSince);
  expect(after?.guest.ready).toBe(true);
  expect(after?.power.at).toBeGreaterThanOrEqual(before?.power.at ?? Infinity);
});

test("a host that goes down hides its machines; back again, they crashed when it went", async () => {
  const { provider, clock } = open();
  const workload = {
    command: ["train"],
    environment: { SIMULATE_SECONDS: "60" },
    timeLimitSeconds: 100,
    logBytesMax: 10_000,
    resultsBytesMax: 10_000,
  };
  await provider.create(call("o1"), spec("m1", { workload }));
  await clock.advance(10_000);
  const downAt = clock.now();
  provider.platform.hostDown("gpu-1");
  await clock.advance(100_000);
  expect((await provider.machines(read)).complete).toBe(true);
  expect(await provider.machine(read, "m1")).toMatchObject({
    power: { value: "unknown" },
    powerSince: downAt,
    workload: { state: "running" },
  });
  await expect(provider.delete(call("o2"), "m1")).rejects.toMatchObject({
    code: "unavailable",
    effect: "none",
  });
  provider.platform.hostUp("gpu-1");
  expect(await provider.machine(read, "m1")).toMatchObject({
    power: { value: "stopped" },
    powerSince: downAt,
    stop: { reason: "crashed", at: downAt },
    workload: { state: "ended", end: { kind: "platform_fault" } },
  });
});

test("a paused machine makes no progress", async () => {
  const { provider, clock } = open();
  const workload = {
    command: ["train"],
    environment: { SIMULATE_SECONDS: "10", SIMULATE_LINES: "10" },
    timeLimitSeconds: 100,
    logBytesMax: 10_000,
    resultsBytesMax: 10_000,
  };
  await provider.create(call("o1"), spec("m1", { workload }));
  await clock.advance(6000 + 5000);
  await provider.power(call("o2"), "m1", { to: "pause" });
  const log = async (): Promise<string> =>
    String(await provider.workloadLog(read, "m1", { offset: 0, bytesMax: 10_000 }));
  const before = await log();
  await clock.advance(60_000);
  expect(await log()).toBe(before);
  expect(before).toContain("line 5 of 10\n");
  await provider.power(call("o3"), "m1", { to: "resume" });
  await clock.advance(5000);
  expect((await provider.machine(read, "m1"))?.workload).toMatchObject({
    end: { kind: "exited", exitCode: 0 },
    endedAt: clock.now(),
  });
});
