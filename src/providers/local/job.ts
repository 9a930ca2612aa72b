/**
 * Running a machine's workload: its inputs go in once, its log and results come out as they are
 * made, and the guest keeps everything until we have it. Whoever is the keeper goes on where the
 * last one stopped, by what is on disk here.
 */
import { open, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { unreachable } from "#kernel/assert.ts";
import type { MachineSpec, WorkloadEnd, WorkloadSpec } from "#providers/provider.ts";

import { errorCode } from "./files.ts";
import { GuestError } from "./guest/channel.ts";
import type { GuestClient } from "./guest/client.ts";
import type { GuestWorkload } from "./guest/protocol.ts";
import { instancePath, readState } from "./instance.ts";
import type { WorkloadRecord } from "./records.ts";
import { updateState } from "./settle.ts";
import type { Site } from "./site.ts";
import { logPath, logSize, resultsPath, resultsProblemPath } from "./workload.ts";

const chunkBytes = 256 * 1024;
const answerMs = 30_000;

export interface Agent {
  readonly client: GuestClient;
  readonly signal: AbortSignal;
}

/** Starts the workload unless it was started before. */
export async function startWorkload(
  site: Site,
  spec: MachineSpec,
  workload: WorkloadSpec,
  agent: Agent,
): Promise<void> {
  const state = await readState(instancePath(site, spec.id));
  if (state === undefined || state.workload !== null) return;
  try {
    const inputsBytes = await sendInputs(spec.id, workload, agent);
    const status = await agent.client.workloadStart(call(agent), {
      workloadId: spec.id,
      command: workload.command,
      environment: { ...workload.environment, ...ownAddress(workload, state.address) },
      ...(workload.checkpoint === undefined ? {} : { checkpoint: workload.checkpoint }),
      inputsBytes,
      timeLimitSeconds: Math.ceil(workload.timeLimitSeconds),
      logBytesMax: workload.logBytesMax,
      resultsBytesMax: workload.resultsBytesMax,
    });
    await record(site, spec.id, (now) => ({
      state: "running",
      startedAt: status.state === "none" ? now : status.startedAt,
      endedAt: null,
      end: null,
    }));
  } catch (error) {
    // Inputs that cannot be read, or that the guest has no room for, will not start later either.
    const refusedByGuest = error instanceof GuestError && error.code !== "closed";
    if (errorCode(error) === undefined && !refusedByGuest) throw error;
    const detail = `the workload cannot be started: ${error instanceof Error ? error.message : ""}`;
    await record(site, spec.id, (now) => ({
      state: "ended",
      startedAt: now,
      endedAt: now,
      end: { kind: "platform_fault", detail },
    }));
  }
}

function ownAddress(
  { addressVariable }: WorkloadSpec,
  address: string | undefined,
): Record<string, string> {
  return addressVariable === undefined || address === undefined
    ? {}
    : { [addressVariable]: address };
}

/** Copies what is new; true while there is more to come. */
export async function followWorkload(
  site: Site,
  machineId: string,
  agent: Agent,
): Promise<boolean> {
  const directory = instancePath(site, machineId);
  const state = await readState(directory);
  if (state?.workload?.state !== "running") return false;
  // Asked first: what an ended workload has not logged by then, it never will.
  const status = await agent.client.workloadStatus(call(agent));
  if (await copyLog(directory, agent)) site.changed(machineId);
  if (status.state === "running") return true;
  if (status.state === "ended") await bringResults(directory, agent, status);
  await record(site, machineId, (now, before) => {
    const startedAt = before?.startedAt ?? now;
    if (status.state === "none") return { state: "ended", startedAt, endedAt: now, end: lost };
    const endedAt = Math.max(status.startedAt, status.endedAt);
    return { state: "ended", startedAt: status.startedAt, endedAt, end: endOf(status) };
  });
  if (status.state === "ended") await agent.client.workloadAcknowledge(call(agent), machineId);
  return false;
}

const lost: WorkloadEnd = { kind: "platform_fault", detail: "the guest knows of no workload" };

function endOf(status: Extract<GuestWorkload, { state: "ended" }>): WorkloadEnd {
  switch (status.end) {
    case "exited":
      return { kind: "exited", exitCode: status.exitCode };
    case "signaled":
      return { kind: "signaled", signal: status.signal };
    case "timed_out":
      return { kind: "timed_out" };
    case "interrupted":
      return { kind: "interrupted" };
    case "platform_fault":
      return { kind: "platform_fault", detail: status.detail };
  }
  return unreachable(status);
}

function call({ signal }: Agent): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]) };
}

async function sendInputs(
  workloadId: string,
  workload: WorkloadSpec,
  agent: Agent,
): Promise<number> {
  if (workload.inputsPath === undefined) return 0;
  const file = await open(workload.inputsPath, "r");
  try {
    const buffer = Buffer.alloc(chunkBytes);
    let offset = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, offset);
      if (bytesRead === 0) return offset;
      const bytes = buffer.subarray(0, bytesRead);
      await agent.client.workloadInput(call(agent), { workloadId, offset, bytes });
      offset += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/** True if there was anything new. */
async function copyLog(directory: string, agent: Agent): Promise<boolean> {
  let offset = await logSize(directory);
  const first = offset;
  const file = await open(logPath(directory), "a", 0o600);
  try {
    for (;;) {
      const range = { offset, bytesMax: chunkBytes };
      const { bytes } = await agent.client.workloadLog(call(agent), range);
      if (bytes.byteLength === 0) return offset > first;
      await file.write(bytes);
      offset += bytes.byteLength;
    }
  } finally {
    await file.close();
  }
}

/** The results, or why the guest could not pack them. */
async function bringResults(
  directory: string,
  agent: Agent,
  status: Extract<GuestWorkload, { state: "ended" }>,
): Promise<void> {
  const { resultsProblem, resultsBytes = 0 } = status;
  if (resultsProblem === undefined) return copyResults(directory, agent, resultsBytes);
  const path = resultsProblemPath(directory);
  await writeFile(`${path}.tmp`, resultsProblem, { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

async function copyResults(directory: string, agent: Agent, size: number): Promise<void> {
  const path = resultsPath(directory);
  const draft = join(directory, "results.tmp");
  await rm(draft, { force: true });
  const file = await open(draft, "wx", 0o600);
  try {
    let offset = 0;
    while (offset < size) {
      const range = { offset, bytesMax: chunkBytes };
      const { bytes } = await agent.client.workloadResults(call(agent), range);
      if (bytes.byteLength === 0) break;
      await file.write(bytes);
      offset += bytes.byteLength;
    }
    // A tar archive of nothing is two empty records.
    if (offset === 0) await file.write(Buffer.alloc(1024));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

async function record(
  site: Site,
  machineId: string,
  next: (now: number, before: WorkloadRecord | null) => WorkloadRecord,
): Promise<void> {
  await updateState(site, machineId, (state) =>
    state.workload?.state === "ended"
      ? state
      : { ...state, workload: next(site.now(), state.workload) },
  );
  site.changed(machineId);
}
