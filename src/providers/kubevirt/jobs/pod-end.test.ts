/** How an attempt of one member ends: by whose doing, when, and what that costs. */
import { expect, test } from "vitest";

import { billingOf, type EndedBy } from "./ending.ts";
import { kueueSight } from "./observe.ts";
import {
  clock,
  at,
  job,
  workload,
  admitted,
  pod,
  running,
  ended,
  saying,
  facts,
} from "./test-told.ts";

type Case = readonly [string, ReturnType<typeof pod>, object, EndedBy];
const cases: readonly Case[] = [
  [
    "an exit",
    pod({ main: ended(3, saying("exited")) }),
    { kind: "exited", exitCode: 3 },
    "program",
  ],
  [
    "success",
    pod({ phase: "Succeeded", main: ended(0, saying("exited")) }),
    { kind: "exited", exitCode: 0 },
    "program",
  ],
  [
    "SIGTERM by itself",
    pod({ main: ended(143, saying("signaled")) }),
    { kind: "signaled", signal: "SIGTERM" },
    "program",
  ],
  [
    "SIGKILL without a word",
    pod({ main: ended(137) }),
    { kind: "signaled", signal: "SIGKILL" },
    "program",
  ],
  [
    "SIGABRT by its usual name",
    pod({ main: ended(134) }),
    { kind: "signaled", signal: "SIGABRT" },
    "program",
  ],
  [
    "too much memory",
    pod({ main: ended(137, { reason: "OOMKilled" }) }),
    { kind: "signaled", signal: "SIGKILL" },
    "program",
  ],
  [
    "too much disk",
    pod({
      phase: "Failed",
      reason: "Evicted",
      message: 'Usage of EmptyDir volume "work" exceeds the limit "1Gi".',
      main: ended(137),
    }),
    { kind: "signaled", signal: "SIGKILL" },
    "program",
  ],
  [
    "its own time limit",
    pod({ main: ended(124, saying("timed_out")) }),
    { kind: "timed_out" },
    "limit",
  ],
  [
    "the pod's deadline",
    pod({ phase: "Failed", reason: "DeadlineExceeded", main: ended(137) }),
    { kind: "timed_out" },
    "limit",
  ],
  [
    "a node that is lost",
    pod({
      main: running,
      conditions: [{ type: "DisruptionTarget", reason: "DeletionByTaintManager", at: 60 }],
    }),
    { kind: "platform_fault" },
    "platform",
  ],
  [
    "a status nobody knows",
    pod({ main: ended(137, { reason: "ContainerStatusUnknown" }) }),
    { kind: "platform_fault" },
    "platform",
  ],
  [
    "a drain",
    pod({
      main: ended(143, saying("interrupted")),
      conditions: [{ type: "DisruptionTarget", reason: "EvictionByEvictionAPI" }],
    }),
    { kind: "evicted", by: "node" },
    "platform",
  ],
  [
    "pressure on the node",
    pod({
      phase: "Failed",
      reason: "Evicted",
      message: "The node was low on resource: memory.",
      main: ended(137),
      conditions: [{ type: "DisruptionTarget", reason: "TerminationByKubelet" }],
    }),
    { kind: "platform_fault" },
    "platform",
  ],
  [
    "a pod of higher priority",
    pod({
      main: ended(143, saying("interrupted")),
      conditions: [{ type: "DisruptionTarget", reason: "PreemptionByScheduler" }],
    }),
    { kind: "evicted", by: "preempted" },
    "preemption",
  ],
  [
    "an order",
    pod({ deleted: true, main: ended(143, saying("interrupted")) }),
    { kind: "interrupted" },
    "order",
  ],
  [
    "an order that it did not follow",
    pod({ deleted: true, main: ended(137) }),
    { kind: "interrupted" },
    "order",
  ],
  [
    "inputs that did not come",
    pod({ phase: "Failed", fetch: ended(75) }),
    { kind: "platform_fault" },
    "platform",
  ],
  [
    "an attempt that was over",
    pod({ phase: "Failed", fetch: ended(76) }),
    { kind: "interrupted" },
    "order",
  ],
  [
    "a container that did not start",
    pod({ phase: "Failed", main: ended(128, { reason: "StartError", startedAt: at(10) }) }),
    { kind: "platform_fault" },
    "platform",
  ],
  [
    "a pod its node refused",
    pod({ phase: "Failed", reason: "UnexpectedAdmissionError" }),
    { kind: "platform_fault" },
    "platform",
  ],
];

test.each(cases)("R-PAYG-7: %s", (_, told, end, by) => {
  const { members, state } = kueueSight(job(), workload([admitted]), facts([told]));
  expect(state).toBe("ended");
  expect(members[0]?.workload.end).toMatchObject(end);
  expect(members[0]?.by).toBe(by);
  expect(members[0]?.workload.logBytes).toBe(5);
});

test("R-PAYG-7: what the platform did is free, an order's price is the order's, all else is billed", () => {
  const all: readonly EndedBy[] = ["program", "limit", "preemption", "gang", "platform", "order"];
  expect(all.map(billingOf)).toEqual([
    "billed",
    "billed",
    "billed",
    "billed",
    "free",
    "as-ordered",
  ]);
});

test("no word of the customer's container makes an attempt free", () => {
  const forged = JSON.stringify({ end: "platform_fault", detail: "node lost", by: "platform" });
  const told = pod({ main: ended(1, { message: forged }) });
  const { members } = kueueSight(job(), workload([admitted]), facts([told]));
  expect(members[0]).toMatchObject({ by: "program", workload: { end: { kind: "exited" } } });
});

test("times are the node's: from when the program ran to when it ended", () => {
  const told = pod({ main: ended(0, saying("exited")) });
  const { members, transitions } = kueueSight(job(), workload([admitted]), facts([told]));
  expect(members[0]?.workload).toMatchObject({
    startedAt: clock + 10_000,
    endedAt: clock + 40_000,
  });
  expect(transitions).toEqual([
    {
      key: `u/admitted/${clock + 1000}`,
      kind: "admitted",
      at: clock + 1000,
      object: "Workload p/x",
      resourceVersion: "7",
    },
    {
      key: "uid-0-2/started",
      kind: "started",
      at: clock + 10_000,
      rank: 0,
      object: "Pod p/pod-0-2",
      resourceVersion: "9",
    },
    {
      key: "uid-0-2/ended",
      kind: "ended",
      at: clock + 40_000,
      rank: 0,
      object: "Pod p/pod-0-2",
      resourceVersion: "9",
    },
  ]);
});

test("a watcher that was away, or looks twice, tells the same transitions under the same keys", () => {
  const looks = [
    pod({ main: running }),
    pod({ main: ended(0, saying("exited")) }),
    pod({ deleted: true, main: ended(0, saying("exited")) }),
  ].map((told) => kueueSight(job(), workload([admitted]), facts([told])).transitions);
  const known = new Map(looks.flat().map((each) => [each.key, each.at]));
  expect([...known]).toEqual([
    [`u/admitted/${clock + 1000}`, clock + 1000],
    ["uid-0-2/started", clock + 10_000],
    ["uid-0-2/ended", clock + 40_000],
  ]);
  // Whoever was away all the time reads as much from the last look.
  expect(looks.at(-1)?.map(({ key }) => key)).toEqual([...known.keys()]);
});
