/** A job as a person and as a shell see it. */
import { constants } from "node:os";

import type { Job } from "#contract/schemas/jobs.ts";
import { failureClasses } from "#kernel/failure.ts";

import { adviceFields } from "./advice.ts";
import { besideFields } from "./beside.ts";
import { fields, table } from "./table.ts";
import {
  because,
  between,
  bytes,
  duration,
  lineFields,
  money,
  none,
  shape,
  time,
  yesNo,
} from "./text.ts";

type Attempt = Job["attempts"][number];
type End = NonNullable<Attempt["end"]>;

export const endedStates: readonly string[] = ["succeeded", "failed", "timed_out", "canceled"];

export function hasEnded(job: Job): boolean {
  return endedStates.includes(job.state);
}

/** Of several members, that of the one because of which the others ended. */
export function lastEnd(job: Job): End | null {
  const cause = job.gang?.members?.find(({ state }) => state === "failed" || state === "timed_out");
  if (cause !== undefined) return cause.attempts.at(-1)?.end ?? null;
  return job.attempts.at(-1)?.end ?? null;
}

/** As the shell's own `timeout` does it. */
const timedOutExitCode = 124;

/** The job's own exit status where it has one; else what a shell would make of its end. */
export function exitCodeOf(job: Job): number {
  if (job.state === "succeeded") return 0;
  const end = lastEnd(job);
  switch (end?.kind) {
    case "exited":
      return end.exitCode === 0 ? failureClasses.unavailable.exitCode : end.exitCode;
    case "signaled":
      return 128 + signalNumber(end.signal);
    case "timed_out":
      return timedOutExitCode;
    case "canceled":
    case "preempted":
      return 128 + constants.signals.SIGTERM;
    case "platform_fault":
      return failureClasses.unavailable.exitCode;
    case undefined:
      return job.state === "timed_out" ? timedOutExitCode : failureClasses.unavailable.exitCode;
  }
  return failureClasses.unavailable.exitCode;
}

export function endText(end: End | null): string {
  switch (end?.kind) {
    case "exited":
      return `exit status ${end.exitCode}`;
    case "signaled":
      return `ended by ${end.signal}`;
    case "timed_out":
      return "ended at its time limit";
    case "canceled":
      return "canceled";
    case "preempted":
      return end.detail === undefined ? "preempted" : `preempted: ${end.detail}`;
    case "platform_fault":
      return `platform fault: ${end.detail}`;
    case undefined:
      return none;
  }
  return none;
}

/** "train succeeded after 3.2 s (exit status 0)." */
export function jobSummary(job: Job): string {
  const why = job.reason === null ? "" : `\n${because(job.reason)}`;
  if (!hasEnded(job)) return `${job.name} is ${job.state}.${why}\n`;
  const end = lastEnd(job);
  const ended = `${job.name} ${job.state} after ${between(job.createdAt, job.endedAt)}`;
  // Of every other end the reason says the same in more words.
  if (end === null || end.kind === "canceled") return `${ended}.${why}\n`;
  return `${ended} (${endText(end)}).\n`;
}

export function jobText(job: Job): string {
  const head = fields([
    ["Name", job.name],
    ["State", job.state],
    ["Why", job.reason === null ? undefined : because(job.reason)],
    ...adviceFields(job.reason),
    ...lineFields(job.line),
    ["Flavor", shape(job.flavor)],
    ["Image", job.image],
    ["Price", `${money(job.price.hourly)} per hour`],
    ["Time limit", duration(job.timeLimitSeconds * 1000)],
    ["Preemptible", yesNo(job.preemptible)],
    ["Checkpoint", job.checkpoint ?? undefined],
    ["Members", membersField(job)],
    ...besideFields(job),
    ["Results", bytes(job.resultsBytes)],
    ["Created", time(job.createdAt)],
    ["Ended", time(job.endedAt)],
    ["Id", job.id],
    ["Project", job.projectId],
  ]);
  const { gang } = job;
  if (gang !== null && gang.members !== null) return `${head}\n${membersText(gang.members)}`;
  if (job.attempts.length === 0) return head;
  const attempts = table<Attempt>(
    [
      { title: "ATTEMPT", cell: (attempt) => attempt.number, right: true },
      { title: "STATE", cell: (attempt) => attempt.state },
      { title: "STARTED", cell: (attempt) => time(attempt.startedAt) },
      {
        title: "TOOK",
        cell: (attempt) => between(attempt.startedAt, attempt.endedAt),
        right: true,
      },
      { title: "END", cell: (attempt) => endText(attempt.end) },
      { title: "BILLED", cell: (attempt) => yesNo(attempt.billable) },
      { title: "LOG", cell: (attempt) => bytes(attempt.logBytes), right: true },
    ],
    job.attempts,
  );
  const costs = `What each comes to: millrace job costs ${job.name}\n`;
  if (job.preemptions.length === 0) return `${head}\n${attempts}${costs}`;
  const preemptions = table<Job["preemptions"][number]>(
    [
      { title: "ATTEMPT", cell: (each) => each.attempt, right: true },
      { title: "TOLD", cell: (each) => time(each.askedAt) },
      { title: "CAUSE", cell: (each) => each.cause },
      { title: "STATE", cell: (each) => each.state.replace("_", " ") },
      { title: "WHY", cell: (each) => each.message },
    ],
    job.preemptions,
  );
  return `${head}\n${attempts}${costs}\n${preemptions}`;
}

function membersField({ gang }: Job): string | undefined {
  if (gang === null) return undefined;
  const how = gang.how === "spread" ? ", each on a host of its own" : "";
  return gang.rank === 0 ? `${gang.size}${how}` : `number ${gang.rank} of ${gang.size}${how}`;
}

type Member = NonNullable<NonNullable<Job["gang"]>["members"]>[number];

function membersText(members: readonly Member[]): string {
  const last = ({ attempts }: Member): Attempt | undefined => attempts.at(-1);
  return table<Member>(
    [
      { title: "MEMBER", cell: (member) => member.rank, right: true },
      { title: "STATE", cell: (member) => member.state },
      { title: "ATTEMPT", cell: (member) => last(member)?.number ?? none, right: true },
      { title: "STARTED", cell: (member) => time(last(member)?.startedAt ?? null) },
      { title: "END", cell: (member) => endText(last(member)?.end ?? null) },
      { title: "ADDRESS", cell: (member) => member.address ?? none },
      { title: "LOG", cell: (member) => bytes(last(member)?.logBytes ?? 0), right: true },
      { title: "RESULTS", cell: (member) => bytes(member.resultsBytes), right: true },
    ],
    members,
  );
}

function signalNumber(signal: string): number {
  const known = Object.entries(constants.signals).find(([name]) => name === signal);
  return known?.[1] ?? 0;
}
