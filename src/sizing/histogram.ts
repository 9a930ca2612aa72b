/**
 * A histogram that forgets: what was seen a day ago weighs half of what is seen now. Buckets grow by
 * 5 %, so a percentile is that near to the truth, upwards. Pure, and small enough to be a column.
 *
 * What must stay true: the order in which samples are added does not matter, and one that is as old as
 * the newest weighs what it weighs, whatever the clock did between.
 */
import { z } from "zod";

const ratio = 1.05;
/** Of the first bucket, in the unit of the histogram. */
const firstSize = 10;
/** Beyond it lies everything: 10 · (1.05^300 - 1) / 0.05 is more than any machine has. */
const bucketsMax = 300;
export const halfLifeMs = 86_400_000;
/** What is lighter than that share of all is forgotten. */
const forgottenShare = 1e-5;
/** Weights are as of `asOf`; when they have grown by 2^20 they are written anew. */
const halvingsMax = 20;

export const histogramRow = z.object({
  asOf: z.number(),
  /** By the number of the bucket. */
  weights: z.record(z.string(), z.number()),
});
export type Histogram = z.output<typeof histogramRow>;

export function emptyHistogram(at: number): Histogram {
  return { asOf: at, weights: {} };
}

export function withSample(
  before: Histogram,
  sample: { readonly value: number; readonly weight: number; readonly at: number },
): Histogram {
  const { asOf, weights } =
    Math.abs(sample.at - before.asOf) > halvingsMax * halfLifeMs
      ? moved(before, sample.at)
      : before;
  const bucket = String(bucketOf(sample.value));
  const weight = sample.weight * 2 ** ((sample.at - asOf) / halfLifeMs);
  const next = { ...weights, [bucket]: (weights[bucket] ?? 0) + weight };
  return { asOf, weights: withoutForgotten(next) };
}

/** The upper end of the bucket below which that share of the weight lies; 0 when it is empty. */
export function percentile({ weights }: Histogram, share: number): number {
  const buckets = Object.entries(weights)
    .map(([bucket, weight]) => ({ bucket: Number(bucket), weight }))
    .toSorted((a, b) => a.bucket - b.bucket);
  const total = buckets.reduce((sum, { weight }) => sum + weight, 0);
  let below = 0;
  for (const { bucket, weight } of buckets) {
    below += weight;
    if (below >= share * total * (1 - Number.EPSILON * 8)) return upperEnd(bucket);
  }
  const last = buckets.at(-1);
  return last === undefined ? 0 : upperEnd(last.bucket);
}

/** The weights as of another instant. */
function moved({ asOf, weights }: Histogram, to: number): Histogram {
  const factor = 2 ** ((asOf - to) / halfLifeMs);
  return {
    asOf: to,
    weights: Object.fromEntries(
      Object.entries(weights).map(([bucket, weight]) => [bucket, weight * factor]),
    ),
  };
}

function withoutForgotten(weights: Record<string, number>): Record<string, number> {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return Object.fromEntries(
    Object.entries(weights)
      .filter(([, weight]) => weight > total * forgottenShare)
      .map(([bucket, weight]) => [bucket, Number(weight.toPrecision(7))]),
  );
}

function bucketOf(value: number): number {
  const bucket = Math.floor(Math.log((value * (ratio - 1)) / firstSize + 1) / Math.log(ratio));
  return Math.min(bucketsMax, Math.max(0, bucket));
}

function upperEnd(bucket: number): number {
  return (firstSize * (ratio ** (bucket + 1) - 1)) / (ratio - 1);
}
