/**
 * Mutations by operation id, one file each: the same id again gives the same handle and does the
 * work at most once, whoever asks and whichever process began it. The file is written before the
 * work begins; the lock `op-<id>` is held while a live process does it, so a record that says
 * `running` and whose lock is free was left by a process that died.
 */
import { createHash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import {
  ProviderError,
  type Call,
  type OperationRef,
  type OperationStatus,
  type ReadCall,
} from "#providers/provider.ts";

import { errorCode, readIfThere, writeDurably } from "./files.ts";
import { operationSchema, type OperationRecord } from "./records.ts";
import type { Site } from "./site.ts";

export interface Task {
  readonly machineId: string;
  readonly kind: string;
  /** What distinguishes this request from another of its kind. */
  readonly request: unknown;
  /** Refuses what must not be accepted; not asked of an operation that is known already. */
  readonly check: () => Promise<void>;
  /** Returns a note for the record. Runs again after a crash, so each step must be repeatable. */
  readonly work: () => Promise<string | undefined>;
}

const keptMs = 30 * 24 * 3600 * 1000;

/** Accepts the task and does it in the background. */
export async function accept(site: Site, call: Call, task: Task): Promise<OperationRef> {
  return (await begin(site, call, task)).ref;
}

/** Accepts the task and waits for it; if it failed without effect it was never accepted. */
export async function acceptAndFinish(site: Site, call: Call, task: Task): Promise<OperationRef> {
  const { ref, finished } = await begin(site, call, task);
  const error = await finished;
  if (error === undefined || error.effect !== "none") return ref;
  await rm(recordPath(site, ref.id), { force: true });
  throw error;
}

export async function operationStatus(site: Site, ref: OperationRef): Promise<OperationStatus> {
  const record = await readOperation(site, ref.id);
  if (record === undefined) return { state: "unknown" };
  switch (record.state) {
    case "running":
      return { state: "running" };
    case "done":
      return record.note === null ? { state: "done" } : { state: "done", note: record.note };
    case "failed":
      return { state: "failed", error: errorOf(record) };
  }
}

/** Records that say `running` but that no live process works on. */
export async function abandonedOperations(site: Site): Promise<OperationRecord[]> {
  const found: OperationRecord[] = [];
  for (const name of await readdir(join(site.root, "operations"))) {
    if (!name.endsWith(".json")) continue;
    const path = join(site.root, "operations", name);
    const record = parseRecord(await readIfThere(path));
    if (record === undefined) {
      site.log.warn({ path }, "damaged operation record");
    } else if (record.state === "running") {
      const release = await site.locks.tryAcquire(lockName(record.id));
      release?.();
      if (release !== undefined) found.push(record);
    } else if ((record.endedAt ?? 0) < site.now() - keptMs) {
      await rm(path, { force: true });
    }
  }
  return found;
}

/** Finishes what another process left. */
export async function resume(
  site: Site,
  record: OperationRecord,
  work: () => Promise<string | undefined>,
): Promise<void> {
  const release = await site.locks.tryAcquire(lockName(record.id));
  if (release === undefined) return;
  await finish(site, record, work, release);
}

interface Begun {
  readonly ref: OperationRef;
  readonly finished: Promise<ProviderError | undefined>;
}

async function begin(site: Site, call: Call, task: Task): Promise<Begun> {
  demandInterest(call);
  const ref: OperationRef = { id: call.operationId, machineId: task.machineId, native: task.kind };
  const request = JSON.stringify(task.request);
  const release = await site.locks.tryAcquire(lockName(call.operationId));
  const known = await readOperation(site, call.operationId);
  if (
    known !== undefined &&
    (known.kind !== task.kind || known.machineId !== task.machineId || known.request !== request)
  ) {
    release?.();
    throw new ProviderError(
      "refused",
      `Operation ${call.operationId} was already used for another request.`,
      { effect: "none" },
    );
  }
  if (release === undefined) return { ref, finished: Promise.resolve(undefined) };
  if (known !== undefined && known.state !== "running") {
    release();
    return { ref, finished: Promise.resolve(undefined) };
  }
  try {
    if (known === undefined) await task.check();
  } catch (error) {
    release();
    throw asProviderError(error, "none");
  }
  const record: OperationRecord = known ?? {
    id: call.operationId,
    machineId: task.machineId,
    kind: task.kind,
    request,
    owner: call.owner,
    acceptedAt: site.now(),
    state: "running",
    endedAt: null,
    note: null,
    error: null,
  };
  try {
    if (known === undefined) await writeRecord(site, record);
  } catch (error) {
    release();
    throw asProviderError(error, "none");
  }
  return { ref, finished: finish(site, record, task.work, release) };
}

async function finish(
  site: Site,
  record: OperationRecord,
  work: () => Promise<string | undefined>,
  release: () => void,
): Promise<ProviderError | undefined> {
  try {
    const note = await work();
    await writeRecord(site, { ...record, state: "done", endedAt: site.now(), note: note ?? null });
    return undefined;
  } catch (error) {
    const failure = asProviderError(error, "maybe");
    site.log.warn(
      { err: error, operationId: record.id, kind: record.kind, machineId: record.machineId },
      "operation failed",
    );
    const { code, message, effect } = failure;
    await writeRecord(site, {
      ...record,
      state: "failed",
      endedAt: site.now(),
      error: { code, message, effect },
    }).catch((cause: unknown) =>
      site.log.error({ err: cause }, "cannot record a failed operation"),
    );
    return failure;
  } finally {
    release();
    site.changed(record.machineId);
  }
}

/** Nobody waits for this call any more, so it is not begun. */
export function demandInterest(call: ReadCall): void {
  if (!call.signal.aborted) return;
  throw new ProviderError("unavailable", "The caller gave up before the call began.", {
    effect: "none",
    cause: call.signal.reason,
  });
}

/** Anything unexpected is "unknown, look first"; a full disk is always told as such. */
export function asProviderError(error: unknown, effect: "none" | "maybe"): ProviderError {
  if (error instanceof ProviderError) return error;
  if (errorCode(error) === "ENOSPC" || errorCode(error) === "EDQUOT") {
    return new ProviderError("capacity", "The disk of this host is full.", {
      effect: "none",
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new ProviderError("unknown", message, { effect, cause: error });
}

async function readOperation(site: Site, id: string): Promise<OperationRecord | undefined> {
  return parseRecord(await readIfThere(recordPath(site, id)));
}

function parseRecord(text: string | undefined): OperationRecord | undefined {
  if (text === undefined) return undefined;
  try {
    return operationSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function writeRecord(site: Site, record: OperationRecord): Promise<void> {
  await writeDurably(recordPath(site, record.id), `${JSON.stringify(record)}\n`);
}

function recordPath(site: Site, id: string): string {
  return join(site.root, "operations", `${fileNameOf(id)}.json`);
}

function lockName(id: string): string {
  return `op-${fileNameOf(id)}`;
}

/** The control plane's ids are foreign input to a file name. */
function fileNameOf(id: string): string {
  return createHash("sha256").update(id).digest("hex").slice(0, 40);
}

function errorOf(record: OperationRecord): ProviderError {
  const error = record.error ?? { code: "unknown", message: "no error recorded", effect: "maybe" };
  return new ProviderError(error.code, error.message, { effect: error.effect });
}
