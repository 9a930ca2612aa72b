/**
 * What a workload does that runs nowhere. Nothing of the customer's is executed: the command is
 * only named in the log. The environment says how the simulated run goes:
 *
 *     SIMULATE_SECONDS  how long it runs (default 1)
 *     SIMULATE_EXIT     the exit code (default 0)
 *     SIMULATE_SIGNAL   the signal that ends it, instead of an exit code
 *     SIMULATE_LINES    lines that it logs, evenly over its time (default 5)
 *     SIMULATE_SAVE     how many seconds it takes to save its work when interrupted (default 0.05)
 *
 * Values that make no sense count as absent. The log is a function of the state and the time, so it
 * needs no storage and any process reads the same bytes at the same offset.
 */
import { unreachable } from "#kernel/assert.ts";
import type { WorkloadEnd, WorkloadSpec, WorkloadStatus } from "#providers/provider.ts";

import { refused } from "./guard.ts";
import { tar } from "./tar.ts";
import type { MachineState } from "./world.ts";

const linesMax = 10_000;

interface PlannedEnd {
  readonly at: number;
  readonly end: WorkloadEnd;
}

/** When and how the workload ends if nothing happens to its machine; undefined if it does not run. */
export function plannedEnd(machine: MachineState): PlannedEnd | undefined {
  const { workload } = machine;
  const spec = machine.spec.workload;
  if (workload === null || spec === undefined || workload.end !== null) return undefined;
  const from = workload.startedAt + workload.pausedMs;
  const durationMs = durationMsOf(spec);
  const limitMs = spec.timeLimitSeconds * 1000;
  const byItself: PlannedEnd =
    durationMs > limitMs
      ? { at: from + limitMs, end: { kind: "timed_out" } }
      : { at: from + durationMs, end: endOf(spec) };
  if (workload.interrupted === null) return byItself;
  const { at, graceMs } = workload.interrupted;
  const toldAt = at + Math.min(saveMsOf(spec), graceMs);
  return byItself.at <= toldAt ? byItself : { at: toldAt, end: { kind: "interrupted" } };
}

export function workloadLog(machine: MachineState, now: number): Buffer {
  const spec = machine.spec.workload;
  const { workload } = machine;
  if (spec === undefined || workload === null) return Buffer.alloc(0);
  const total = integer(spec.environment["SIMULATE_LINES"], 0, linesMax) ?? 5;
  const ran = ranMs(machine, now);
  const durationMs = durationMsOf(spec);
  const shown = durationMs === 0 ? total : Math.min(total, Math.floor((ran / durationMs) * total));
  const lines = [
    "[simulated] nothing is executed: this machine does not exist",
    `[simulated] command: ${JSON.stringify(spec.command).slice(0, 200)}`,
    ...Array.from({ length: shown }, (_, index) => `[simulated] line ${index + 1} of ${total}`),
  ];
  if (workload.end !== null) lines.push(`[simulated] ${describe(workload.end)}`);
  return Buffer.from(`${lines.join("\n")}\n`).subarray(0, spec.logBytesMax);
}

export function workloadStatus(machine: MachineState, now: number): WorkloadStatus {
  const { workload } = machine;
  if (workload === null) return { state: "pending", logBytes: 0 };
  const logBytes = workloadLog(machine, now).byteLength;
  const { startedAt, endedAt, end } = workload;
  return end === null || endedAt === null
    ? { state: "running", startedAt, logBytes }
    : { state: "ended", startedAt, endedAt, end, logBytes };
}

/** A tar file with one file that says that nothing ran. Throws `refused` if there are no results. */
export function workloadResults(machine: MachineState, now: number): Buffer {
  const { state, end, endedAt = 0 } = workloadStatus(machine, now);
  if (state !== "ended" || end === undefined) throw refused("the workload has not ended");
  if (end.kind === "platform_fault") throw refused("the results were lost with the machine");
  const content = `[simulated] nothing ran; the workload ended as ${JSON.stringify(end)}\n`;
  const files = [{ name: "simulated.txt", content, modifiedAt: endedAt }];
  if (hasSaved(machine)) {
    const saved = `[simulated] nothing ran for ${ranMs(machine, endedAt)} ms\n`;
    files.push({ name: "./checkpoint/simulated.txt", content: saved, modifiedAt: endedAt });
  }
  const archive = tar(files);
  if (archive.byteLength > (machine.spec.workload?.resultsBytesMax ?? 0)) {
    throw refused(`the results are ${archive.byteLength} bytes, more than the limit`);
  }
  return archive;
}

function ranMs(machine: MachineState, now: number): number {
  const { workload } = machine;
  if (workload === null) return 0;
  const stoodStillAt = machine.power === "paused" ? machine.powerSince : machine.hungAt;
  const until = workload.endedAt ?? stoodStillAt ?? now;
  return Math.max(0, until - workload.startedAt - workload.pausedMs);
}

function endOf(spec: WorkloadSpec): WorkloadEnd {
  const signal = spec.environment["SIMULATE_SIGNAL"];
  if (signal !== undefined && /^SIG[A-Z0-9]{1,10}$/.test(signal)) {
    return { kind: "signaled", signal };
  }
  return { kind: "exited", exitCode: integer(spec.environment["SIMULATE_EXIT"], 0, 255) ?? 0 };
}

function describe(end: WorkloadEnd): string {
  switch (end.kind) {
    case "exited":
      return `ended with exit code ${end.exitCode}`;
    case "signaled":
      return `ended by ${end.signal}`;
    case "timed_out":
      return "ended by its time limit";
    case "interrupted":
      return "interrupted";
    case "evicted":
      return `taken off by the platform (${end.by}): ${end.detail}`;
    case "platform_fault":
      return "lost by the platform";
  }
  return unreachable(end);
}

/** It was told to end and had the time to save its work. */
function hasSaved({ workload, spec }: MachineState): boolean {
  if (spec.workload === undefined) return false;
  if (workload?.end?.kind === "evicted") return saveMsOf(spec.workload) <= evictionGraceMs;
  if (workload?.end?.kind !== "interrupted") return false;
  return saveMsOf(spec.workload) <= (workload.interrupted?.graceMs ?? 0);
}

/** What a platform gives a program that it takes off, as Kubernetes does; it passes at once here. */
const evictionGraceMs = 30_000;

function durationMsOf(spec: WorkloadSpec): number {
  return milliseconds(spec.environment["SIMULATE_SECONDS"], 1000);
}

function saveMsOf(spec: WorkloadSpec): number {
  return milliseconds(spec.environment["SIMULATE_SAVE"], 50);
}

function milliseconds(seconds: string | undefined, otherwise: number): number {
  return seconds !== undefined && /^[0-9]{1,7}(\.[0-9]{1,3})?$/.test(seconds)
    ? Math.round(Number(seconds) * 1000)
    : otherwise;
}

function integer(text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined || !/^[0-9]{1,9}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}
