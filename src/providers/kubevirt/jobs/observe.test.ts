/** Evictions, gangs and what vanished: whose end is whose, and what is no end. */
import { expect, test } from "vitest";

import { billingOf } from "./ending.ts";
import type { MemberSight } from "./members.ts";
import { kueueSight } from "./observe.ts";
import {
  clock,
  at,
  job,
  workload,
  admitted,
  type PodTold,
  pod,
  ended,
  saying,
  facts,
  preemptedWorkload,
} from "./test-told.ts";

test("preempted by Kueue: who took it back is said, and the pod tells when it ended", () => {
  const told = pod({ deleted: true, main: ended(143, saying("interrupted")) });
  const { members, state } = kueueSight(job(), preemptedWorkload, facts([told]));
  expect(state).toBe("ended");
  expect(members[0]).toMatchObject({
    by: "preemption",
    why: { details: { cause: "InCohortReclamation" } },
    workload: { endedAt: clock + 40_000, end: { kind: "evicted", by: "reclaimed" } },
  });
  expect(members[0]?.why?.message).toContain("took back a share");
});

test("a program that ended by itself just before it was preempted has ended by itself", () => {
  const told = pod({ main: ended(0, saying("exited")) });
  const { members } = kueueSight(job(), preemptedWorkload, facts([told]));
  expect(members[0]).toMatchObject({ by: "program", workload: { end: { exitCode: 0 } } });
});

test("taken off before a program ran is no end: it waits again", () => {
  const timeout = [
    { type: "Evicted", reason: "PodsReadyTimeout", at: 30 },
    { type: "QuotaReserved", status: "False", reason: "Pending", message: "", at: 30 },
  ];
  const again = { requeueState: { requeueAt: at(200) } };
  const waiting = kueueSight(job(), workload(timeout, again), facts([]));
  expect(waiting).toMatchObject({
    state: "waiting",
    condition: { code: "in_line", details: { again: at(200) } },
    members: [{ workload: { state: "pending" } }],
  });
  const stats = {
    schedulingStats: { evictions: [{ reason: "PodsReadyTimeout", underlyingCause: "", count: 1 }] },
  };
  const second = workload([{ ...admitted, at: 210 }], stats);
  const told = pod({ created: 211, main: { running: { startedAt: at(220) } } });
  expect(kueueSight(job(), second, facts([told]))).toMatchObject({ state: "running" });
});

test("one that ran, was preempted and admitted again is over: the second run is not the attempt", () => {
  const stats = {
    schedulingStats: {
      evictions: [{ reason: "Preempted", underlyingCause: "InCohortReclamation", count: 1 }],
    },
  };
  const readmitted = workload([{ ...admitted, at: 45 }], stats);
  const first = pod({ deleted: true, main: ended(137) });
  const second = pod({ created: 46, main: { running: { startedAt: at(50) } } });
  const { members, state } = kueueSight(job(), readmitted, facts([second, first]));
  expect(state).toBe("ended");
  expect(members[0]).toMatchObject({
    pod: "pod-0-2",
    by: "preemption",
    workload: { startedAt: clock + 10_000, endedAt: clock + 40_000 },
  });
});

const takenOff = (reason: string) => {
  const evicted = workload([{ type: "Evicted", reason, at: 30 }], {}, { active: false });
  const told = pod({ deleted: true, main: ended(143) });
  const [member] = kueueSight(job(), evicted, facts([told])).members;
  return [member?.workload.end?.kind, member?.by, member?.why?.code];
};

test("the cluster's own time limit, a stopped queue, members that did not come up", () => {
  expect(takenOff("DeactivatedDueToMaximumExecutionTimeExceeded")).toEqual([
    "timed_out",
    "limit",
    "timed_out",
  ]);
  expect(takenOff("ClusterQueueStopped")).toEqual(["evicted", "platform", "queue_stopped"]);
  expect(takenOff("PodsReadyTimeout")).toEqual(["platform_fault", "platform", "pods_not_ready"]);
  expect(takenOff("NodeFailures")).toEqual(["platform_fault", "platform", "node_lost"]);
  expect(takenOff("Deactivated")).toEqual(["platform_fault", "platform", "evicted"]);
});

