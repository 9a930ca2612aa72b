/**
 * Logs and results of jobs. A log is read by ranges and followed as events; both see only bytes
 * that count (src/storage), so nobody reads half a write, and an offset means the same for ever.
 */
import type { Handler, ServerEvent, StreamContext } from "#api/handler.ts";
import type { Operations } from "#contract/operations.ts";
import { memberId, type JobView } from "#flow/provision/job-view.ts";
import { Failure } from "#kernel/failure.ts";
import { attemptFiles, findAttemptFile, type StoredFile } from "#storage/files.ts";
import { bytesGone, readBytes, readRange } from "#storage/read.ts";

import { jobView } from "./jobs.ts";
import { logData, parsePosition, wholeCharacters, type LogPosition } from "./log-data.ts";

export const readJobLog: Handler<Operations["readJobLog"]> = async ({ params, query }, context) => {
  const { view, logs } = await logsOf(
    context,
    await requestOf(context, params.jobId, query.member),
  );
  const number = query.attempt ?? logs.at(-1)?.attempt ?? view.turn;
  requireAttempt(view, number);
  const log = logs.find(({ attempt }) => attempt === number);
  const until = Math.max(query.offset, log?.sizeBytes ?? 0);
  const from = query.offset;
  return {
    contentType: "text/plain; charset=utf-8",
    body: log === undefined ? new Uint8Array() : await rangeOf(context, log, { from, until }),
    contentLength: until - from,
    headers: { "millrace-log-offset": String(until), "millrace-log-attempt": String(number) },
  };
};

function rangeOf(
  { services }: StreamContext,
  log: StoredFile,
  range: { readonly from: number; readonly until: number },
): ReturnType<typeof readRange> {
  if (log.state === "missing") throw bytesGone();
  return readRange(services.storageDirectory, log, range);
}

export const downloadJobResults: Handler<Operations["downloadJobResults"]> = async (
  { params, query },
  context,
) => {
  const jobId = await requestOf(context, params.jobId, query.member);
  const { view, results } = await context.read(async (tx) => {
    const key = { tenantId: context.tenantId, jobId };
    const found = await jobView(tx, { tenantId: context.tenantId, id: jobId });
    const attempt = found.attempts.at(-1)?.turn ?? found.turn;
    return { view: found, results: await findAttemptFile(tx, { ...key, attempt }, "results") };
  });
  if (results?.state === "missing") throw bytesGone();
  if (results?.state !== "ready") throw noResults(view, results);
  const range = { from: 0, until: results.sizeBytes };
  return {
    contentType: "application/x-tar",
    body: await readRange(context.services.storageDirectory, results, range),
    contentLength: results.sizeBytes,
    fileName: results.name,
  };
};

function noResults(view: JobView, results: StoredFile | undefined): Failure {
  const why =
    results?.reason?.message ??
    (view.ended_at === null
      ? `it is ${view.state}; results are there once the program ended`
      : "its program left none, or they were deleted");
  return new Failure("wrong_state", `The job ${view.name} has no results: ${why}.`, {
    details: { state: view.state },
  });
}

/** Bytes of one event; the client takes events of up to 4 Mi characters. */
const pieceBytesMax = 256 * 1024;
/** A look of its own, in case a nudge is lost. */
const lookEveryMs = 1_000;

export const followJobLog: Handler<Operations["followJobLog"]> = async (
  { params, query },
  context,
) => {
  const jobId = await requestOf(context, params.jobId, query.member);
  const { view } = await logsOf(context, jobId);
  const resumed = parsePosition(context.lastEventId);
  const attempt = query.attempt ?? resumed?.attempt;
  if (attempt !== undefined) requireAttempt(view, attempt);
  const offset = resumed?.attempt === attempt ? (resumed?.offset ?? query.offset) : query.offset;
  return follow(context, { jobId, only: query.attempt, attempt, offset });
};

interface Following {
  readonly jobId: string;
  /** Of this attempt and no later one. */
  readonly only: number | undefined;
  readonly attempt: number | undefined;
  readonly offset: number;
}

