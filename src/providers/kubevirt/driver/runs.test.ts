/** The evidence that metering rests on, through ends that were watched and ends that were not. */
import { expect, test } from "vitest";

import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import type { SeenInstance } from "#providers/kubevirt/observe/seen.ts";

import { keptInstance, keptMachine, type KeptMachine } from "./kept.ts";
import { runAnnotation, type RunRecord } from "./run-record.ts";
import { nextRun as nextRunOf, powerOf, type Power } from "./runs.ts";
import { unwitnessed, type Witnessed } from "./witness.ts";

const machineId = "00000000-0000-4000-8000-000000000001";
const t0 = Date.parse("2026-11-01T00:00:00Z");
const at = (seconds: number): string =>
  new Date(t0 + seconds * 1000).toISOString().replace(".000", "");

function object(kind: string, uid: string, rest: Record<string, unknown>): KubeObject {
  return {
    apiVersion: "kubevirt.io/v1",
    kind,
    metadata: {
      name: `m-${machineId}`,
      namespace: "p-1",
      uid,
      resourceVersion: "7",
      creationTimestamp: at(0),
      labels: { "millrace.dev/machine": machineId },
    },
    ...rest,
  };
}

function machine(runStrategy: string, run?: RunRecord, readySince = 0): KeptMachine {
  const base = object("VirtualMachine", "vm-1", {
    spec: { runStrategy, template: { spec: { domain: {} } } },
    status: {
      conditions: [{ type: "Ready", status: "False", lastTransitionTime: at(readySince) }],
    },
  });
  if (run !== undefined) base.metadata.annotations = { ...runAnnotation(run) };
  return keptMachine(base);
}

function instance(
  uid: string,
  phases: Readonly<Record<string, number>>,
  more: { readonly agent?: number; readonly paused?: number; readonly created?: number } = {},
): SeenInstance {
  const phase = Object.keys(phases).at(-1) ?? "Pending";
  const conditions = [
    ...(more.agent === undefined
      ? []
      : [
          {
            type: "AgentConnected",
            status: "True",
            lastProbeTime: at(more.agent),
            lastTransitionTime: null,
          },
        ]),
    ...(more.paused === undefined
      ? []
      : [{ type: "Paused", status: "True", lastTransitionTime: at(more.paused) }]),
  ];
  const base = object("VirtualMachineInstance", uid, {
    spec: { domain: {} },
    status: {
      phase,
      conditions,
      phaseTransitionTimestamps: Object.entries(phases).map(([name, seconds]) => ({
        phase: name,
        phaseTransitionTimestamp: at(seconds),
      })),
    },
  });
  base.metadata.creationTimestamp = at(more.created ?? 0);
  return keptInstance(base).seen;
}

function nextRun(
  of: KeptMachine,
  seen: SeenInstance | undefined,
  witnessed: Witnessed = unwitnessed,
): RunRecord | undefined {
  return nextRunOf(of, seen, witnessed);
}

function shown(of: KeptMachine, seen: SeenInstance | undefined, seenAt: number): Power {
  const run = nextRun(of, seen);
  return powerOf({ seen: of.seen, written: of.run, run, instance: seen, seenAt });
}

test("a machine on its way has not run: nothing is written, nothing is billed", () => {
  const booting = instance("run-1", { Pending: 1, Scheduling: 2 });
  expect(nextRun(machine("RerunOnFailure"), booting)).toBeUndefined();
  const { power, stop, guest } = shown(machine("RerunOnFailure"), booting, t0 + 9_000);
  expect(power).toEqual({ value: "stopped", at: t0 + 9_000 });
  expect(stop).toBeUndefined();
  expect(guest).toEqual({ ready: false });
});

test("a run begins with KubeVirt's timestamp, and is ready when the agent answered", () => {
  const running = instance("run-1", { Scheduling: 2, Running: 5 }, { agent: 11 });
  const run = nextRun(machine("RerunOnFailure"), running);
  expect(run).toEqual({ uid: "run-1", since: t0 + 5_000, readyAt: t0 + 11_000, version: "7" });
  expect(shown(machine("RerunOnFailure", run), running, t0 + 20_000)).toEqual({
    power: { value: "running", at: t0 + 20_000 },
    powerSince: t0 + 5_000,
    guest: { ready: true, readyAt: t0 + 11_000, heardAt: t0 + 20_000 },
  });
});

