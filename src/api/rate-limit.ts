/**
 * Token buckets, one per API key or session, in this process: with several processes a caller gets the rate
 * of each. Its purpose is that one runaway script does not starve the others, which needs no
 * shared state. Time is monotonic, so a clock that steps back stops nobody.
 */
import { Failure } from "#kernel/failure.ts";

/** Beyond it, the buckets that are full again are forgotten: they say nothing. */
const bucketsMax = 10_000;
/** Beyond it all are: names that callers make up must not fill the memory. */
const bucketsMostMax = 100_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

export interface RateLimit {
  /** Throws `throttled`. */
  readonly take: (key: string) => void;
  /** For a use that shall not count. */
  readonly giveBack: (key: string) => void;
}

export function rateLimit(options: {
  readonly burst: number;
  readonly perSecond: number;
  readonly monotonicMs: () => number;
  /** What a refused caller reads. */
  readonly refusal?: string;
}): RateLimit {
  const { burst, perSecond, monotonicMs } = options;
  const { refusal = `Too many requests with this API key: ${perSecond} per second is the most.` } =
    options;
  const buckets = new Map<string, Bucket>();
  const tokensAt = (bucket: Bucket, nowMs: number): number =>
    Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond);

  const forgetFull = (nowMs: number): void => {
    for (const [key, bucket] of buckets) {
      if (tokensAt(bucket, nowMs) >= burst) buckets.delete(key);
    }
    if (buckets.size >= bucketsMostMax) buckets.clear();
  };

  return {
    take(key) {
      const nowMs = monotonicMs();
      if (buckets.size >= bucketsMax) forgetFull(nowMs);
      const bucket = buckets.get(key) ?? { tokens: burst, atMs: nowMs };
      bucket.tokens = tokensAt(bucket, nowMs);
      bucket.atMs = nowMs;
      buckets.set(key, bucket);
      if (bucket.tokens < 1) {
        const retryAfterSeconds = Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond));
        throw new Failure("throttled", refusal, {
          details: { limit: perSecond, retryAfterSeconds },
        });
      }
      bucket.tokens -= 1;
    },
    giveBack(key) {
      const bucket = buckets.get(key);
      if (bucket !== undefined) bucket.tokens = Math.min(burst, bucket.tokens + 1);
    },
  };
}

export interface Slots {
  /** Takes one of the tenant's slots; throws `throttled`. The function gives it back. */
  readonly take: (tenantId: string) => () => void;
  readonly taken: () => number;
}

export function streamSlots(perTenantMax: number): Slots {
  const counts = new Map<string, number>();
  let total = 0;
  return {
    take(tenantId) {
      const count = counts.get(tenantId) ?? 0;
      if (count >= perTenantMax) {
        throw new Failure(
          "throttled",
          `${count} streams of this tenant are open; ${perTenantMax} is the most.`,
          { details: { limit: perTenantMax, used: count, asked: 1, retryAfterSeconds: 5 } },
        );
      }
      counts.set(tenantId, count + 1);
      total += 1;
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        total -= 1;
        const left = (counts.get(tenantId) ?? 1) - 1;
        if (left === 0) counts.delete(tenantId);
        else counts.set(tenantId, left);
      };
    },
    taken: () => total,
  };
}
