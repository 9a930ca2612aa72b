/**
 * What a user says of his job's length; a policy knows nothing else of it. The trace has none, so it is
 * drawn: `round` takes the real length times 1 to 5 (evenly on a logarithmic scale) and rounds it up
 * to one of the limits that people choose; `factorN` takes it times 1 to N, evenly; `exact` is what
 * nobody knows; `wild` takes it times 1/4 to 8, so that many jobs outrun their estimate.
 */
import type { TraceJob } from "./trace.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const roundLimitsMs = [
  ...[5, 10, 15, 30].map((minutes) => minutes * minuteMs),
  ...[1, 2, 4, 8, 12].map((hours) => hours * hourMs),
  ...[1, 2, 3, 7, 14, 30, 60].map((days) => days * dayMs),
];

export type EstimateModel = (durationMs: number, draw: number) => number;

export function estimateModel(name: string): EstimateModel | undefined {
  if (name === "exact") return (durationMs) => durationMs;
  if (name === "wild") return (durationMs, draw) => durationMs * 2 ** (draw * 5 - 2);
  if (name === "round") {
    return (durationMs, draw) => {
      const said = durationMs * 5 ** draw;
      return roundLimitsMs.find((limit) => limit >= said) ?? said;
    };
  }
  const factor = Number(/^factor(\d+(?:\.\d+)?)$/.exec(name)?.[1]);
  if (!(factor >= 1)) return undefined;
  return (durationMs, draw) => durationMs * (1 + draw * (factor - 1));
}

export function estimatesOf(
  jobs: readonly TraceJob[],
  model: EstimateModel,
  seed: number,
): Map<string, number> {
  const draw = draws(seed);
  return new Map(jobs.map(({ id, durationMs }) => [id, model(durationMs, draw())]));
}

/** Numbers in [0, 1), the same for a seed everywhere (mulberry32). */
function draws(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
