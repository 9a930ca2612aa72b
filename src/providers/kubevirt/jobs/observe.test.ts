import { expect, test } from "vitest";

import { shortages } from "./admission.ts";
import { judgeJobs } from "./doctor.ts";
import { billingOf, type EndedBy } from "./ending.ts";
import type { MemberSight } from "./members.ts";
import { kueueSight, type SightFacts, volcanoSight } from "./observe.ts";
import { read } from "./seen.ts";

const clock = Date.parse("2026-11-21T12:00:00Z");
const at = (seconds: number) => new Date(clock + seconds * 1000).toISOString();

interface Condition {
  readonly type: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly at?: number;
}

const conditions = (all: readonly Condition[]) =>
  all.map(({ at: seconds = 0, ...rest }) => ({
    status: "True",
    ...rest,
    lastTransitionTime: at(seconds),
  }));

const metadata = { name: "x", namespace: "p", uid: "u", resourceVersion: "7" };
const job = (...all: readonly Condition[]) =>
  read.job({ metadata, spec: {}, status: { conditions: conditions(all) } });
const workload = (all: readonly Condition[], status: object = {}, spec: object = {}) =>
  read.workload({ metadata, spec, status: { conditions: conditions(all), ...status } });
const admitted: Condition = { type: "Admitted", reason: "Admitted", at: 1 };

interface PodTold {
  readonly rank?: number;
  readonly created?: number;
  readonly deleted?: boolean;
  readonly phase?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly conditions?: readonly Condition[];
  readonly fetch?: object;
  readonly main?: object;
}

function pod(told: PodTold) {
  const { rank = 0, created = 2, phase = "Running", reason = "", message = "" } = told;
  return read.pod({
    metadata: {
      name: `pod-${rank}-${created}`,
      namespace: "p",
      uid: `uid-${rank}-${created}`,
      resourceVersion: "9",
      creationTimestamp: at(created),
      ...(told.deleted === true ? { deletionTimestamp: at(50) } : {}),
      annotations: { "batch.kubernetes.io/job-completion-index": String(rank) },
    },
    spec: { nodeName: "n1" },
    status: {
      phase,
      reason,
      message,
      conditions: conditions(told.conditions ?? []),
      initContainerStatuses: told.fetch === undefined ? [] : [{ name: "fetch", state: told.fetch }],
      containerStatuses: told.main === undefined ? [] : [{ name: "main", state: told.main }],
    },
  });
}

const running = { running: { startedAt: at(10) } };
const ended = (exitCode: number, more: object = {}) => ({
  terminated: { exitCode, startedAt: at(10), finishedAt: at(40), ...more },
});
const saying = (end: string) => ({ message: JSON.stringify({ end, code: 0 }) });

const facts = (pods: SightFacts["pods"], more: Partial<SightFacts> = {}): SightFacts => ({
  size: 1,
  pods,
  before: [],
  now: clock + 100_000,
  logBytes: () => 5,
  ...more,
});

const preemptedWorkload = workload([
  { type: "Evicted", reason: "Preempted", message: "Preempted to accommodate", at: 30 },
  { type: "Preempted", reason: "InCohortReclamation", message: "Preempted to accommodate", at: 30 },
]);

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

const waits = (reason: string, message: string) =>
  kueueSight(
    job(),
    workload([{ type: "QuotaReserved", status: "False", reason, message }]),
    facts([]),
  ).condition;

test("what it waits for is said: which quota, and how much of it", () => {
  const message =
    "couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor a100-80g, 4 more needed, insufficient unused quota for memory in flavor a100-80g, 2Gi more needed. Pending the preemption of 1 workload(s)";
  expect(shortages(message)).toEqual([
    { resource: "nvidia.com/gpu", flavor: "a100-80g", needed: "4" },
    { resource: "memory", flavor: "a100-80g", needed: "2Gi" },
  ]);
  expect(waits("Pending", message)?.message).toBe(
    "It waits for quota: 4 more of nvidia.com/gpu (a100-80g), 2Gi more of memory (a100-80g) are needed, and other work is making room.",
  );
  const never =
    "couldn't assign flavors to pod set main: insufficient quota for nvidia.com/gpu in flavor a100-80g, previously considered podsets requests (0) + current podset request (16) > maximum capacity (8)";
  expect(waits("Pending", never)).toMatchObject({ code: "over_quota", for: "customer" });
  expect(waits("Inadmissible", "ClusterQueue t-1 is inactive")).toMatchObject({
    code: "queue_closed",
  });
  expect(waits("Pending", "")).toMatchObject({ code: "in_line", for: "nobody" });
  expect(kueueSight(job(), undefined, facts([])).condition?.code).toBe("not_seen_yet");
});

