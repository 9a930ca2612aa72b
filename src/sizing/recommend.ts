/**
 * How large a lease should be, from what it used (S-03), as the vertical autoscaler of Kubernetes
 * reckons it: the 90th percentile with a margin is the target, the 50th and the 95th are the bounds,
 * and the less history there is the wider they stand apart. Pure.
 */
import { percentile, withSample } from "./histogram.ts";
import type { History } from "./looks.ts";

export interface Bounds {
  readonly lower: number;
  readonly target: number;
  readonly upper: number;
}

export interface Sizes {
  /** In thousandths of a CPU. `null`: nobody could see. */
  readonly milliCpus: Bounds | null;
  readonly memoryMiB: Bounds | null;
  /** Of the history behind the scarcer of both; without it a recommendation is a guess. */
  readonly days: number;
}

const dayMs = 86_400_000;
const margin = 1.15;
const leastMilliCpus = 25;
const leastMemoryMiB = 128;
/** More is never recommended, however wide the bounds of a young lease are. */
const mostMilliCpus = 1_024_000;
const mostMemoryMiB = 16_777_216;
/** Looks of one minute that are less than a tenth of a day say too little for a bound. */
const daysMin = 1 / 1_440;

export function sizesOf(history: History, now: number): Sizes {
  const seen = [history.cpuMs, history.memoryMs].filter((ms) => ms > 0);
  const { peak } = history;
  const memory =
    peak === null
      ? history.memory
      : withSample(history.memory, { value: peak.mebibytes, weight: 1, at: now });
  return {
    milliCpus:
      history.cpuMs === 0
        ? null
        : boundsOf((share) => percentile(history.cpu, share), {
            days: daysSeen(history, history.cpuMs, now),
            least: leastMilliCpus,
            most: mostMilliCpus,
          }),
    memoryMiB:
      history.memoryMs === 0
        ? null
        : boundsOf((share) => percentile(memory, share), {
            days: daysSeen(history, history.memoryMs, now),
            least: leastMemoryMiB,
            most: mostMemoryMiB,
          }),
    days: seen.length === 0 ? 0 : Math.min(...seen.map((ms) => daysSeen(history, ms, now))),
  };
}

/** Neither more than was looked at, nor more than have gone by. */
function daysSeen({ since }: History, seenMs: number, now: number): number {
  return Math.max(0, Math.min(seenMs, now - since)) / dayMs;
}

function boundsOf(
  at: (share: number) => number,
  { days, least, most }: { readonly days: number; readonly least: number; readonly most: number },
): Bounds {
  const confidence = Math.max(daysMin, days);
  const within = (value: number): number => Math.round(Math.min(most, Math.max(least, value)));
  return {
    lower: within(at(0.5) * margin * (1 + 0.001 / confidence) ** -2),
    target: within(at(0.9) * margin),
    upper: within(at(0.95) * margin * (1 + 1 / confidence)),
  };
}

/** By the length of the history: hours say something of peaks, days of nights and weekends. */
export function confidenceOf(days: number): "none" | "low" | "medium" | "high" {
  if (days <= 0) return "none";
  if (days < 1) return "low";
  return days < 7 ? "medium" : "high";
}
