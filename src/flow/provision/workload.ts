/**
 * Makes ready on this disk what an attempt is handed: one tar file with the script and the inputs,
 * the same bytes however often it is made. It lies there until the attempt's machine is gone.
 */
import { createHash } from "node:crypto";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";

import { z } from "zod";

import { tarEnd, tarEntry, type Entry } from "#archive/tar.ts";
import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { scriptName } from "#flow/admit/job.ts";
import type { Request } from "#flow/admit/requests.ts";
import type { Workload } from "#flow/admit/rows.ts";
import { classOf } from "#flow/queue/store.ts";
import { Failure } from "#kernel/failure.ts";
import { mebibyte } from "#kernel/shape.ts";
import type { WorkloadSpec } from "#providers/provider.ts";
import { attemptAt, folders, isOwnId, nameIt, receive } from "#storage/disk.ts";
import { findFile, type StoredFile } from "#storage/files.ts";
import { readRange } from "#storage/read.ts";
import { names } from "#storage/sweep.ts";

import type { PrepareWorkload } from "./adopt.ts";
import { savedEntries, savedWork } from "./checkpoint.ts";
import { ranksOf } from "./ranks.ts";

export interface AttemptLimits {
  /** Of one attempt's log; a program that prints more goes on, and the log says that it is cut. */
  readonly logBytesMax: number;
  /** Of one attempt's results, as a tar file. */
  readonly resultsBytesMax: number;
}

export const attemptLimits: AttemptLimits = {
  logBytesMax: 64 * mebibyte,
  resultsBytesMax: 1024 * mebibyte,
};

const archiveName = "inputs.tar";
/** As long as the notice of an interruption, unless the operator changed that. */
const savingSeconds = 60;

export function prepareWorkloads(context: {
  readonly db: Db;
  /** Of the tenants' storage. */
  readonly root: string;
  readonly limits: AttemptLimits;
}): PrepareWorkload {
  const { db, root, limits } = context;
  return async (request, instanceId): Promise<WorkloadSpec | undefined | "later"> => {
    const { workload } = request;
    if (workload === null) return undefined;
    const ranks = await ranksOf(db, request);
    if (ranks === "later") return "later";
    const key = { tenantId: request.tenant_id, jobId: request.id, attempt: request.turn };
    const saved = await savedWork(db, root, key);
    const inputsPath =
      workload.script === null && workload.inputs.length === 0 && saved === undefined
        ? undefined
        : await packInputs({ db, root, request, workload, instanceId, saved });
    return {
      command: workload.command,
      environment: {
        ...workload.environment,
        ...ranks.environment,
        MILLRACE_JOB_ID: request.id,
        MILLRACE_ATTEMPT: String(request.turn),
      },
      ...(ranks.addressVariable === undefined ? {} : { addressVariable: ranks.addressVariable }),
      ...(inputsPath === undefined ? {} : { inputsPath }),
      ...(workload.checkpoint === null
        ? {}
        : { checkpoint: ["/bin/sh", "-c", workload.checkpoint] }),
      timeLimitSeconds: workload.timeLimitSeconds,
      // One byte more than is kept shows that there was more.
      logBytesMax: limits.logBytesMax + 1,
      resultsBytesMax: limits.resultsBytesMax,
      ...queueFacts(request, workload),
    };
  };
}

/** What a platform with a queue of its own needs to know to treat it as ours does. */
function queueFacts(request: Request, workload: Workload): Partial<WorkloadSpec> {
  const { gang_id: gangId, gang_size: size, gang_rank: rank, gang_how: how, turn } = request;
  return {
    framework: workload.framework,
    tier: classOf(request.priority),
    preemptible: workload.preemptible,
    graceSeconds: savingSeconds,
    ...(gangId === null ? {} : { gang: { id: `${gangId}-${turn}`, size, rank, how } }),
  };
}

interface Packing {
  readonly db: Db;
  readonly root: string;
  readonly request: Request;
  readonly workload: Workload;
  readonly instanceId: string;
  /** Results of an attempt before, of which it goes on. */
  readonly saved: StoredFile | undefined;
}

async function packInputs(packing: Packing): Promise<string> {
  const { db, root, request, workload, instanceId } = packing;
  const path = join(attemptAt(root, instanceId), archiveName);
  // It got this name when it was whole.
  if ((await stat(path).catch(() => undefined)) !== undefined) return path;
  const files: StoredFile[] = [];
  for (const id of workload.inputs) {
    const file = await findFile(db, { tenantId: request.tenant_id, id });
    if (file === undefined || file.state !== "ready") {
      throw new Failure("not_found", `The input ${file?.name ?? id} is not there any more.`);
    }
    files.push(file);
  }
  const draft = await receive(root, archive(packing, files), {
    bytesMax: Number.POSITIVE_INFINITY,
    tooLarge: () => new Failure("internal", "an archive without a limit is never too large"),
  });
  await nameIt(draft.path, path);
  return path;
}

async function* archive(
  { root, request, workload, saved }: Packing,
  files: readonly StoredFile[],
): AsyncGenerator<Buffer> {
  const entry = (path: string, mode: number, size: number): Entry => ({
    kind: "file",
    path,
    mode,
    uid: 0,
    gid: 0,
    user: "",
    group: "",
    size,
    modifiedAt: request.created_at,
  });
  if (workload.script !== null) {
    const script = Buffer.from(executable(workload.script));
    yield* tarEntry({ entry: entry(scriptName, 0o755, script.length), content: once(script) });
  }
  for (const file of files) {
    const content = await readRange(root, file, { from: 0, until: file.sizeBytes });
    yield* tarEntry({
      entry: entry(file.name, 0o644, file.sizeBytes),
      content: checked(content, file),
    });
  }
  if (saved !== undefined) yield* savedEntries(root, saved);
  yield tarEnd();
}

/** A script whose first line names no interpreter is one of /bin/sh. */
export function executable(script: string): string {
  return script.startsWith("#!") ? script : `#!/bin/sh\n${script}`;
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/** Bytes that are not those that were uploaded must not run as if they were. */
async function* checked(content: AsyncIterable<Buffer>, file: StoredFile): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest("hex") !== file.sha256) {
    throw new Failure(
      "not_found",
      `The input ${file.name} is damaged on the disk; upload it again.`,
    );
  }
}

/** Removes what attempts were handed whose machines are gone. */
export async function removeAttemptFiles(db: Db, root: string): Promise<void> {
  const found = (await names(join(root, folders.attempts))).filter(isOwnId);
  if (found.length === 0) return;
  const gone = await db.rows(
    sql`select id from instance where id = any(${found}::uuid[]) and state = 'gone'`,
    z.object({ id: z.string() }),
  );
  for (const { id } of gone) {
    await rm(attemptAt(root, id), { recursive: true, force: true });
  }
}
