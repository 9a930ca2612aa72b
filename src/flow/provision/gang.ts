/**
 * What becomes of a gang as a whole, from how its members stand. Pure. What must stay true: members end
 * together and go back into the line together, never one alone; what the platform did to one is not taken
 * for what the others' programs did because of it; who has ended well waits for the others.
 */
import { unreachable } from "#kernel/assert.ts";
import type { Reason } from "#kernel/reason.ts";

import { makingRoomMs, retryAt } from "./interruption.ts";
import type { AttemptEnd } from "./view.ts";

export interface GangMember {
  readonly requestId: string;
  readonly rank: number;
  readonly wanted: "running" | "stopped" | "released";
  /** Its request is closed. */
  readonly ended: boolean;
  /** Why it was ended or let go, if somebody said so. */
  readonly reason: Reason | null;
  /** How its attempt of this turn ended; null as long as it has not. */
  readonly end: AttemptEnd | null;
  /** It holds nothing any more: its machine is gone, or it never had one. */
  readonly free: boolean;
  /** Its attempt was told to save its work and has not ended. */
  readonly told: boolean;
  /** Its machine is not where it should be; soon it is known whether it was lost. */
  readonly missing: boolean;
}

export interface Gang {
  /** All members, in the order of their ranks. */
  readonly members: readonly GangMember[];
  readonly turn: number;
  /** Turns before this one in which a fault of the platform ended a member; moves do not count. */
  readonly faultsBefore: number;
  readonly retriesMax: number;
}

export type GangStep =
  | { readonly do: "wait" }
  /** All have ended well, and none holds anything. */
  | { readonly do: "close" }
  /** Whoever still runs is let go. */
  | { readonly do: "end"; readonly reason: Reason }
  /** All of them queue again at their old place. */
  | { readonly do: "again"; readonly reason: Reason; readonly heldUntil: number | null };

const wait: GangStep = { do: "wait" };

export function decideGang(gang: Gang, now: number): GangStep {
  const { members } = gang;
  const out = members.find(({ ended, wanted }) => ended || wanted === "released");
  if (out !== undefined) return endWith(gang, out);
  const saving = members.some(({ told, end }) => told && end === null);
  const taken = worstTaken(members);
  if (taken !== undefined) {
    // A fault waits for nobody; who was told to save his work has the time that he was given.
    const isSudden = taken.end.kind === "platform_fault" && taken.end.moved !== true;
    return saving && !isSudden ? wait : goBack(gang, taken, now);
  }
  const bad = members.filter(({ end }) => end !== null && !isGood(end));
  // Others are told to end because one has failed: he is named, not they.
  const failed = bad.find(({ end }) => !isTold(end)) ?? bad[0];
  if (failed !== undefined) {
    // Programs fail when a peer is gone: first it must be known that none is.
    const unsure = saving || members.some(({ missing, end }) => missing && end === null);
    return unsure ? wait : { do: "end", reason: failure(failed) };
  }
  const done = members.every(({ end, free }) => end !== null && free);
  return done ? { do: "close" } : wait;
}

/** Somebody left: canceled, out of credit, or what cannot be made. The others go as well. */
function endWith({ members }: Gang, first: GangMember): GangStep {
  if (members.every(({ ended, wanted }) => ended || wanted === "released")) return wait;
  const because = first.reason?.message ?? "It was released.";
  return {
    do: "end",
    reason: {
      code: first.reason?.code ?? "gang_ended",
      message: `Member ${first.rank} has left its gang, and the others end with it. ${because}`,
      details: { ...first.reason?.details, member: first.rank },
    },
  };
}

interface Taken {
  readonly rank: number;
  readonly end: Extract<AttemptEnd, { readonly kind: "platform_fault" | "preempted" }>;
}

/** What we took from under a member; a fault that counts before one that does not. */
function worstTaken(members: readonly GangMember[]): Taken | undefined {
  const all = members.flatMap(({ rank, end }): Taken[] =>
    end?.kind === "platform_fault" || end?.kind === "preempted" ? [{ rank, end }] : [],
  );
  return (
    all.find(({ end }) => end.kind === "platform_fault" && end.moved !== true) ??
    all.find(({ end }) => end.kind === "preempted") ??
    all[0]
  );
}

function goBack(gang: Gang, { rank, end }: Taken, now: number): GangStep {
  const details = { attempt: gang.turn, member: rank };
  if (end.kind === "preempted") {
    const message =
      end.detail === undefined
        ? "It made room for other work, all members together; its next attempt goes on from what they had saved."
        : `All members go back together because of member ${rank}. ${end.detail} Their next attempt goes on from what they had saved.`;
    return {
      do: "again",
      reason: { code: "preempted", message, details },
      heldUntil: now + makingRoomMs,
    };
  }
  if (end.moved === true) {
    const message = `All members go on elsewhere because of member ${rank}: ${end.detail}`;
    return { do: "again", reason: { code: "moved", message, details }, heldUntil: null };
  }
  const retry = gang.faultsBefore + 1;
  const known = { ...details, retriesMax: gang.retriesMax };
  const what = `The platform lost member ${rank} (${end.detail})`;
  if (retry > gang.retriesMax) {
    const message = `${what}, and no retry is left.`;
    return { do: "end", reason: { code: "platform_fault", message, details: known } };
  }
  const message = `${what}; all members go back, retry ${retry} of ${gang.retriesMax} follows.`;
  return {
    do: "again",
    reason: { code: "platform_fault", message, details: known },
    heldUntil: retryAt(retry, now),
  };
}

function isTold(end: AttemptEnd | null): boolean {
  return end?.kind === "signaled" && end.signal === "SIGTERM";
}

function isGood(end: AttemptEnd): boolean {
  return end.kind === "exited" && end.exitCode === 0;
}

function failure({ rank, end }: GangMember): Reason {
  return {
    code: "member_failed",
    message: `Member ${rank} ${end === null ? "ended" : endWords(end)}, so the others were ended.`,
    details: { member: rank, ...(end === null ? {} : { end: { ...end } }) },
  };
}

function endWords(end: AttemptEnd): string {
  switch (end.kind) {
    case "exited":
      return `ended with exit code ${end.exitCode}`;
    case "signaled":
      return `was ended by ${end.signal}`;
    case "timed_out":
      return "ran longer than its limit";
    case "canceled":
      return "was canceled";
    case "preempted":
      return "made room for other work";
    case "platform_fault":
      return `was lost by the platform (${end.detail})`;
  }
  return unreachable(end);
}
