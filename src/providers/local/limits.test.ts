/** The kernel's files say what it was told; what that does to latency is told in limits.ts. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { cpus, getPriority, tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, onTestFinished, test } from "vitest";

import { createObserver } from "#observe/observer.ts";

import {
  closeLimits,
  dropLimits,
  limitCpu,
  openLimits,
  toBackground,
  type Limits,
} from "./limits.ts";
import { openSite } from "./site.ts";

const directory = await mkdtemp(join(tmpdir(), "millrace-limits-"));
afterAll(() => rm(directory, { recursive: true, force: true }));
const site = await openSite({
  name: "limits",
  dataDirectory: directory,
  log: createObserver({ level: "silent" }).log,
  now: Date.now,
  changed: () => undefined,
});
const limits = await openLimits(site);

/** A session of its own, like a machine; it rests. */
async function newMachine(): Promise<{ readonly pid: number; end(): Promise<void> }> {
  const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
  await once(child, "spawn");
  const ended = once(child, "exit");
  const end = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(end);
  return { pid: child.pid ?? 0, end };
}

const read = async (...path: string[]): Promise<string> =>
  (await readFile(join(...path), "utf8")).trim();

test.runIf(limits.kind === "cgroup")(
  "machines share by their CPUs, are bounded by them, and together weigh an eighth",
  async () => {
    if (limits.kind !== "cgroup") return;
    const [small, large] = [await newMachine(), await newMachine()];
    await limitCpu(limits, "small", { pid: small.pid, vcpus: 1 });
    await limitCpu(limits, "large", { pid: large.pid, vcpus: 3 });
    const v1 = limits.version === 1;
    const weights = ["", "small", "large"].map((name) =>
      read(limits.folder, name, v1 ? "cpu.shares" : "cpu.weight"),
    );
    const one = v1 ? 1024 : 100;
    const together = Math.round((one / 8) * cpus().length);
    expect((await Promise.all(weights)).map(Number)).toEqual([together, one, 3 * one]);
    const quota = await read(limits.folder, "large", v1 ? "cpu.cfs_quota_us" : "cpu.max");
    expect(quota.split(" ")[0]).toBe("350000");
    expect(await read(limits.folder, "large", "cgroup.procs")).toBe(String(large.pid));
    // Grown while it runs.
    await limitCpu(limits, "small", { pid: small.pid, vcpus: 2 });
    const grown = await read(limits.folder, "small", v1 ? "cpu.shares" : "cpu.weight");
    expect(Number(grown)).toBe(2 * one);
    for (const [id, machine] of Object.entries({ small, large })) {
      // oxlint-disable-next-line no-await-in-loop -- two
      await machine.end();
      // oxlint-disable-next-line no-await-in-loop -- two
      await dropLimits(limits, id);
    }
    await closeLimits(limits);
    await expect(read(limits.folder, "cgroup.procs")).rejects.toThrow("ENOENT");
  },
);

test("without a cgroup a machine gets a low priority, as a process and as a session", async () => {
  const priority: Limits = { kind: "priority", because: "this test says so" };
  const machine = await newMachine();
  await limitCpu(priority, "m", { pid: machine.pid, vcpus: 1 });
  expect(getPriority(machine.pid)).toBe(9);
  const session = read("/proc", String(machine.pid), "autogroup");
  expect(await session.catch(() => "not grouped, nice 9")).toMatch(/nice 9$/);
  // Again is harmless.
  await limitCpu(priority, "m", { pid: machine.pid, vcpus: 1 });
  expect(getPriority(machine.pid)).toBe(9);
});

test("what is put in the background weighs little beside everything else, or has the least priority", async () => {
  const { pid } = await newMachine();
  await toBackground(pid);
  const groups = await read(`/proc/${pid}/cgroup`);
  expect([groups.includes("/millrace-builds"), getPriority(pid) === 19]).toContain(true);
  expect(groups.includes("/millrace-builds")).toBe(limits.kind === "cgroup");
});
