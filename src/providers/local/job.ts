/**
 * Running a machine's workload: its inputs go in once, its log and results come out as they are
 * made, and the guest keeps everything until we have it. Whoever is the keeper goes on where the
 * last one stopped, by what is on disk here.
 */
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import type { MachineSpec, WorkloadEnd, WorkloadSpec } from "#providers/provider.ts";

import { errorCode } from "./files.ts";
import type { GuestSession, GuestWorkload } from "./guest-session.ts";
import { instancePath, readState } from "./instance.ts";
import type { WorkloadRecord } from "./records.ts";
import { updateState } from "./settle.ts";
import type { Site } from "./site.ts";
import { logPath, logSize, resultsPath } from "./workload.ts";

const chunkBytes = 256 * 1024;

/** Starts the workload unless it was started before. */
export async function startWorkload(
  site: Site,
  spec: MachineSpec,
  workload: WorkloadSpec,
  session: GuestSession,
): Promise<void> {
  const state = await readState(instancePath(site, spec.id));
  if (state === undefined || state.workload !== null) return;
  try {
    const inputsBytes = await sendInputs(spec.id, workload, session);
    const status = await session.startWorkload({
      workloadId: spec.id,
      command: workload.command,
      environment: workload.environment,
      inputsBytes,
      timeLimitSeconds: Math.ceil(workload.timeLimitSeconds),
      logBytesMax: workload.logBytesMax,
      resultsBytesMax: workload.resultsBytesMax,
    });
    await record(site, spec.id, (now) => ({
      state: "running",
      startedAt: status.startedAt ?? now,
      endedAt: null,
      end: null,
    }));
  } catch (error) {
    // Inputs that cannot be read will not be readable later either.
    if (errorCode(error) === undefined) throw error;
    const detail = `the inputs cannot be read: ${error instanceof Error ? error.message : ""}`;
    await record(site, spec.id, (now) => ({
      state: "ended",
      startedAt: now,
      endedAt: now,
      end: { kind: "platform_fault", detail },
    }));
  }
}

/** Copies what is new; true while there is more to come. */
export async function followWorkload(
  site: Site,
  machineId: string,
  session: GuestSession,
): Promise<boolean> {
  const directory = instancePath(site, machineId);
  const state = await readState(directory);
  if (state?.workload?.state !== "running") return false;
  // Asked first: what an ended workload has not logged by then, it never will.
  const status = await session.workloadStatus();
  if (await copyLog(directory, session)) site.changed(machineId);
  if (status.state !== "ended") return true;
  await copyResults(directory, session, status.resultsBytes ?? 0);
  await record(site, machineId, (now, before) => {
    const startedAt = status.startedAt ?? before?.startedAt ?? now;
    const endedAt = Math.max(startedAt, status.endedAt ?? now);
    return { state: "ended", startedAt, endedAt, end: endOf(status) };
  });
  await session.acknowledgeWorkload(machineId);
  return false;
}

function endOf(status: GuestWorkload): WorkloadEnd {
  switch (status.end) {
    case "exited":
      return { kind: "exited", exitCode: status.exitCode ?? 0 };
    case "signaled":
      return { kind: "signaled", signal: status.signal ?? "SIGKILL" };
    case "timed_out":
      return { kind: "timed_out" };
    default:
      return { kind: "platform_fault", detail: status.detail ?? "the guest lost the workload" };
  }
}

async function sendInputs(
  workloadId: string,
  workload: WorkloadSpec,
  session: GuestSession,
): Promise<number> {
  if (workload.inputsPath === undefined) return 0;
  const file = await open(workload.inputsPath, "r");
  try {
    const buffer = Buffer.alloc(chunkBytes);
    let offset = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, offset);
      if (bytesRead === 0) return offset;
      await session.sendInput(workloadId, offset, buffer.subarray(0, bytesRead));
      offset += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/** True if there was anything new. */
async function copyLog(directory: string, session: GuestSession): Promise<boolean> {
  let offset = await logSize(directory);
  const first = offset;
  const file = await open(logPath(directory), "a", 0o600);
  try {
    for (;;) {
      const bytes = await session.workloadLog(offset, chunkBytes);
      if (bytes.byteLength === 0) return offset > first;
      await file.write(bytes);
      offset += bytes.byteLength;
    }
  } finally {
    await file.close();
  }
}

async function copyResults(directory: string, session: GuestSession, size: number): Promise<void> {
  const path = resultsPath(directory);
  const draft = join(directory, "results.tmp");
  await rm(draft, { force: true });
  const file = await open(draft, "wx", 0o600);
  try {
    let offset = 0;
    while (offset < size) {
      const bytes = await session.workloadResults(offset, chunkBytes);
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
