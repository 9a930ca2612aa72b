/**
 * Whose attempts end so that an entry fits? Pure. Of all sets of attempts on one host that the policy
 * lets end and that make enough room, the one with the least lost work: units times the time since the
 * start or the last checkpoint. What must stay true: nobody ends for nothing (without any one of the
 * victims the entry would not fit), leases never end, and who was told already is not told again.
 */
import type { JobPolicy } from "#contract/schemas/job-policy.ts";

import type { WorkClass } from "./work.ts";

/** The entry that waits. */
export interface Waiting {
  readonly id: string;
  readonly workClass: WorkClass;
  readonly waitedMs: number;
  /** Somebody has been told to make room for it: that is waited for. */
  readonly hasVictims: boolean;
}

/** What holds a place on a host. */
export interface Running {
  readonly id: string;
  readonly kind: "lease" | "job";
  readonly hostId: string;
  readonly workClass: WorkClass;
  readonly preemptible: boolean;
  readonly units: number;
  /** Null before its program has started: then nothing is known of what would be lost. */
  readonly startedAt: number | null;
  readonly checkpointAt: number | null;
  /** How often its job was preempted before. */
  readonly preemptions: number;
  readonly told: boolean;
}

export interface Victims {
  readonly hostId: string;
  readonly victims: readonly Running[];
  readonly lostUnitMs: number;
}

/** More sets of attempts on one host are not looked at; the best so far is then taken. */
const setsMax = 2_000;

export function chooseVictims(given: {
  readonly now: number;
  readonly waiting: Waiting;
  readonly running: readonly Running[];
  readonly policy: JobPolicy["preemption"];
  /** Whether the entry fits on the host once these are gone. */
  readonly fits: (hostId: string, without: readonly Running[]) => boolean;
}): Victims | undefined {
  const { now, waiting, policy, fits } = given;
  if (!policy.enabled || waiting.hasVictims) return undefined;
  if (waiting.waitedMs < policy.waitedSecondsMin * 1000) return undefined;
  const allowed = given.running
    .filter((each) => mayEnd(each, waiting, policy, now))
    .map((running) => ({ running, lost: lostUnitMs(running, now) }));
  let best: Victims | undefined;
  for (const [hostId, candidates] of Map.groupBy(allowed, ({ running }) => running.hostId)) {
    const found = leastLost(candidates, {
      sizeMax: policy.atOnceMax,
      lostMax: best?.lostUnitMs ?? Infinity,
      fits: (victims) => fits(hostId, victims),
    });
    if (found !== undefined) best = { hostId, ...found };
  }
  return best;
}

/** Work that is gone when it ends now, in units times milliseconds. */
export function lostUnitMs({ units, startedAt, checkpointAt }: Running, now: number): number {
  const from = Math.max(startedAt ?? now, checkpointAt ?? startedAt ?? now);
  return units * Math.max(0, now - from);
}

function mayEnd(
  running: Running,
  waiting: Waiting,
  policy: JobPolicy["preemption"],
  now: number,
): boolean {
  if (running.kind === "lease" || running.told || running.startedAt === null) return false;
  if (policy.victims === "marked" && !running.preemptible) return false;
  if (running.preemptions >= policy.perJobMax) return false;
  if (now - running.startedAt < policy.ranSecondsMin * 1000) return false;
  return policy.rules.some(
    (rule) => rule.waiting === waiting.workClass && rule.running === running.workClass,
  );
}

interface Candidate {
  readonly running: Running;
  readonly lost: number;
}

/**
 * Sets in the order of what is lost with them: the first that makes room is the best there is. Each set
 * is made once, from the set without its last member, or with that one moved to the next.
 */
function leastLost(
  candidates: readonly Candidate[],
  how: {
    readonly sizeMax: number;
    readonly lostMax: number;
    readonly fits: (victims: readonly Running[]) => boolean;
  },
): Omit<Victims, "hostId"> | undefined {
  const sorted = candidates.toSorted(
    (a, b) => a.lost - b.lost || (a.running.id < b.running.id ? -1 : 1),
  );
  if (!how.fits(sorted.map(({ running }) => running))) return undefined;
  const open: { readonly members: readonly number[]; readonly lost: number }[] = [];
  const push = (members: readonly number[]): void => {
    if (members.length > how.sizeMax || (members.at(-1) ?? 0) >= sorted.length) return;
    const lost = members.reduce((sum, index) => sum + (sorted[index]?.lost ?? 0), 0);
    if (lost >= how.lostMax) return;
    // Of two with the same loss the smaller set first, so that nobody is in it for nothing.
    const at = open.findIndex(
      (each) => each.lost < lost || (each.lost === lost && each.members.length <= members.length),
    );
    open.splice(at === -1 ? open.length : at, 0, { members, lost });
  };
  push([0]);
  for (let seen = 0; seen < setsMax; seen += 1) {
    const next = open.pop();
    if (next === undefined) return undefined;
    const victims = next.members.flatMap((index) => sorted[index]?.running ?? []);
    if (how.fits(victims)) return spared(victims, next.lost, how.fits);
    const last = next.members.at(-1) ?? 0;
    push([...next.members.slice(0, -1), last + 1]);
    push([...next.members, last + 1]);
  }
  return undefined;
}

/** Without those that lose nothing and are not needed. */
function spared(
  victims: readonly Running[],
  lost: number,
  fits: (victims: readonly Running[]) => boolean,
): Omit<Victims, "hostId"> {
  let needed = victims;
  for (const victim of victims) {
    const others = needed.filter((each) => each !== victim);
    if (others.length > 0 && fits(others)) needed = others;
  }
  return { victims: needed, lostUnitMs: lost };
}
