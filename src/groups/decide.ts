/**
 * How many members a group should have, and which are to be made and released (S-02). Pure: from one
 * look at the group and the time to a list of changes.
 *
 * The algorithm is that of the horizontal autoscaler of Kubernetes: the members are to use `target` of
 * the signal on average, so their number is multiplied by how far they are from it; within 10 % of it
 * nothing is done. What nobody can see is counted so that it delays a change and never causes one. Of
 * several signals the one that asks for the most members decides. Before the group shrinks, the
 * highest number of a window must have been no higher.
 *
 * Members are numbered from 0 without gaps, as a StatefulSet's are: the highest number goes first, and
 * who is lost is replaced under his own number.
 */
export const signals = ["cpu", "memory", "gpu", "sessions"] as const;
export type Signal = (typeof signals)[number];

export interface Target {
  readonly signal: Signal;
  /** Mean over the members: percent, or people who are logged in. */
  readonly value: number;
}

export interface Direction {
  /** The steadiest number of so long is followed, not the newest. */
  readonly stabilizationMs: number;
  /** After a change, none in this direction for so long. */
  readonly cooldownMs: number;
}

export interface Rules {
  /** Empty: the customer alone says how many. */
  readonly targets: readonly Target[];
  readonly scaleOut: Direction;
  readonly scaleIn: Direction;
}

/** Advised without a break from the one instant to the other. */
export interface Advised {
  readonly wanted: number;
  readonly from: number;
  readonly until: number;
}

export interface Standing {
  readonly advice: readonly Advised[];
  readonly outAt: number | null;
  readonly inAt: number | null;
}

export interface Member {
  readonly ordinal: number;
  readonly leaseId: string;
  /** `lost`: its lease ended without the group's doing. `leaving`: it is being released. */
  readonly phase: "ready" | "starting" | "stopped" | "leaving" | "lost";
  /** What is not there, or `null`, nobody could see, or not lately. */
  readonly figures: Readonly<Partial<Record<Signal, number | null>>>;
}

export interface Facts {
  readonly min: number;
  readonly max: number;
  readonly wanted: number;
  readonly rules: Rules;
  readonly standing: Standing;
  readonly members: readonly Member[];
  /** By number: when the member joined that was lost last. */
  readonly lostJoinedAt: ReadonlyMap<number, number>;
  readonly now: number;
}

export interface Advice {
  readonly signal: Signal;
  readonly target: number;
  /** Of those that were seen; `null` if none was. */
  readonly mean: number | null;
  readonly seen: number;
  readonly missing: number;
  readonly starting: number;
  /** How many members it asks for; `null`: it has no say. */
  readonly wanted: number | null;
}

export interface Decision {
  readonly wanted: number;
  readonly advice: readonly Advice[];
  readonly standing: Standing;
  /** Numbers to make a member for, lowest first. */
  readonly create: readonly number[];
  /** Highest number first. */
  readonly release: readonly Member[];
  readonly lost: readonly Member[];
}

const tolerance = 0.1;
/** The most members at once: as many as there are, or so many. */
const outAtOnceMin = 4;
/** A member that is lost again and again is made anew this often at most. */
export const replaceRestMs = 5 * 60_000;

export function decide(facts: Facts): Decision {
  const { min, max, members, now } = facts;
  const advice = facts.rules.targets.map((target) => adviceOf(target, facts));
  const { wanted: steady, standing } = stabilized(facts, adviced(facts, advice));
  const wanted = Math.min(max, Math.max(min, steady));
  const held = members.filter(({ phase }) => phase !== "lost");
  const taken = new Set(held.map(({ ordinal }) => ordinal));
  return {
    wanted,
    advice,
    standing,
    create: Array.from({ length: wanted }, (_, ordinal) => ordinal).filter(
      (ordinal) => !taken.has(ordinal) && mayBeMade(facts.lostJoinedAt.get(ordinal), now),
    ),
    release: held
      .filter(({ ordinal, phase }) => ordinal >= wanted && phase !== "leaving")
      .toSorted((a, b) => b.ordinal - a.ordinal),
    lost: members.filter(({ phase }) => phase === "lost"),
  };
}

/** A clock that was set back is no reason to wait. */
function mayBeMade(lostJoinedAt: number | undefined, now: number): boolean {
  return lostJoinedAt === undefined || !isWithin(lostJoinedAt, replaceRestMs, now);
}

function isWithin(at: number | null, forMs: number, now: number): boolean {
  return at !== null && now - at >= 0 && now - at < forMs;
}

