import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";

import { openDataDirectory } from "#config/data-directory.ts";
import { startEmbedded } from "#db/embedded.ts";

import type { Facts } from "./facts.ts";
import { gather, readPages } from "./gather.ts";
import { judge, verdictOf, type Finding } from "./judge.ts";
import { executionWithoutProbe } from "./probe.ts";
import { reportJson, reportText } from "./report.ts";

vi.setConfig({ testTimeout: 60_000 });
const scratch = await mkdtemp(join(tmpdir(), "millrace-doctor-"));
await chmod(scratch, 0o711);
afterAll(() => rm(scratch, { recursive: true, force: true }));

const gibibyte = 1024 ** 3;
const healthy: Facts = {
  node: "v24.21.0",
  qemu: "QEMU emulator version 7.2.0",
  missing: [],
  kvmDevice: "open",
  execution: { kind: "kvm", reason: "the probe machine booted in 0.4 s" },
  cgroup: 2,
  cgroupWritable: true,
  cpus: 8,
  memoryBytes: { total: 32 * gibibyte, available: 16 * gibibyte },
  port: { number: 7272, takenBy: "nobody" },
  data: {
    path: "/srv/millrace",
    isThere: true,
    writable: true,
    closedAt: undefined,
    openParts: [],
    freeBytes: 100 * gibibyte,
    lockedBy: undefined,
  },
  database: {
    kind: "answers",
    where: "embedded",
    version: 180_004,
    checksums: true,
    durable: true,
    keptMachines: 0,
    sites: [],
  },
};
const wholePages = { pages: 4_000, damaged: [] };

describe("judging", () => {
  test("a machine in order has nothing to do", () => {
    const findings = judge(healthy, wholePages);
    expect(verdictOf(findings)).toBe("ok");
    expect(findings.filter(({ todo }) => todo !== undefined)).toEqual([]);
  });

  const data = healthy.data;
  const answers = {
    kind: "answers",
    where: "external",
    version: 180_004,
    keptMachines: 0,
    sites: [],
  } as const;
  const cluster = {
    name: "dc-1",
    kind: "kubevirt",
    version: "v1.9.0",
    reachable: true,
    trouble: null,
    seenAt: new Date(Date.UTC(2026, 4, 4)),
    isAway: false,
    findings: [],
  };
  test.for<[string, Partial<Facts>, Finding["verdict"], RegExp]>([
    ["an old Node", { node: "v22.1.0" }, "problem", /npm start/],
    [
      "no QEMU",
      { qemu: undefined, missing: [{ package: "qemu-system-x86", reason: "runs machines" }] },
      "problem",
      /apt-get install .*qemu-system-x86$/m,
    ],
    [
      "no KVM",
      { kvmDevice: "absent", execution: { kind: "emulated", reason: "there is no /dev/kvm" } },
      "warning",
      /nested/,
    ],
    [
      "a KVM that is closed",
      { kvmDevice: "closed", execution: { kind: "emulated", reason: "closed" } },
      "warning",
      /usermod -aG kvm/,
    ],
    ["no cgroup", { cgroup: undefined, cgroupWritable: false }, "warning", /lower priority/],
    ["a busy port", { port: { number: 80, takenBy: "another" } }, "problem", /--port/],
    ["our own port", { port: { number: 80, takenBy: "millrace" } }, "ok", /answers on it/],
    [
      "little memory",
      { memoryBytes: { total: gibibyte, available: gibibyte / 4 } },
      "problem",
      /half a gigabyte/,
    ],
    ["a full disk", { data: { ...data, freeBytes: 1_000 } }, "problem", /0\.0 GiB free/],
    ["a closed way", { data: { ...data, closedAt: "/root" } }, "problem", /chmod o\+x \/root/],
    [
      "open keys",
      { data: { ...data, openParts: ["/d/keys"] } },
      "problem",
      /chmod go-rwx \/d\/keys/,
    ],
    ["foreign data", { data: { ...data, writable: false } }, "problem", /run as its owner/],
    [
      "an old database",
      { database: { ...answers, version: 150_002, checksums: true, durable: true } },
      "problem",
      /PostgreSQL 16 or newer/,
    ],
    [
      "a forgetful database",
      { database: { ...answers, checksums: true, durable: false } },
      "problem",
      /fsync/,
    ],
    [
      "no checksums",
      { database: { ...answers, checksums: false, durable: true } },
      "warning",
      /pg_checksums/,
    ],
    [
      "machines that the database does not know",
      { database: { ...answers, checksums: true, durable: true, keptMachines: 2 } },
      "problem",
      /2 at a platform.*\n.*millrace orphan list/,
    ],
    [
      "a platform that lacks something",
      {
        database: {
          ...answers,
          checksums: true,
          durable: true,
          sites: [
            {
              ...cluster,
              findings: [
                {
                  severity: "problem",
                  message: "no CDI: no machine can run",
                  advice: "Install it.",
                },
              ],
            },
          ],
        },
      },
      "problem",
      /Site dc-1 +no CDI: no machine can run\n.*Install it\./,
    ],
    [
      "a platform that does not answer",
      {
        database: {
          ...answers,
          checksums: true,
          durable: true,
          sites: [{ ...cluster, reachable: false, trouble: "no KubeVirt" }],
        },
      },
      "problem",
      /Site dc-1 +cannot be used: no KubeVirt/,
    ],
    [
      "a platform that no process looks at",
      {
        database: {
          ...answers,
          checksums: true,
          durable: true,
          sites: [{ ...cluster, isAway: true }],
        },
      },
      "problem",
      /Site dc-1 +no process looks at it; away since 2026-05-04T00:00:00.000Z\n.*--role work/,
    ],
    [
      "a silent database",
      { database: { kind: "unreachable", where: "the external database", reason: "refused" } },
      "problem",
      /does not answer: refused/,
    ],
  ])("%s", ([, change, verdict, says]) => {
    const findings = judge({ ...healthy, ...change }, wholePages);
    expect(verdictOf(findings)).toBe(verdict);
    expect(reportText(findings)).toMatch(says);
    const todos = findings.filter((finding) => finding.verdict !== "ok");
    expect(todos.every(({ todo }) => todo !== undefined)).toBe(true);
  });

  test("damaged pages", () => {
    const findings = judge(healthy, { pages: 10, damaged: ["base/5/16384 block 3"] });
    expect(verdictOf(findings)).toBe("problem");
    expect(reportText(findings)).toMatch(/base\/5\/16384 block 3[^]*millrace restore/);
  });

  test("the presence of /dev/kvm proves nothing, its absence does", () => {
    expect(executionWithoutProbe("open", true).kind).toBe("unknown");
    expect(executionWithoutProbe("absent", true).kind).toBe("emulated");
    expect(executionWithoutProbe("open", false).kind).toBe("unknown");
  });
});