const evictions = [
  ["Preempted", "InClusterQueue", "preempted", "preemption"],
  ["Preempted", "InCohortReclamation", "reclaimed", "preemption"],
  ["Preempted", "InCohortFairSharing", "reclaimed", "preemption"],
  ["Preempted", "InCohortReclaimWhileBorrowing", "preempted", "preemption"],
  ["Preempted", "SomethingNew", "preempted", "preemption"],
  ["ClusterQueueStopped", "", "queue", "platform"],
  ["LocalQueueStopped", "", "queue", "platform"],
] as const;

test.each(evictions)("R-PAYG-7: %s by Kueue for %s is an eviction, with its price", (...told) => {
  const [reason, cause, by, doing] = told;
  const seen = workload([
    { type: "Evicted", reason, message: "why", at: 30 },
    ...(cause === "" ? [] : [{ type: "Preempted", reason: cause, message: "why", at: 30 }]),
  ]);
  const ran = pod({ deleted: true, main: ended(143, saying("interrupted")) });
  const [member] = kueueSight(job(), seen, facts([ran])).members;
  expect(member).toMatchObject({ by: doing, workload: { end: { kind: "evicted", by } } });
  expect(billingOf(doing)).toBe(doing === "preemption" ? "billed" : "free");
});

const disrupted = (reason: string) => [{ type: "DisruptionTarget", reason }];

test("R-PAYG-7: who ends because of a member pays if that one pays, and not otherwise", () => {
  const told = pod({ rank: 1, deleted: true, main: ended(143, saying("interrupted")) });
  const second = (first: PodTold) => {
    const pods = [pod(first), told];
    const [, member] = kueueSight(job(), workload([admitted]), facts(pods, { size: 2 })).members;
    return [member?.by, member?.workload.end];
  };
  const drained = { main: ended(143), conditions: disrupted("EvictionByEvictionAPI") };
  expect(second(drained)).toMatchObject(["platform", { kind: "evicted", by: "node" }]);
  const outranked = { main: ended(143), conditions: disrupted("PreemptionByScheduler") };
  expect(second(outranked)).toMatchObject(["preemption", { kind: "evicted", by: "preempted" }]);
  expect(second({ main: ended(1, saying("exited")) })).toEqual([
    "gang",
    { kind: "signaled", signal: "SIGTERM" },
  ]);
  expect(second({ main: ended(124, saying("timed_out")) })).toEqual([
    "gang",
    { kind: "timed_out" },
  ]);
});

test("a gang ends with the member that failed, and is free if the platform lost that one", () => {
  const failed = job({
    type: "Failed",
    reason: "PodFailurePolicy",
    message: "exit code 1",
    at: 41,
  });
  const other = pod({ rank: 1, deleted: true, main: ended(143, saying("interrupted")) });
  const bad = pod({ main: ended(1, saying("exited")) });
  const three = { size: 3 };
  const own = kueueSight(failed, workload([admitted]), facts([bad, other], three)).members;
  expect(own.map(({ by }) => by)).toEqual(["program", "gang", "gang"]);
  expect(own[1]?.why?.message).toContain("member 0");
  const gone = pod({ main: ended(137, { reason: "ContainerStatusUnknown" }) });
  const theirs = kueueSight(failed, workload([admitted]), facts([gone, other], three)).members;
  expect(theirs.map(({ by }) => by)).toEqual(["platform", "platform", "platform"]);
  expect(theirs[2]?.workload).not.toHaveProperty("startedAt");
});

test("an end that was seen stays; a pod that vanished while it ran was lost", () => {
  const before: MemberSight = {
    rank: 0,
    workload: { state: "running", startedAt: clock + 10_000, logBytes: 1 },
    why: null,
  };
  const vanished = kueueSight(job(), workload([admitted]), facts([], { before: [before] }));
  expect(vanished.members[0]).toMatchObject({ by: "platform", why: { code: "pod_gone" } });
  const after = kueueSight(undefined, undefined, facts([], { before: vanished.members }));
  expect(after.members[0]?.why?.code).toBe("pod_gone");
  const deleted = kueueSight(undefined, undefined, facts([], { before: [before] }));
  expect(deleted.members[0]?.why?.code).toBe("job_gone");
});
