/**
 * When a call is sent again. Only two things are: an answer that never came (the same
 * Idempotency-Key makes the second POST harmless), and a refusal that says when to come back.
 */

export interface RetryPolicy {
  /** The first try included. */
  readonly attemptsMax: number;
  readonly firstDelayMs: number;
  readonly delayMaxMs: number;
}

export const retryPolicy: RetryPolicy = { attemptsMax: 5, firstDelayMs: 200, delayMaxMs: 5000 };

/** Doubles from `firstDelayMs`; half of it is jitter, so that many clients do not come at once. */
export function backoffMs(policy: RetryPolicy, attempt: number, random: number): number {
  const whole = Math.min(policy.delayMaxMs, policy.firstDelayMs * 2 ** (attempt - 1));
  return whole / 2 + (whole / 2) * random;
}

/** `Retry-After` in milliseconds from now: seconds, or a date; `undefined` without a usable one. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^[0-9]{1,6}$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
