import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { numaNodes } from "./numa.ts";

const gib = 2 ** 30;

/** A folder as the kernel shows it. */
function nodes(of: Readonly<Record<string, { cpulist: string; kib: number }>>): string {
  const folder = mkdtempSync(join(tmpdir(), "numa-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "online"), "0-1\n");
  for (const [name, { cpulist, kib }] of Object.entries(of)) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "cpulist"), `${cpulist}\n`);
    const head = `Node ${name.slice(4)} `;
    writeFileSync(
      join(folder, name, "meminfo"),
      `${head}MemTotal:       ${kib} kB\n${head}MemFree: 1 kB\n`,
    );
  }
  return folder;
}

const all = { cpus: 24, memoryBytes: 96 * gib };

test("two sockets, in order of their numbers, with hyper-threads in the second part of the list", () => {
  const folder = nodes({
    node10: { cpulist: "4-7,12-15", kib: 32 * 1024 ** 2 },
    node2: { cpulist: "0-3,8-11,16-23", kib: 64 * 1024 ** 2 },
  });
  expect(numaNodes(all, folder)).toEqual([
    { cpus: 16, memoryBytes: 64 * gib },
    { cpus: 8, memoryBytes: 32 * gib },
  ]);
  // A site that offers half of the machine offers half of each node.
  expect(numaNodes({ cpus: 12, memoryBytes: 48 * gib }, folder)).toEqual([
    { cpus: 8, memoryBytes: 32 * gib },
    { cpus: 4, memoryBytes: 16 * gib },
  ]);
});

test("one node, a node of memory only, or none that is told: nothing to choose", () => {
  const one = { cpulist: "0-23", kib: 96 * 1024 ** 2 };
  expect(numaNodes(all, nodes({ node0: one }))).toEqual([]);
  expect(numaNodes(all, nodes({ node0: one, node1: { cpulist: "", kib: 9 } }))).toEqual([]);
  expect(numaNodes(all, "/nowhere")).toEqual([]);
});
