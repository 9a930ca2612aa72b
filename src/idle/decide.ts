/**
 * From what was seen of a lease to what becomes of it: warned, kept as a snapshot, released; and back,
 * whenever something moves. Pure.
 *
 * What must stay true: nothing is released that was not idle, without a gap, for the whole window and
 * the whole warning after it; and nothing without a snapshot that is ready.
 */
import type { Rules } from "./rules.ts";
import { idleSince, type SeenSignals } from "./signals.ts";

export type Stage = "watching" | "warned" | "snapshot" | "released";

/** How far a lease is. Instants in epoch milliseconds. */
export interface Standing {
  readonly stage: Stage;
  readonly since: number;
  /** Of `warned`. */
  readonly releaseAt: number | null;
  readonly snapshotId: string | null;
}

export interface Facts {
  readonly standing: Standing;
  readonly signals: SeenSignals;
  /** The tenant wanted it kept then. */
  readonly keptAt: number | null;
  /** `undefined`: none apply, or it is none that may be released: see `eligibility`. */
  readonly rules: Rules | undefined;
  /** Of `standing.snapshotId`; `none` also if it is gone. */
  readonly snapshot: "none" | "creating" | "ready" | "deleting" | "failed";
  readonly now: number;
}

export type Act =
  | { readonly does: "nothing" }
  | { readonly does: "warn"; readonly idleSince: number }
  /** Takes the warning back. */
  | { readonly does: "take-back" }
  | { readonly does: "snapshot" }
  | { readonly does: "snapshot-again" }
  | { readonly does: "release"; readonly idleSince: number; readonly snapshotId: string }
  /** Of a release that was taken back. */
  | { readonly does: "drop-snapshot"; readonly snapshotId: string };

export interface Decision {
  readonly standing: Standing;
  readonly act: Act;
}

const hourMs = 3_600_000;
/** A snapshot that failed is tried again after that. */
export const snapshotRestMs = hourMs;

/** Who is looked at: leases by the hour that run. A paid term is never released for idleness. */
export function eligibility(lease: {
  readonly plan: "on_demand" | "subscription";
  readonly wanted: "running" | "stopped" | "released";
  readonly running: boolean;
  readonly exempt: boolean;
  readonly canKeep: boolean;
}): "watched" | "subscription" | "not_running" | "exempt" | "cannot_keep" {
  if (lease.plan === "subscription") return "subscription";
  if (lease.wanted !== "running" || !lease.running) return "not_running";
  if (lease.exempt) return "exempt";
  return lease.canKeep ? "watched" : "cannot_keep";
}

export function decide(facts: Facts): Decision {
  const { standing, rules, now } = facts;
  if (standing.stage === "released") return stay(standing);
  const quiet = quietSince(facts);
  if (rules === undefined || quiet === undefined) {
    return standing.stage === "watching" ? leftover(facts) : takeBack(standing, now);
  }
  const idleMs = now - quiet;
  const windowMs = rules.windowHours * hourMs;
  switch (standing.stage) {
    case "watching": {
      if (idleMs < windowMs || standing.snapshotId !== null) return leftover(facts);
      const releaseAt = now + rules.warningHours * hourMs;
      return {
        standing: { ...standing, stage: "warned", since: now, releaseAt },
        act: { does: "warn", idleSince: quiet },
      };
    }
    case "warned":
      if (quiet > standing.since || idleMs < windowMs) return takeBack(standing, now);
      if (now < (standing.releaseAt ?? now)) return stay(standing);
      return {
        standing: { ...standing, stage: "snapshot", since: now, releaseAt: null },
        act: { does: "snapshot" },
      };
    case "snapshot":
      if (idleMs < windowMs + rules.warningHours * hourMs) return takeBack(standing, now);
      return withSnapshot(facts, quiet);
  }
}

function withSnapshot({ standing, snapshot, now }: Facts, quiet: number): Decision {
  const { snapshotId } = standing;
  if (snapshot === "ready" && snapshotId !== null) {
    return {
      standing: { ...standing, stage: "released", since: now },
      act: { does: "release", idleSince: quiet, snapshotId },
    };
  }
  if (snapshot === "creating") return stay(standing);
  return {
    standing: {
      stage: "warned",
      since: now,
      releaseAt: now + snapshotRestMs,
      snapshotId: null,
    },
    act: { does: "snapshot-again" },
  };
}

/** Back to the beginning; a snapshot that was asked for is removed once it is there. */
function takeBack(standing: Standing, now: number): Decision {
  return {
    standing: { ...standing, stage: "watching", since: now, releaseAt: null },
    act: { does: "take-back" },
  };
}

function leftover({ standing, snapshot }: Facts): Decision {
  const { snapshotId } = standing;
  if (snapshotId === null || snapshot === "creating") return stay(standing);
  const forgotten = { ...standing, snapshotId: null };
  return snapshot === "ready"
    ? { standing: forgotten, act: { does: "drop-snapshot", snapshotId } }
    : { standing: forgotten, act: { does: "nothing" } };
}

function stay(standing: Standing): Decision {
  return { standing, act: { does: "nothing" } };
}

/** Since when nothing moved and nobody said that he wants it; `undefined` before the first look. */
export function quietSince({
  signals,
  keptAt,
}: Pick<Facts, "signals" | "keptAt">): number | undefined {
  const since = idleSince(signals);
  return since === undefined ? undefined : Math.max(since, keptAt ?? since);
}
