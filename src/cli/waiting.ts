/**
 * Waiting for long work. The server answers as soon as the work has ended; the wait has a limit,
 * and giving up (or Ctrl-C) ends the wait, never the work, and says how to wait further.
 */
import { z } from "zod";

import { pause } from "#client/deadline.ts";
import type { Lease, operationRecord } from "#contract/schemas/compute.ts";
import { Failure, isFailureCode } from "#kernel/failure.ts";

import { flag } from "./define.ts";
import { startProgress } from "./progress.ts";
import type { Session } from "./session.ts";
import { duration } from "./text.ts";
import { seconds } from "./values.ts";

export type OperationRecord = z.output<typeof operationRecord>;

export const waitOptions = z.object({
  wait: flag("--no-wait", "do not wait until it is done", z.boolean().default(true)),
  timeout: flag("--timeout <time>", "how long to wait at most (default 15m)", seconds.default(900)),
});

/** What one request to the server waits; short, so that progress can be shown. */
const pollSeconds = 5;

interface Wait {
  readonly timeoutSeconds: number;
  /** Such as "web is being created". */
  readonly what: string;
  /** A fresher word for the progress line. */
  readonly detail?: () => Promise<string>;
}

/** The record of the work when it has succeeded; throws a failure with its reason when it has not. */
export async function waitFor(
  session: Session,
  operation: OperationRecord,
  { timeoutSeconds, what, detail }: Wait,
): Promise<OperationRecord> {
  const startedAt = performance.now();
  const progress = startProgress(process.stderr, what);
  let current = operation;
  try {
    while (current.state === "running") {
      const leftSeconds = timeoutSeconds - (performance.now() - startedAt) / 1000;
      if (leftSeconds <= 0) throw tooLong(current, what, timeoutSeconds);
      const waitSeconds = Math.max(1, Math.min(pollSeconds, Math.floor(leftSeconds)));
      current = await session.client.call("getOperation", {
        params: { operationId: current.id },
        query: { waitSeconds },
      });
      if (current.state === "running" && detail !== undefined && process.stderr.isTTY) {
        progress.say(await detail());
      }
    }
  } catch (error) {
    if (session.signal.aborted) {
      progress.end();
      session.out.note(`${what}; that goes on. To wait further: ${furtherWith(current)}\n`);
    }
    throw error;
  } finally {
    progress.end();
  }
  if (current.state === "succeeded") return current;
  throw failed(current);
}

/** "after 1.3 s", from the server's own times: until the work ended, or the lease was ready. */
export function tookText(operation: OperationRecord, lease?: Lease): string {
  const ready = lease?.state === "running" ? lease.readyAt : null;
  const ends = [operation.endedAt, ready].flatMap((at) => (at === null ? [] : [Date.parse(at)]));
  if (ends.length === 0) return "";
  return `after ${duration(Math.max(...ends) - Date.parse(operation.createdAt))}`;
}

const underWay: readonly Lease["state"][] = ["creating", "starting", "stopping", "releasing"];
const lookEveryMs = 300;
/** For what follows the work with the platform's next look. */
const followsMs = 60_000;

/**
 * The lease once it stands still: an operation may have done its part (told the guest to restart)
 * before the lease has come to where that leads.
 */
export async function settledLease(
  { client, signal }: Session,
  {
    leaseId,
    timeoutSeconds,
    settles = () => true,
  }: {
    readonly leaseId: string;
    readonly timeoutSeconds: number;
    readonly settles?: (lease: Lease) => boolean;
  },
): Promise<Lease> {
  const startedAt = performance.now();
  for (;;) {
    const lease = await client.call("getLease", { params: { leaseId } });
    const passedMs = performance.now() - startedAt;
    const isStill = !underWay.includes(lease.state);
    if (passedMs > timeoutSeconds * 1000 || (isStill && passedMs > followsMs)) return lease;
    if (isStill && settles(lease)) return lease;
    await pause(lookEveryMs, signal);
  }
}

function failed({ kind, state, reason }: OperationRecord): Failure {
  if (state === "superseded") {
    return new Failure("wrong_state", `The ${kind} was given up for a later request.`);
  }
  const code = reason !== null && isFailureCode(reason.code) ? reason.code : "unavailable";
  const said = reason?.message ?? "The server gives no reason.";
  return new Failure(code, `The ${kind} failed: ${said}`, { details: reason?.details ?? {} });
}

function tooLong(operation: OperationRecord, what: string, timeoutSeconds: number): Failure {
  return new Failure(
    "timeout",
    `${what}, for ${duration(timeoutSeconds * 1000)} now; that goes on. To wait further: ${furtherWith(operation)}`,
  );
}

function furtherWith(operation: OperationRecord): string {
  return `millrace operation wait ${operation.id}`;
}