test("what was ready stays so while the agent is silent", () => {
  const run = { uid: "run-1", since: t0 + 5_000, readyAt: t0 + 11_000, version: "7" };
  const silent = instance("run-1", { Running: 5 });
  expect(shown(machine("RerunOnFailure", run), silent, t0 + 60_000).guest).toEqual({
    ready: true,
    readyAt: t0 + 11_000,
  });
});

test("how a run ended: by request, by the guest, by itself", () => {
  const run = { uid: "run-1", since: t0 + 5_000, readyAt: t0 + 11_000, version: "7" };
  const off = instance("run-1", { Running: 5, Succeeded: 30 });
  const guest = shown(machine("RerunOnFailure", run), off, t0 + 40_000);
  expect(guest).toMatchObject({ powerSince: t0 + 30_000, stop: { reason: "guest" } });
  const asked = shown(machine("Halted", run), off, t0 + 40_000);
  expect(asked.stop).toMatchObject({ at: t0 + 30_000, reason: "requested" });
  const failed = instance("run-1", { Running: 5, Failed: 31 });
  expect(shown(machine("RerunOnFailure", run), failed, t0 + 40_000).stop).toMatchObject({
    at: t0 + 31_000,
    reason: "crashed",
  });
});

test("of a run that has ended it is still told when its guest was ready, of none before it", () => {
  const end = {
    at: t0 + 30_000,
    reason: "guest",
    detail: "the guest switched itself off",
  } as const;
  const run = { uid: "run-1", since: t0 + 5_000, readyAt: t0 + 11_000, version: "7", end };
  const { guest, stop } = shown(machine("RerunOnFailure", run), undefined, t0 + 90_000);
  expect([guest, stop]).toEqual([{ ready: false, readyAt: t0 + 11_000 }, end]);
});

test("an end of which only the machine tells: when it was not ready any more, and never before it began", () => {
  const run = { uid: "run-1", since: t0 + 5_000, version: "7" };
  const isLatest = true;
  const gone = nextRun(machine("Halted", run, 33), undefined, { isLatest });
  expect(gone?.end).toEqual({ at: t0 + 33_000, reason: "requested", detail: "it was stopped" });
  const early = nextRun(machine("RerunOnFailure", run, 1), undefined, { isLatest });
  expect(early?.end).toMatchObject({ at: t0 + 5_000, reason: "crashed" });
  // Noticed by KubeVirt's controllers long after it was seen to go: they were away.
  const late = nextRun(machine("RerunOnFailure", run, 3_600), undefined, {
    isLatest,
    aliveAt: t0 + 30_000,
    goneAt: t0 + 40_000,
  });
  expect(late?.end).toMatchObject({ at: t0 + 40_000 });
  // Not ready since it was paused, say, and seen long after that.
  const aliveAt = t0 + 60_000;
  const paused = nextRun(machine("RerunOnFailure", run, 33), undefined, { isLatest, aliveAt });
  expect(paused?.end).toMatchObject({ at: aliveAt });
});

test("R-PAYG-3: an end that nobody saw is where the run was seen last: there may have been another one since", () => {
  const run = { uid: "run-1", since: t0 + 5_000, readyAt: t0 + 11_000, version: "7" };
  const endAt = (witnessed: Witnessed): number | undefined =>
    nextRun(machine("RerunOnFailure", run, 33), undefined, witnessed)?.end?.at;
  expect(endAt({ isLatest: false, aliveAt: t0 + 20_000 })).toBe(t0 + 20_000);
  expect(endAt(unwitnessed)).toBe(t0 + 11_000);
  // Told by its last object, whatever came after.
  const last = instance("run-1", { Running: 5, Failed: 29 });
  expect(endAt({ isLatest: false, last })).toBe(t0 + 29_000);
});

test("a machine that says that it is ready, without a run: what tells of one is behind the other, and no end is made up", () => {
  const run = { uid: "run-1", since: t0 + 5_000, readyAt: t0 + 11_000, version: "7" };
  const of = machine("RerunOnFailure", run);
  const { conditions = [] } = of.seen.status ?? {};
  for (const condition of conditions) condition.status = "True";
  expect(nextRun(of, undefined, { isLatest: true })).toBe(of.run);
  expect(shown(of, undefined, t0 + 90_000).power.value).toBe("unknown");
});

