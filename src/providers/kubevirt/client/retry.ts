/**
 * When a call is sent again. Only what may happen twice without harm is: reads, server-side apply,
 * delete. A create or an action (`restart`) never is; who asked for it looks first.
 */
import { ConnectionError, StatusError } from "./errors.ts";

export interface RetryPolicy {
  /** The first try included. */
  readonly attemptsMax: number;
  readonly firstDelayMs: number;
  readonly delayMaxMs: number;
  /** A server that wants a longer rest than this is not waited for. */
  readonly retryAfterMaxMs: number;
}

export const retryPolicy: RetryPolicy = {
  attemptsMax: 5,
  firstDelayMs: 200,
  delayMaxMs: 5000,
  retryAfterMaxMs: 30_000,
};

/** Doubles from `firstDelayMs`; half of it is jitter, so that many do not come at once. */
export function backoffMs(
  policy: Pick<RetryPolicy, "firstDelayMs" | "delayMaxMs">,
  attempt: number,
  random: number,
): number {
  const whole = Math.min(policy.delayMaxMs, policy.firstDelayMs * 2 ** (attempt - 1));
  return whole / 2 + (whole / 2) * random;
}

/** How long to wait before the next try of what may be repeated; `undefined` if there is none. */
export function retryDelayMs(
  policy: RetryPolicy,
  error: unknown,
  { attempt, random }: { attempt: number; random: number },
): number | undefined {
  if (attempt >= policy.attemptsMax) return undefined;
  const backoff = backoffMs(policy, attempt, random);
  if (error instanceof ConnectionError) return backoff;
  if (!(error instanceof StatusError)) return undefined;
  const { code, retryAfterMs } = error;
  const passing = code === 429 || code === 502 || code === 503 || code === 504;
  if (!passing && (code < 500 || retryAfterMs === undefined)) return undefined;
  if (retryAfterMs === undefined) return backoff;
  return retryAfterMs > policy.retryAfterMaxMs ? undefined : Math.max(retryAfterMs, backoff);
}
