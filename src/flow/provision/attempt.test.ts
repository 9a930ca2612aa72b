import { expect, test } from "vitest";

import type { EvictedBy, Machine } from "#providers/provider.ts";

import { attemptSeen, limitGraceMs, startMsMax, wallOf } from "./attempt.ts";
import { decide } from "./decide.ts";
import type { InstanceView, RequestView, Sight, View } from "./view.ts";

const now = Date.parse("2026-05-04T10:00:00Z");
const shape: View["request"]["shape"] = {
  flavor: "nano",
  vcpus: 1,
  cpu: { sockets: 1, cores: 1, threads: 1 },
  memoryMiB: 256,
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
const startedAt = now - 5_000;

const running: Machine = {
  id: "i",
  owner: undefined,
  hostId: "h",
  locator: {},
  power: { value: "running", at: now },
  powerSince: now - 10_000,
  guest: { ready: true, readyAt: now - 6_000 },
  start: "cold",
  cpu: shape.cpu,
  memoryBytes: 1,
  diskBytes: 1,
  pendingResize: false,
  endpoints: [],
  workload: { state: "running", startedAt, logBytes: 7 },
};
const dead: Machine = {
  ...running,
  power: { value: "stopped", at: now },
  stop: { at: now - 1_000, reason: "crashed", detail: "QEMU was killed" },
};

function viewOf(given: {
  readonly machine?: Machine;
  readonly instance?: Partial<InstanceView>;
  readonly request?: Partial<RequestView>;
  readonly at?: number;
}): View {
  const { machine, instance, request } = given;
  const sight: Sight = machine === undefined ? { seen: "absent" } : { seen: "machine", machine };
  return {
    interruption: null,
    faultsBefore: 0,
    silentMsMax: 600_000,
    host: { name: "h1", nativeId: "h1", downSince: null },
    hostDownMsMax: 300_000,
    instance: {
      tenantId: "t",
      id: "i",
      requestId: "r",
      kind: "job",
      turn: 1,
      state: "running",
      stateSince: now - 6_000,
      createdAt: now - 20_000,
      shape,
      readyAt: now - 6_000,
      restarts: 0,
      call: null,
      pace: { keys: 0, of: null, inRow: 0, notBefore: 0 },
      stopBeforeStart: null,
      missingSince: null,
      seenUntil: null,
      workload: { state: "running", startedAt, logBytes: 7 },
      collected: false,
      waiting: null,
      notes: [],
      waitedUntil: null,
      metering: {
        seq: 3,
        lastAt: startedAt,
        ready: true,
        workloadStarted: true,
        workloadEnded: false,
        created: true,
        deleted: false,
      },
      ...instance,
    },
    request: {
      wanted: "running",
      turn: 1,
      shape,
      restart: "never",
      workload: {
        command: ["x"],
        script: null,
        environment: {},
        inputs: [],
        framework: "none",
        timeLimitSeconds: 60,
        platformRetriesMax: 1,
        preemptible: false,
        checkpoint: null,
      },
      inGang: false,
      ended: false,
      ...request,
    },
    placement: { state: "full", turn: 1 },
    operations: [],
    sight,
    callStatus: undefined,
    lastSeenAt: null,
    now: given.at ?? now,
  };
}

/** Everything that a step says of the end of the workload. */
function endsOf(view: View): unknown[] {
  return decide(view)
    .transitions.filter(({ kind }) => kind === "workload_ended")
    .map(({ evidence }) => evidence["end"]);
}

test("S-08: a guest that does not keep the time limit loses its machine a minute later", () => {
  const view = viewOf({ machine: running });
  const wall = wallOf(view);
  expect(wall).toBe(startedAt + 60_000 + limitGraceMs);
  expect(decide({ ...view, now: wall - 1 }).call).toBeUndefined();
  const late = { ...view, now: wall };
  expect(decide(late)).toMatchObject({ state: "deleting", call: { kind: "delete" } });
  const gone = decide(
    viewOf({ at: wall + 100, instance: { state: "deleting", stateSince: wall } }),
  );
  expect(gone).toMatchObject({
    state: "gone",
    patch: { workload: { state: "ended", end: { kind: "timed_out" } } },
    request: { set: "ended" },
  });
  expect(gone.transitions[0]).toMatchObject({
    kind: "workload_ended",
    evidence: { end: { kind: "timed_out" } },
  });
});

test("S-08: a slow clock in the guest does not end its program early", () => {
  const hourBehind = { state: "running", startedAt: startedAt - 3_600_000, logBytes: 0 } as const;
  const view = viewOf({ machine: { ...running, workload: hourBehind } });
  const known = { ...view, instance: { ...view.instance, workload: hourBehind } };
  expect(wallOf(known)).toBe(known.instance.stateSince + 60_000 + limitGraceMs);
  expect(decide(known).call).toBeUndefined();
});

test("S-08: a machine that never starts its program is a fault of the platform, tried again", () => {
  const pending: Machine = { ...running, workload: { state: "pending", logBytes: 0 } };
  const instance = {
    workload: { state: "pending", logBytes: 0 },
    metering: { ...viewOf({}).instance.metering, workloadStarted: false },
  } as const;
  const view = viewOf({ machine: pending, instance });
  const wall = view.instance.createdAt + startMsMax;
  const waiting = { code: "quota", message: "", advice: "", who: "nobody" } as const;
  const queued = { ...view, instance: { ...view.instance, waiting } };
  expect(wallOf(queued)).toBeGreaterThan(wall);
  expect(
    wallOf({ ...view, instance: { ...queued.instance, waiting: { ...waiting, who: "operator" } } }),
  ).toBe(wall);
  expect(decide({ ...view, now: wall - 1 }).call).toBeUndefined();
  expect(decide({ ...view, now: wall }).call?.kind).toBe("delete");
  const gone = viewOf({ at: wall + 1, instance: { ...instance, state: "deleting" } });
  expect(decide(gone).request).toMatchObject({ set: "next-turn" });
  const second = {
    instance: { ...instance, state: "deleting", turn: 2 },
    request: { turn: 2 },
  } as const;
  const last = { ...viewOf({ at: wall + 1, ...second }), faultsBefore: 1 };
  expect(decide(last).request).toMatchObject({ set: "ended", reason: { code: "platform_fault" } });
});

test("S-09: a machine that dies under its program is a fault of the platform, said before it stops", () => {
  const step = decide(viewOf({ machine: dead }));
  expect(step.transitions.map(({ kind }) => kind)).toEqual(["workload_ended", "stopped"]);
  expect(step.transitions[0]).toMatchObject({
    at: now - 1_000,
    evidence: { end: { kind: "platform_fault", detail: "QEMU was killed" } },
  });
  // Its log is brought home before it goes.
  expect(step).toMatchObject({ state: "running", patch: { workload: { state: "ended" } } });
  expect(step.call).toBeUndefined();
});

test("R-PAYG-7: a cancel is not a fault of the platform, although the machine dies of it", () => {
  const canceled = { request: { wanted: "released" } } as const;
  expect(decide(viewOf({ machine: running, ...canceled })).call?.kind).toBe("delete");
  const deleting = { state: "deleting", stateSince: now - 2_000 } as const;
  expect(endsOf(viewOf({ machine: dead, ...canceled, instance: deleting }))).toEqual([
    { kind: "canceled" },
  ]);
  expect(endsOf(viewOf({ ...canceled, instance: deleting }))).toEqual([{ kind: "canceled" }]);
});

test("R-PAYG-7: what the platform lost before the cancel stays a fault of the platform", () => {
  const deleting = { state: "deleting", stateSince: now - 500 } as const;
  const view = viewOf({ machine: dead, request: { wanted: "released" }, instance: deleting });
  expect(endsOf(view)).toEqual([expect.objectContaining({ kind: "platform_fault" })]);
});

function evictedBy(by: EvictedBy, endedAt = now - 1_000): Machine {
  const end = { kind: "evicted", by, detail: "Its words." } as const;
  return { ...running, workload: { state: "ended", startedAt, endedAt, end, logBytes: 9 } };
}

test.each([
  ["preempted", { kind: "preempted", detail: "Its words." }, true],
  ["reclaimed", { kind: "preempted", detail: "Its words." }, true],
  ["node", { kind: "platform_fault", detail: "Its words.", moved: true }, false],
  ["queue", { kind: "platform_fault", detail: "Its words.", moved: true }, false],
] as const)(
  "R-PAYG-7: an attempt that the platform took off (%s) ends once, at the platform's instant, and its owner is told",
  (by, end, billed) => {
    const machine = evictedBy(by);
    const step = decide(viewOf({ machine }));
    expect(step.transitions).toMatchObject([
      { kind: "workload_ended", at: now - 1_000, evidence: { end } },
    ]);
    expect(step.evicted).toEqual({ billed, detail: "Its words.", at: now - 1_000 });
    expect(step.events.map(({ kind }) => kind)).toEqual(["evicted"]);
    const metering = { ...viewOf({}).instance.metering, workloadEnded: true };
    const workload = step.patch.workload ?? null;
    const again = decide(viewOf({ machine, instance: { workload, metering } }));
    expect([again.transitions, again.events, again.evicted]).toEqual([[], [], undefined]);
  },
);

test("R-PAYG-7: nobody is free because his machine was evicted after he had canceled, or had run out of time", () => {
  const deleting = { state: "deleting", stateSince: now - 2_000 } as const;
  for (const by of ["preempted", "node"] as const) {
    const machine = evictedBy(by);
    const canceled = viewOf({ machine, request: { wanted: "released" }, instance: deleting });
    expect(endsOf(canceled)).toEqual([{ kind: "canceled" }]);
    expect(decide(canceled).evicted).toBeUndefined();
    expect(endsOf(viewOf({ machine, instance: deleting }))).toEqual([{ kind: "timed_out" }]);
  }
  const before = evictedBy("node", now - 3_000);
  const view = viewOf({ machine: before, request: { wanted: "released" }, instance: deleting });
  expect(endsOf(view)).toMatchObject([{ kind: "platform_fault", moved: true }]);
});

test("an end that was recorded stays, whatever the machine shows later", () => {
  const ended = {
    state: "ended",
    startedAt,
    endedAt: now - 3_000,
    end: { kind: "exited", exitCode: 0 },
    logBytes: 9,
  } as const;
  const metering = { ...viewOf({}).instance.metering, workloadEnded: true };
  const view = viewOf({ machine: dead, instance: { workload: ended, metering } });
  expect(attemptSeen(view, dead)).toEqual(ended);
  expect(decide(view).transitions.map(({ kind }) => kind)).toEqual(["stopped"]);
});

test("ST-03: a machine waits until log and results are at home, also when a cancel comes late", () => {
  const ended: Machine = {
    ...running,
    workload: {
      state: "ended",
      startedAt,
      endedAt: now - 100,
      end: { kind: "exited", exitCode: 0 },
      logBytes: 9,
    },
  };
  for (const wanted of ["running", "released"] as const) {
    const workload = attemptSeen(viewOf({ machine: ended }), ended) ?? null;
    const waiting = viewOf({ machine: ended, request: { wanted }, instance: { workload } });
    expect(decide(waiting).call).toBeUndefined();
    const home = { ...waiting, instance: { ...waiting.instance, collected: true } };
    expect(decide(home).call?.kind).toBe("delete");
  }
});