const starting = (told: PodTold) =>
  kueueSight(job(), workload([admitted]), facts([pod({ phase: "Pending", ...told })]));

test("what a pod that was let in hangs on is said", () => {
  const pulling = { waiting: { reason: "ImagePullBackOff", message: "not found" } };
  expect(starting({ main: pulling })).toMatchObject({
    state: "starting",
    condition: { code: "image_not_pulled", for: "operator" },
  });
  expect(starting({ fetch: running }).condition?.message).toBe("It fetches its inputs.");
  const message = "0/2 nodes are available: 2 Insufficient nvidia.com/gpu.";
  const unscheduled = { type: "PodScheduled", status: "False", reason: "Unschedulable", message };
  expect(starting({ conditions: [unscheduled] }).condition?.message).toContain("the member");
});

const volcano = (phase: string) =>
  read.volcanoJob({ metadata, status: { state: { phase, lastTransitionTime: at(60) } } });
const group = (phase: string) =>
  read.podGroup({
    metadata,
    status: {
      phase,
      conditions: conditions([
        { type: "Unschedulable", message: "3/4 tasks in gang unschedulable" },
      ]),
    },
  });

test("Volcano: a queue without room, a gang that waits, an eviction, an end", () => {
  expect(volcanoSight(volcano("Pending"), group("Pending"), facts([])).condition?.code).toBe(
    "quota",
  );
  const waiting = volcanoSight(volcano("Pending"), group("Inqueue"), facts([]));
  expect(waiting.condition?.message).toContain("3/4 tasks");
  const evicted = pod({
    deleted: true,
    main: ended(143, saying("interrupted")),
    conditions: [
      { type: "Ready", status: "False", reason: "Evict", message: "because of reclaim" },
    ],
  });
  const over = volcanoSight(volcano("Terminated"), group("Running"), facts([evicted]));
  expect(over).toMatchObject({ state: "ended", members: [{ by: "preemption" }] });
  const plain = pod({ deleted: true, main: ended(143, saying("interrupted")) });
  const byEvent = { evictSaid: "Pod is evicted, because of reclaim" };
  expect(
    volcanoSight(volcano("Terminated"), group("Running"), facts([plain], byEvent)).members[0]?.by,
  ).toBe("preemption");
  const done = pod({ main: ended(0, saying("exited")) });
  expect(volcanoSight(volcano("Completed"), group("Completed"), facts([done]))).toMatchObject({
    state: "ended",
    members: [{ by: "program" }],
  });
  expect(volcanoSight(undefined, undefined, facts([])).condition?.code).toBe("not_seen_yet");
});

const groups = (...all: readonly (readonly [string, readonly string[]])[]) => new Map(all);
const batch = ["batch", ["v1"]] as const;

test("doctor: what the cluster lacks for jobs, and what to do", () => {
  const kueue = { batch: "kueue", sharesByHami: false } as const;
  const [missing] = judgeJobs({ ...kueue, groups: groups(batch) });
  expect(missing).toMatchObject({ level: "problem", what: "Kueue" });
  const [older] = judgeJobs({ ...kueue, groups: groups(batch, ["kueue.x-k8s.io", ["v1beta1"]]) });
  expect(older?.message).toContain("older");
  const there = groups(batch, ["kueue.x-k8s.io", ["v1beta1", "v1beta2"]]);
  expect(judgeJobs({ ...kueue, groups: there })).toMatchObject([{ level: "ok" }]);
  const loose = judgeJobs({
    ...kueue,
    groups: there,
    waitForPodsReady: false,
    kueueAnswers: false,
  });
  expect(loose.map(({ level }) => level)).toEqual(["ok", "problem", "notice"]);
  expect(judgeJobs({ ...kueue, groups: there, sharesByHami: true })).toMatchObject([
    { level: "ok" },
    { what: "HAMi", level: "problem" },
  ]);
  const byVolcano = { batch: "volcano", sharesByHami: true } as const;
  expect(judgeJobs({ ...byVolcano, groups: there })[0]?.message).toContain("Kueue is there");
  const all = groups(
    batch,
    ["batch.volcano.sh", ["v1alpha1"]],
    ["scheduling.volcano.sh", ["v1beta1"]],
  );
  expect(judgeJobs({ ...byVolcano, groups: all })).toMatchObject([{ level: "ok" }]);
});
