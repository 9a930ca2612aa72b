import { expect, test } from "vitest";

import type { Shape } from "#kernel/shape.ts";

import { meter, type MeteredTransition } from "./decide.ts";

const shape: Shape = {
  flavor: "nano",
  vcpus: 1,
  cpu: { sockets: 1, cores: 1, threads: 1 },
  memoryMiB: 1024,
  diskGiB: 1,
  gpu: null,
  serviceClass: "standard",
  overcommitPercent: 100,
  hugePages: "none",
  hostLabels: {},
  antiAffinity: false,
  tolerations: [],
  pool: null,
  numa: false,
};

function attempt(
  ...ends: readonly (readonly [MeteredTransition["kind"], Record<string, unknown>])[]
): MeteredTransition[] {
  const all = [["created", {}], ["ready", {}], ["workload_started", {}], ...ends] as const;
  return all.map(([kind, evidence], index) => ({
    seq: index + 1,
    at: 1000 * (index + 1),
    kind,
    shape,
    evidence,
  }));
}

function closes(transitions: readonly MeteredTransition[]): unknown[] {
  return meter("job", [], transitions).filter(({ change }) => change === "close");
}

test.each([
  ["exited", { kind: "exited", exitCode: 1 }, true],
  ["signaled", { kind: "signaled", signal: "SIGKILL" }, true],
  ["timed_out", { kind: "timed_out" }, true],
  ["canceled", { kind: "canceled" }, true],
  ["preempted", { kind: "preempted" }, true],
  ["preempted", { kind: "preempted", detail: "the cluster's queue took it off" }, true],
  ["platform_fault", { kind: "platform_fault", detail: "its node is emptied", moved: true }, false],
  ["platform_fault", { kind: "platform_fault", detail: "host lost" }, false],
] as const)(
  "R-PAYG-3, R-PAYG-7: an attempt that %s is metered while its program ran",
  (name, end, billable) => {
    const changes = meter(
      "job",
      [],
      attempt(["workload_ended", { end }], ["stopped", {}], ["deleted", {}]),
    );
    expect(changes.filter(({ change }) => change === "open")).toMatchObject([
      { interval: { sku: "cpu.core", startedAt: 3000 } },
      { interval: { sku: "mem.gib", startedAt: 3000 } },
    ]);
    expect(changes.filter(({ change }) => change === "close")).toMatchObject([
      { sku: "cpu.core", endedAt: 4000, endReason: name, billable },
      { sku: "mem.gib", endedAt: 4000, endReason: name, billable },
    ]);
  },
);

test("R-PAYG-7: a machine that crashed or was lost is free, whichever of its ends was seen first", () => {
  for (const ends of [
    attempt(
      ["stopped", { reason: "crashed" }],
      ["workload_ended", { end: { kind: "platform_fault" } }],
    ),
    attempt(["workload_ended", { reason: "lost" }]),
    attempt(["deleted", { reason: "lost" }]),
  ]) {
    expect(closes(ends)).toMatchObject([{ billable: false }, { billable: false }]);
  }
});

test("a lease pays for the time before it crashed", () => {
  const [created, ready] = attempt();
  const stopped = {
    seq: 3,
    at: 9000,
    kind: "stopped",
    shape,
    evidence: { reason: "crashed" },
  } as const;
  const transitions = [created, ready, stopped].filter((each) => each !== undefined);
  const closed = meter("lease", [], transitions).filter(({ change }) => change === "close");
  expect(closed).toMatchObject([{ billable: true }, { billable: true }]);
});
