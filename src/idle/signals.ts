/**
 * What one look tells of a lease. Pure. A signal is active, or it is not, or nobody can say; and what
 * nobody can say counts as active, always: a figure that is missing, a counter that began anew, a
 * look that came so late that nobody knows what was between.
 */
import type { Activity } from "#providers/provider.ts";

import type { Rules } from "./rules.ts";

export const signals = ["cpu", "network", "gpu", "sessions", "console"] as const;
export type Signal = (typeof signals)[number];

export interface Seen {
  /** When it was looked at last, and when it was last active or missing. */
  readonly at: number;
  readonly activeAt: number;
  /** CPU and GPU in percent, network in bytes per second, or how many; `null`: nobody could see. */
  readonly value: number | null;
  readonly seenBy: string;
}

export type SeenSignals = Partial<Readonly<Record<Signal, Seen>>>;

/** As the last look left them. */
export interface Counters {
  readonly instanceId: string;
  /** By our clock, and by the platform's. */
  readonly lookedAt: number;
  readonly at: number;
  readonly cpuSeconds: number | null;
  readonly networkBytes: number | null;
}

export interface Looked {
  readonly signals: SeenSignals;
  readonly counters: Counters | null;
}

/** A look so long after the last one tells nothing of the time between. */
export const gapMaxMs = 10 * 60_000;

export interface Look {
  readonly before: Looked;
  /** `undefined`: the platform said nothing of it. */
  readonly activity: Activity | undefined;
  readonly lease: {
    readonly instanceId: string;
    readonly vcpus: number;
    readonly hasGpu: boolean;
  };
  /** When somebody last had its console open. */
  readonly consoleAt: number | null;
  readonly rules: Rules;
  readonly now: number;
}

export function look({ before, activity, lease, consoleAt, rules, now }: Look): Looked {
  const { counters } = before;
  const goesOn =
    counters !== null &&
    counters.instanceId === lease.instanceId &&
    counters.lookedAt <= now &&
    now - counters.lookedAt <= gapMaxMs;
  const last = goesOn ? counters : undefined;
  const rates = ratesBetween(last, activity, lease.vcpus);
  const seenBy = activity?.seenBy;
  const none = "the platform said nothing of it";
  const seen = (signal: Signal, value: number | null, limit: number, how: string): Seen => {
    const idle = last !== undefined && value !== null && value < limit;
    const activeAt = idle ? (before.signals[signal]?.activeAt ?? now) : now;
    return { at: now, activeAt: Math.min(activeAt, now), value, seenBy: how };
  };
  return {
    signals: {
      cpu: seen("cpu", rates.cpuPercent, rules.cpuPercent, seenBy?.cpu ?? none),
      network: seen(
        "network",
        rates.networkBytesPerSecond,
        rules.networkBytesPerSecond,
        seenBy?.network ?? none,
      ),
      ...(lease.hasGpu
        ? { gpu: seen("gpu", percentOf(activity?.gpuShare), rules.gpuPercent, seenBy?.gpu ?? none) }
        : {}),
      sessions: seen("sessions", activity?.sessions ?? null, 1, seenBy?.sessions ?? none),
      ...(consoleAt === null ? {} : { console: consoleSeen(consoleAt, now) }),
    },
    counters:
      activity === undefined
        ? null
        : {
            instanceId: lease.instanceId,
            lookedAt: now,
            at: activity.at,
            cpuSeconds: activity.cpuSeconds,
            networkBytes: activity.networkBytes,
          },
  };
}

/** Since when nothing was active; `undefined` before the first look. */
export function idleSince(seen: SeenSignals): number | undefined {
  const times = Object.values(seen).map(({ activeAt }) => activeAt);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** The control plane itself relays consoles, so this is never missing. */
function consoleSeen(consoleAt: number, now: number): Seen {
  const activeAt = Math.min(consoleAt, now);
  return { at: now, activeAt, value: null, seenBy: "the relay of consoles" };
}

function ratesBetween(
  last: Counters | undefined,
  activity: Activity | undefined,
  vcpus: number,
): { readonly cpuPercent: number | null; readonly networkBytesPerSecond: number | null } {
  const seconds = last === undefined || activity === undefined ? 0 : (activity.at - last.at) / 1000;
  const perSecond = (before: number | null | undefined, now: number | null | undefined) =>
    typeof before === "number" && typeof now === "number" && now >= before && seconds > 0
      ? (now - before) / seconds
      : null;
  const cores = perSecond(last?.cpuSeconds, activity?.cpuSeconds);
  return {
    cpuPercent: cores === null ? null : rounded((100 * cores) / Math.max(1, vcpus)),
    networkBytesPerSecond: perSecond(last?.networkBytes, activity?.networkBytes),
  };
}

function percentOf(share: number | null | undefined): number | null {
  return share === null || share === undefined ? null : rounded(100 * share);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
