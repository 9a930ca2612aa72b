/**
 * One look at a lease: what it uses now, and what all looks together say. Pure. CPU is the mean between
 * two looks, so that nothing between them is missed; memory is what programs have at that moment, of
 * which the peak of each day counts, because too little of it for a moment ends them.
 *
 * What must stay true: a figure that nobody could see is `null`, never zero, and adds nothing.
 */
import { z } from "zod";

import { mebibyte } from "#kernel/shape.ts";
import type { Activity } from "#providers/provider.ts";

import { emptyHistogram, histogramRow, withSample } from "./histogram.ts";

/** Two looks further apart than that say nothing of the time between. */
const gapMaxMs = 15 * 60_000;
const dayMs = 86_400_000;
const minuteMs = 60_000;

/** CPU, memory and GPU in percent of what the lease has; sessions in people. */
export const figuresRow = z.object({
  cpu: z.number().nullable(),
  memory: z.number().nullable(),
  gpu: z.number().nullable(),
  sessions: z.number().nullable(),
});
export type Figures = z.output<typeof figuresRow>;

export const countersRow = z.object({ at: z.number(), cpuSeconds: z.number().nullable() });
export type Counters = z.output<typeof countersRow>;

export const historyRow = z.object({
  /** When it began. */
  since: z.number(),
  /** For how long CPU and memory were looked at, gaps apart. */
  cpuMs: z.number(),
  memoryMs: z.number(),
  /** Of thousandths of a CPU. */
  cpu: histogramRow,
  /** Of MiB, one sample a day: its peak. */
  memory: histogramRow,
  /** That of the day that is not over. */
  peak: z.object({ from: z.number(), mebibytes: z.number() }).nullable(),
});
export type History = z.output<typeof historyRow>;

export interface Looked {
  readonly instanceId: string;
  readonly lookedAt: number;
  readonly counters: Counters;
  readonly figures: Figures;
  readonly history: History;
}

export function look({
  before,
  activity,
  lease,
  now,
}: {
  readonly before: Looked | undefined;
  /** `undefined`: the platform said nothing of it. */
  readonly activity: Activity | undefined;
  readonly lease: {
    readonly instanceId: string;
    readonly vcpus: number;
    readonly memoryMiB: number;
  };
  readonly now: number;
}): Looked {
  const goesOn =
    before?.instanceId === lease.instanceId &&
    before.lookedAt <= now &&
    now - before.lookedAt <= gapMaxMs;
  const last = goesOn ? before : undefined;
  const spanMs = last === undefined ? 0 : now - last.lookedAt;
  const cores = coresBetween(last?.counters, activity);
  const mebibytes =
    typeof activity?.memoryBytes === "number" ? activity.memoryBytes / mebibyte : null;
  const gpuShare = activity?.gpuShare ?? null;
  return {
    instanceId: lease.instanceId,
    lookedAt: now,
    counters: { at: activity?.at ?? now, cpuSeconds: activity?.cpuSeconds ?? null },
    figures: {
      cpu: cores === null ? null : rounded((100 * cores) / Math.max(1, lease.vcpus)),
      memory: mebibytes === null ? null : rounded((100 * mebibytes) / lease.memoryMiB),
      gpu: gpuShare === null ? null : rounded(100 * gpuShare),
      sessions: activity?.sessions ?? null,
    },
    history: grown(before?.history ?? begun(now), { cores, mebibytes, spanMs, now }),
  };
}

function begun(now: number): History {
  return {
    since: now,
    cpuMs: 0,
    memoryMs: 0,
    cpu: emptyHistogram(now),
    memory: emptyHistogram(now),
    peak: null,
  };
}

function grown(
  history: History,
  seen: {
    readonly cores: number | null;
    readonly mebibytes: number | null;
    readonly spanMs: number;
    readonly now: number;
  },
): History {
  const { cores, mebibytes, spanMs, now } = seen;
  const withCpu =
    cores === null
      ? history
      : {
          ...history,
          cpuMs: history.cpuMs + spanMs,
          cpu: withSample(history.cpu, {
            value: 1000 * cores,
            weight: spanMs / minuteMs,
            at: now,
          }),
        };
  return mebibytes === null
    ? withCpu
    : { ...withPeak(withCpu, mebibytes, now), memoryMs: withCpu.memoryMs + spanMs };
}

/** A day that is over becomes a sample, weighed as of its end. */
function withPeak(history: History, mebibytes: number, now: number): History {
  const { peak } = history;
  if (peak === null) return { ...history, peak: { from: now, mebibytes } };
  if (now >= peak.from && now < peak.from + dayMs) {
    const highest = Math.max(peak.mebibytes, mebibytes);
    return { ...history, peak: { ...peak, mebibytes: highest } };
  }
  const at = Math.min(now, peak.from + dayMs);
  const memory = withSample(history.memory, { value: peak.mebibytes, weight: 1, at });
  return { ...history, memory, peak: { from: now, mebibytes } };
}

/** A counter that went back was started anew. */
function coresBetween(last: Counters | undefined, activity: Activity | undefined): number | null {
  const [from, to] = [last?.cpuSeconds, activity?.cpuSeconds];
  if (typeof from !== "number" || typeof to !== "number" || to < from) return null;
  const seconds = ((activity?.at ?? 0) - (last?.at ?? 0)) / 1000;
  return seconds > 0 ? (to - from) / seconds : null;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
