/** What is said of jobs in many places. */
import type { Attempt, Job } from "./actions.ts";

/** "2 × A100", "T4 1/4"; `undefined` without a GPU. */
export function gpuText(gpu: Job["flavor"]["gpu"]): string | undefined {
  if (gpu === null) return undefined;
  return gpu.slice > 1 ? `${gpu.model} 1/${gpu.slice}` : `${gpu.count} × ${gpu.model}`;
}

/** Of one attempt so far; `undefined` of one that has not begun. */
export function attemptSeconds(
  { startedAt, endedAt }: Pick<Attempt, "startedAt" | "endedAt">,
  nowMs: number,
): number | undefined {
  if (startedAt === null) return undefined;
  const until = endedAt === null ? nowMs : Date.parse(endedAt);
  return Math.max(0, (until - Date.parse(startedAt)) / 1000);
}

/** Of all attempts together. */
export function ranSeconds(attempts: readonly Attempt[], nowMs: number): number | undefined {
  const all = attempts.flatMap((attempt) => attemptSeconds(attempt, nowMs) ?? []);
  return all.length === 0 ? undefined : all.reduce((sum, seconds) => sum + seconds, 0);
}

/** What the customer pays for: without attempts that the platform lost. */
export function billedSeconds(attempts: readonly Attempt[], nowMs: number): number {
  return (
    ranSeconds(
      attempts.filter(({ billable }) => billable),
      nowMs,
    ) ?? 0
  );
}