async function* follow(
  context: StreamContext,
  { jobId, only, attempt, offset }: Following,
): AsyncGenerator<ServerEvent> {
  let at: LogPosition | undefined = attempt === undefined ? undefined : { attempt, offset };
  while (!context.signal.aborted) {
    const next = nextChange(context);
    try {
      const { view, logs } = await logsOf(context, jobId);
      at ??= firstPosition(logs, offset);
      const log = logs.find((each) => each.attempt === at?.attempt);
      if (at !== undefined && log !== undefined && log.sizeBytes > at.offset) {
        const piece = await pieceOf(context, log, at);
        at = { attempt: at.attempt, offset: at.offset + piece.length };
        yield { id: `${at.attempt}:${at.offset}`, event: "log", data: logData(piece) };
        continue;
      }
      const whole = log === undefined || log.state !== "writing";
      const later = only === undefined && whole ? attemptAfter(logs, at) : undefined;
      if (later !== undefined) {
        at = { attempt: later, offset: 0 };
        continue;
      }
      if (whole && isOver(view, only)) return;
      await next.happened;
    } finally {
      next.cancel();
    }
  }
}

/** The job ended, or the one attempt that is asked about: there will be no more of its log. */
function isOver(view: JobView, only: number | undefined): boolean {
  if (view.ended_at !== null) return true;
  const attempt = view.attempts.find(({ turn }) => turn === only);
  return attempt?.state === "gone";
}

function firstPosition(logs: readonly StoredFile[], offset: number): LogPosition | undefined {
  const attempt = logs.at(-1)?.attempt ?? undefined;
  return attempt === undefined ? undefined : { attempt, offset };
}

function attemptAfter(
  logs: readonly StoredFile[],
  at: LogPosition | undefined,
): number | undefined {
  return (
    logs.find(({ attempt }) => (attempt ?? 0) > (at?.attempt ?? Infinity))?.attempt ?? undefined
  );
}

async function pieceOf(
  { services }: StreamContext,
  log: StoredFile,
  at: LogPosition,
): Promise<Buffer> {
  if (log.state === "missing") throw bytesGone();
  const until = Math.min(log.sizeBytes, at.offset + pieceBytesMax);
  const bytes = await readBytes(services.storageDirectory, log, { from: at.offset, until });
  const isEnd = log.state !== "writing" && until === log.sizeBytes;
  return isEnd ? bytes : wholeCharacters(bytes);
}

/** The next bytes of a log, or the next thing that happens to a job. */
function nextChange({ services, signal }: StreamContext): {
  readonly happened: Promise<unknown>;
  readonly cancel: () => void;
} {
  const limit = { signal, timeoutMs: lookEveryMs };
  const all = ["log", "request"].map((channel) => services.changes.next(channel, limit));
  return {
    happened: Promise.race(all.map((change) => change.happened)),
    cancel: () => {
      for (const change of all) change.cancel();
    },
  };
}

/** A job of several members has a log and results for each. */
async function requestOf(
  context: StreamContext,
  jobId: string,
  member: number | undefined,
): Promise<string> {
  if (member === undefined) return jobId;
  const { tenantId } = context;
  const found = await context.read((tx) => memberId(tx, { tenantId, jobId, rank: member }));
  if (found !== undefined) return found;
  const { name, gang_size: size } = await context.read((tx) =>
    jobView(tx, { tenantId, id: jobId }),
  );
  throw new Failure("not_found", `The job ${name} has members 0 to ${size - 1}, no ${member}.`, {
    details: { members: size, member },
  });
}

async function logsOf(
  context: StreamContext,
  jobId: string,
): Promise<{ readonly view: JobView; readonly logs: readonly StoredFile[] }> {
  const { tenantId } = context;
  return context.read(async (tx) => {
    const view = await jobView(tx, { tenantId, id: jobId });
    const logs = await attemptFiles(tx, { tenantId, jobId }, "log");
    return { view, logs: logs.filter(({ state }) => state !== "deleting") };
  });
}

function requireAttempt(view: JobView, number: number): void {
  if (number <= view.turn) return;
  throw new Failure("not_found", `The job ${view.name} has no attempt ${number} yet.`, {
    details: { attempts: view.turn },
  });
}