function adviceOf({ signal, value: target }: Target, { members, wanted }: Facts): Advice {
  const ready = members.filter(({ phase }) => phase === "ready");
  const seen = ready.flatMap(({ figures }) => figures[signal] ?? []);
  const missing = ready.length - seen.length;
  const starting = members.filter(({ phase }) => phase === "starting").length;
  const known = { signal, target, seen: seen.length, missing, starting };
  if (seen.length === 0) return { ...known, mean: null, wanted: null };
  const sum = seen.reduce((total, figure) => total + figure, 0);
  const mean = sum / seen.length;
  return { ...known, mean, wanted: numberFor({ ...known, sum, mean, wanted }) };
}

function numberFor(of: {
  readonly signal: Signal;
  readonly target: number;
  readonly sum: number;
  readonly mean: number;
  readonly seen: number;
  readonly missing: number;
  readonly starting: number;
  readonly wanted: number;
}): number {
  const { target, sum, mean, seen, missing, starting, wanted } = of;
  const ratio = mean / target;
  if (isNear(ratio)) return wanted;
  // Who starts does nothing yet; who cannot be seen does nothing when the others have too much to do,
  // and all that he could when they have too little.
  const idle = ratio > 1 ? missing + starting : 0;
  const busy = ratio < 1 ? missing : 0;
  const count = seen + idle + busy;
  const filled = (sum + busy * mostOf(of.signal, target)) / count / target;
  if (isNear(filled) || filled > 1 !== ratio > 1) return wanted;
  const number = Math.ceil(roundedUp(filled * count));
  return ratio > 1 ? Math.max(wanted, number) : Math.min(wanted, number);
}

function isNear(ratio: number): boolean {
  return Math.abs(ratio - 1) <= tolerance + 1e-9;
}

/** 3.0000000001 members are three. */
function roundedUp(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

function mostOf(signal: Signal, target: number): number {
  return signal === "sessions" ? target : Math.max(100, target);
}

/** What all signals together ask for; one that nobody sees keeps the group from shrinking. */
function adviced({ wanted, min, max, members }: Facts, advice: readonly Advice[]): number {
  const numbers = advice.flatMap((each) => each.wanted ?? []);
  // Without members there is nothing to measure: the customer brings the first.
  if (numbers.length === 0 || wanted === 0) return wanted;
  const most = Math.max(...numbers);
  const floor = numbers.length < advice.length ? wanted : 0;
  const there = members.filter(({ phase }) => phase !== "lost" && phase !== "leaving").length;
  const atOnce = Math.max(wanted, there + Math.max(there, outAtOnceMin));
  // A group that its rules brought to nothing would never come back by them.
  return Math.min(atOnce, max, Math.max(most, floor, min, 1));
}

function stabilized(
  { wanted, rules, standing, now }: Facts,
  advised: number,
): { readonly wanted: number; readonly standing: Standing } {
  if (rules.targets.length === 0) return { wanted, standing: { ...standing, advice: [] } };
  const { scaleOut, scaleIn } = rules;
  const windowMs = Math.max(scaleOut.stabilizationMs, scaleIn.stabilizationMs);
  const earlier = standing.advice.filter(({ until }) => until <= now && now - until <= windowMs);
  // Before the first look of a group counts what it was made with.
  const from = standing.advice.length === 0 ? [{ wanted, from: now, until: now }] : earlier;
  const advice = withAdvice(from, advised, now);
  const within = (ms: number): number[] =>
    advice.filter(({ until }) => now - until < ms).map((each) => each.wanted);
  const lowest = Math.min(advised, ...within(scaleOut.stabilizationMs));
  const highest = Math.max(advised, ...within(scaleIn.stabilizationMs));
  const steady = lowest > wanted ? lowest : highest < wanted ? highest : wanted;
  const { outAt, inAt } = standing;
  if (steady > wanted && !isWithin(outAt, scaleOut.cooldownMs, now)) {
    return { wanted: steady, standing: { advice, outAt: now, inAt } };
  }
  const restsIn =
    isWithin(inAt, scaleIn.cooldownMs, now) || isWithin(outAt, scaleIn.cooldownMs, now);
  if (steady < wanted && !restsIn) {
    return { wanted: steady, standing: { advice, outAt, inAt: now } };
  }
  return { wanted, standing: { ...standing, advice } };
}

function withAdvice(earlier: readonly Advised[], wanted: number, now: number): Advised[] {
  const last = earlier.at(-1);
  return last?.wanted === wanted
    ? [...earlier.slice(0, -1), { ...last, until: now }]
    : [...earlier, { wanted, from: now, until: now }];
}
