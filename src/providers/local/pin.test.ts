import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { present } from "#kernel/assert.ts";

import { cpusOfNode } from "./numa.ts";
import { cpusAllowed, demandPinning, keepOnCpus } from "./pin.ts";

/** A process that rests until the test is over. */
function rests(): number {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return present(child.pid, "a process");
}

test("R-CPU-03: a process keeps to the CPUs that it is given, and so does what it starts", async () => {
  const pid = rests();
  const all = present(await cpusAllowed(pid), "its CPUs");
  const first = present(/^[0-9]+/.exec(all)?.[0], "a CPU");
  await keepOnCpus(pid, first);
  expect(await cpusAllowed(pid)).toBe(first);
  await keepOnCpus(pid, all);
  expect(await cpusAllowed(pid)).toBe(all);
});

test("one that is not there, or a CPU that is not, is an error", async () => {
  const pid = rests();
  await expect(keepOnCpus(pid, "8191")).rejects.toThrow(/taskset/);
  expect(await cpusAllowed(2 ** 22 + 1)).toBeUndefined();
});

test("the node is one of those that the host shows, by its place among them", () => {
  const folder = mkdtempSync(join(tmpdir(), "numa-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const lists = { node0: "", node1: "0-3,8-11", node4: "4-7" };
  for (const [name, cpulist] of Object.entries(lists)) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "cpulist"), `${cpulist}\n`);
    writeFileSync(join(folder, name, "meminfo"), "Node 0 MemTotal:  1024 kB\n");
  }
  // One without CPUs is no place for a machine and is not shown.
  expect([0, 1, 2].map((index) => cpusOfNode(index, folder))).toEqual([
    "0-3,8-11",
    "4-7",
    undefined,
  ]);
});

test("what this machine cannot do is refused with the reason", () => {
  const no = { can: false, because: "of that" } as const;
  const neither = { numaPinning: no, exclusiveCpus: no };
  expect(() => demandPinning({ numaNode: 0 }, neither)).toThrow("of that");
  expect(() => demandPinning({ exclusive: true }, neither)).toThrow("of that");
  expect(() => demandPinning({}, neither)).not.toThrow();
  expect(() => demandPinning(undefined, neither)).not.toThrow();
});
