/** How a lease stands, as its tenant sees it. Pure. */
import { eligibility, quietSince } from "./decide.ts";
import { rulesFor, type Policy } from "./rules.ts";
import { signals, type Seen, type Signal } from "./signals.ts";
import type { WatchedLease } from "./store.ts";

const hourMs = 3_600_000;

export interface Idleness {
  readonly state:
    | "off"
    | "subscription"
    | "exempt"
    | "not_running"
    | "cannot_keep"
    | "active"
    | "warned"
    | "releasing"
    | "released";
  readonly idleSince: number | null;
  readonly warnAt: number | null;
  readonly releaseAt: number | null;
  readonly windowHours: number | null;
  readonly signals: readonly (Seen & { readonly signal: Signal })[];
}

export function idlenessOf(lease: WatchedLease, policies: readonly Policy[]): Idleness {
  const { watch } = lease;
  const none = {
    idleSince: null,
    warnAt: null,
    releaseAt: null,
    windowHours: null,
    signals: [],
  };
  const { stage, releaseAt } = watch.standing;
  if (stage === "released") return { ...none, state: "released" };
  const who = eligibility({ ...lease, exempt: watch.exempt });
  if (who === "subscription") return { ...none, state: who };
  const rules = rulesFor(policies, lease);
  if (rules === undefined) return { ...none, state: "off" };
  if (who !== "watched") return { ...none, state: who, windowHours: rules.windowHours };
  const quiet = quietSince(watch) ?? null;
  const windowMs = rules.windowHours * hourMs;
  return {
    state: stage === "warned" ? "warned" : stage === "snapshot" ? "releasing" : "active",
    idleSince: quiet,
    warnAt: stage === "watching" && quiet !== null ? quiet + windowMs : null,
    releaseAt,
    windowHours: rules.windowHours,
    signals: signals.flatMap((signal) => {
      const seen = watch.signals[signal];
      return seen === undefined ? [] : [{ signal, ...seen }];
    }),
  };
}