test("looking at this machine, before and after the first start", async () => {
  const port = 1;
  const path = join(scratch, "data");
  const before = await gather({
    dataDirectory: path,
    databaseUrl: undefined,
    imageCache: scratch,
    port,
  });
  expect(before.data).toMatchObject({ isThere: false, writable: true });
  expect(before.database).toEqual({ kind: "none" });
  expect(before.port.takenBy).toBe("nobody");

  const directory = await openDataDirectory(path);
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const { signal } = new AbortController();
  const embedded = await startEmbedded({ directory: directory.postgres, log, signal });
  const running = await gather({
    dataDirectory: path,
    databaseUrl: undefined,
    imageCache: scratch,
    port,
  });
  expect(running.data).toMatchObject({ isThere: true, lockedBy: process.pid, openParts: [] });
  expect(running.database).toMatchObject({ kind: "answers", checksums: true, durable: true });
  expect(await readPages(path, running.database, signal)).toMatchObject({ damaged: [] });
  const report: unknown = JSON.parse(reportJson(judge(running, { because: "not asked" })));
  expect(report).toMatchObject({ findings: expect.arrayContaining([]) });
  await embedded.stop();
  await directory.close();
  const stopped = await gather({
    dataDirectory: path,
    databaseUrl: undefined,
    imageCache: scratch,
    port,
  });
  expect(stopped.database).toEqual({ kind: "stopped" });
  expect(await readPages(path, stopped.database, signal)).toMatchObject({ damaged: [] });
});

test("whoever listens on the port is told apart, and open keys are seen", async () => {
  const path = join(scratch, "open");
  await mkdir(join(path, "keys"), { recursive: true });
  await chmod(join(path, "keys"), 0o755);
  const server = createServer((_request, response) => response.end("hello"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const facts = await gather({
    dataDirectory: path,
    databaseUrl: undefined,
    imageCache: scratch,
    port,
  });
  expect(facts.port.takenBy).toBe("another");
  expect(facts.data.openParts).toEqual([join(path, "keys")]);
  server.close();
});