test("a machine that KubeVirt started anew: the run before is closed where it was seen last, at the latest where the next was made", () => {
  const run = { uid: "run-1", since: t0 + 5_000, readyAt: t0 + 11_000, version: "7" };
  const second = instance("run-2", { Running: 50 }, { agent: 55, created: 42 });
  const beforeAt = (aliveAt: number): number | undefined =>
    nextRun(machine("RerunOnFailure", run), second, { isLatest: false, aliveAt })?.before?.at;
  expect(beforeAt(t0 + 30_000)).toBe(t0 + 30_000);
  expect(beforeAt(t0 + 60_000)).toBe(t0 + 42_000);
  expect(beforeAt(0)).toBe(t0 + 11_000);
  const last = instance("run-1", { Running: 5, Failed: 40 });
  const record = nextRun(machine("RerunOnFailure", run), second, { isLatest: false, last });
  expect(record?.before).toMatchObject({ at: t0 + 40_000, reason: "crashed" });
  expect(shown(machine("RerunOnFailure", record), second, t0 + 60_000)).toMatchObject({
    power: { value: "running" },
    powerSince: t0 + 50_000,
    stop: { at: t0 + 40_000, reason: "crashed" },
    guest: { readyAt: t0 + 55_000 },
    past: [{ readyAt: t0 + 11_000, stop: { at: t0 + 40_000 } }],
  });
});

test("runs that nobody metered yet stay told, the last few", () => {
  let record: RunRecord | undefined;
  for (let count = 0; count < 12; count += 1) {
    const begun = count * 100;
    const uid = `run-${count}`;
    const seen = instance(uid, { Running: begun, Failed: begun + 50 }, { agent: begun + 5 });
    record = nextRun(machine("RerunOnFailure", record), seen);
  }
  expect(record?.past?.map(({ readyAt, end }) => [readyAt - t0, end.at - t0])).toEqual(
    [3, 4, 5, 6, 7, 8, 9, 10].map((count) => [count * 100_000 + 5_000, count * 100_000 + 50_000]),
  );
});

const done = (kind: string, of?: string) =>
  ({ id: kind, kind, state: "done", ...(of === undefined ? {} : { of }) }) as const;

test("`Halted` that somebody wrote by hand is told as that, and not as a stop that was asked for", () => {
  const run = { uid: "run-1", since: t0 + 5_000, readyAt: t0 + 11_000, version: "7" };
  const end = instance("run-1", { Running: 5, Succeeded: 30 });
  const said = (...records: KeptMachine["records"]): string | undefined =>
    nextRun({ ...machine("Halted", run), records }, end)?.end?.detail;
  const byHand = "it was switched off in the cluster, not by Millrace";
  expect(said(done("create"))).toBe(byHand);
  expect(said(done("create"), done("stop"), done("start"), done("resize"))).toBe(byHand);
  expect(said(done("create"), done("shutdown"))).toBe("it was stopped");
  const restoring = '{"restore":"r","power":"start"}';
  expect(said(done("create"), done("revert s", restoring))).toBe("it was stopped");
  expect(said(done("create"), done("revert s", '{"restore":"r","power":"on"}'))).toBe(byHand);
});

test("a start that was asked for ends the story of the stop before it", () => {
  const run: RunRecord = {
    uid: "run-1",
    since: t0 + 5_000,
    version: "7",
    end: { at: t0 + 30_000, reason: "requested", detail: "it was stopped" },
  };
  const next = instance("run-2", { Running: 50 }, { created: 42 });
  const { stop, power } = shown(machine("RerunOnFailure", run), next, t0 + 60_000);
  expect(power.value).toBe("running");
  expect(stop).toBeUndefined();
});

test("the same look twice writes nothing the second time; an edited annotation is as if it were not there", () => {
  const running = instance("run-1", { Running: 5 }, { agent: 11 });
  const first = machine("RerunOnFailure", nextRun(machine("RerunOnFailure"), running));
  expect(nextRun(first, running)).toBe(first.run);
  const edited = object("VirtualMachine", "vm-1", {
    spec: { template: { spec: { domain: {} } } },
  });
  edited.metadata.annotations = { "millrace.dev/run": "{" };
  expect(keptMachine(edited).run).toBeUndefined();
});

test("paused since when it says so; unknown where the node is not heard of", () => {
  const run = { uid: "run-1", since: t0 + 5_000, version: "7" };
  const paused = instance("run-1", { Running: 5 }, { paused: 20 });
  expect(shown(machine("RerunOnFailure", run), paused, t0)).toMatchObject({
    power: { value: "paused" },
    powerSince: t0 + 20_000,
  });
  const lost = instance("run-1", { Running: 5, Unknown: 70 });
  expect(shown(machine("RerunOnFailure", run), lost, t0)).toMatchObject({
    power: { value: "unknown" },
    powerSince: t0 + 70_000,
  });
});
