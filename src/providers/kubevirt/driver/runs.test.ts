/** The evidence that metering rests on, through ends that were watched and ends that were not. */
import { expect, test } from "vitest";

import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import type { SeenInstance } from "#providers/kubevirt/observe/seen.ts";

import { keptInstance, keptMachine, type KeptMachine } from "./kept.ts";
import { runAnnotation, type RunRecord } from "./run-record.ts";
import { nextRun, powerOf } from "./runs.ts";

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
      : [{ type: "AgentConnected", status: "True", lastTransitionTime: at(more.agent) }]),
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

test("a machine on its way has not run: nothing is written, nothing is billed", () => {
  const booting = instance("run-1", { Pending: 1, Scheduling: 2 });
  expect(nextRun(machine("RerunOnFailure"), booting, t0)).toBeUndefined();
  const { power, stop, guest } = powerOf(machine("RerunOnFailure"), booting, t0 + 9_000);
  expect(power).toEqual({ value: "stopped", at: t0 + 9_000 });
  expect(stop).toBeUndefined();
  expect(guest).toEqual({ ready: false });
});

test("a run begins with KubeVirt's timestamp, and is ready when the agent answered", () => {
  const running = instance("run-1", { Scheduling: 2, Running: 5 }, { agent: 11 });
  const run = nextRun(machine("RerunOnFailure"), running, t0);
  expect(run).toEqual({ uid: "run-1", since: t0 + 5_000, readyAt: t0 + 11_000, version: "7" });
  expect(powerOf(machine("RerunOnFailure", run), running, t0 + 20_000)).toEqual({
    power: { value: "running", at: t0 + 20_000 },
    powerSince: t0 + 5_000,
    guest: { ready: true, readyAt: t0 + 11_000, heardAt: t0 + 20_000 },
  });
});

test("what was ready stays so while the agent is silent", () => {
  const run = { uid: "run-1", since: t0 + 5_000, readyAt: t0 + 11_000, version: "7" };
  const silent = instance("run-1", { Running: 5 });
  expect(powerOf(machine("RerunOnFailure", run), silent, t0 + 60_000).guest).toEqual({
    ready: true,
    readyAt: t0 + 11_000,
  });
});

test("how a run ended: by request, by the guest, by itself", () => {
  const run = { uid: "run-1", since: t0 + 5_000, readyAt: t0 + 11_000, version: "7" };
  const off = instance("run-1", { Running: 5, Succeeded: 30 });
  const guest = powerOf(machine("RerunOnFailure", run), off, t0 + 40_000);
  expect(guest).toMatchObject({ powerSince: t0 + 30_000, stop: { reason: "guest" } });
  const asked = powerOf(machine("Halted", run), off, t0 + 40_000);
  expect(asked.stop).toMatchObject({ at: t0 + 30_000, reason: "requested" });
  const failed = instance("run-1", { Running: 5, Failed: 31 });
  expect(powerOf(machine("RerunOnFailure", run), failed, t0 + 40_000).stop).toMatchObject({
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
  const { guest, stop } = powerOf(machine("RerunOnFailure", run), undefined, t0 + 90_000);
  expect([guest, stop]).toEqual([{ ready: false, readyAt: t0 + 11_000 }, end]);
});

test("an end that nobody watched: when the machine was not ready any more, and never before it began", () => {
  const run = { uid: "run-1", since: t0 + 5_000, version: "7" };
  const gone = nextRun(machine("Halted", run, 33), undefined, t0 + 90_000);
  expect(gone?.end).toEqual({ at: t0 + 33_000, reason: "requested", detail: "it was stopped" });
  const early = nextRun(machine("RerunOnFailure", run, 1), undefined, t0 + 90_000);
  expect(early?.end).toMatchObject({ at: t0 + 5_000, reason: "crashed" });
});

test("a machine that KubeVirt started anew: the run before is closed, at the latest where the next began", () => {
  const run = { uid: "run-1", since: t0 + 5_000, readyAt: t0 + 11_000, version: "7" };
  const next = instance("run-2", { Running: 50 }, { agent: 55, created: 42 });
  const record = nextRun(machine("RerunOnFailure", run), next, t0 + 60_000);
  expect(record?.before).toMatchObject({ at: t0 + 42_000, reason: "crashed" });
  const shown = powerOf(machine("RerunOnFailure", record), next, t0 + 60_000);
  expect(shown).toMatchObject({
    power: { value: "running" },
    powerSince: t0 + 50_000,
    stop: { at: t0 + 42_000, reason: "crashed" },
    guest: { readyAt: t0 + 55_000 },
  });
});

test("a start that was asked for ends the story of the stop before it", () => {
  const run: RunRecord = {
    uid: "run-1",
    since: t0 + 5_000,
    version: "7",
    end: { at: t0 + 30_000, reason: "requested", detail: "it was stopped" },
  };
  const next = instance("run-2", { Running: 50 }, { created: 42 });
  const { stop, power } = powerOf(machine("RerunOnFailure", run), next, t0 + 60_000);
  expect(power.value).toBe("running");
  expect(stop).toBeUndefined();
});

test("the same look twice writes nothing the second time; an edited annotation is as if it were not there", () => {
  const running = instance("run-1", { Running: 5 }, { agent: 11 });
  const first = machine("RerunOnFailure", nextRun(machine("RerunOnFailure"), running, t0));
  expect(nextRun(first, running, t0 + 1)).toBe(first.run);
  const edited = object("VirtualMachine", "vm-1", {
    spec: { template: { spec: { domain: {} } } },
  });
  edited.metadata.annotations = { "millrace.dev/run": "{" };
  expect(keptMachine(edited).run).toBeUndefined();
});

test("paused since when it says so; unknown where the node is not heard of", () => {
  const run = { uid: "run-1", since: t0 + 5_000, version: "7" };
  const paused = instance("run-1", { Running: 5 }, { paused: 20 });
  expect(powerOf(machine("RerunOnFailure", run), paused, t0)).toMatchObject({
    power: { value: "paused" },
    powerSince: t0 + 20_000,
  });
  const lost = instance("run-1", { Running: 5, Unknown: 70 });
  expect(powerOf(machine("RerunOnFailure", run), lost, t0)).toMatchObject({
    power: { value: "unknown" },
    powerSince: t0 + 70_000,
  });
});
