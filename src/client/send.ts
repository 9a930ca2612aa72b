/**
 * One call on the wire: sent, sent again within bounds, read, and turned into a `Failure` if it was
 * refused. `consume` reads the answer inside a try, so that an answer cut short counts as one that
 * never came.
 */
import { Failure } from "#kernel/failure.ts";

import { deadline, pause, type Deadline } from "./deadline.ts";
import { ApiFailure, failureOf } from "./problem.ts";
import { backoffMs, retryAfterMs, type RetryPolicy } from "./retry.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A stream can be sent once only. */
export type Content = string | Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

export interface Transmission {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly content?: Content;
}

export interface Limits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly retry: RetryPolicy;
  /** Told when a request went out whose answer never came: it may have had its effect. */
  readonly onUnanswered?: (() => void) | undefined;
}

export interface Attempt {
  /** Call when the rest of the answer may take any time. */
  liftDeadline(): void;
}

export async function send<T>(
  fetch: Fetch,
  transmission: Transmission,
  limits: Limits,
  consume: (response: Response, attempt: Attempt) => Promise<T>,
): Promise<T> {
  limits.signal?.throwIfAborted();
  const limit = deadline(limits.timeoutMs, limits.signal);
  const attemptsMax = transmission.content instanceof ReadableStream ? 1 : limits.retry.attemptsMax;
  try {
    for (let number = 1; ; number += 1) {
      const outcome = await attempt(fetch, transmission, limit, (response) =>
        consume(response, { liftDeadline: limit.lift }),
      );
      if (outcome.kind === "done") return outcome.value;
      if (outcome.kind === "unanswered") limits.onUnanswered?.();
      const delayMs =
        outcome.kind === "refused"
          ? outcome.afterMs
          : backoffMs(limits.retry, number, Math.random());
      if (delayMs === undefined || number >= attemptsMax || delayMs > limit.remainingMs()) {
        throw outcome.failure;
      }
      await pause(delayMs, limit.signal);
    }
  } finally {
    limit.lift();
  }
}

type Outcome<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "refused"; readonly failure: Failure; readonly afterMs: number | undefined }
  | { readonly kind: "unanswered"; readonly failure: Failure };

async function attempt<T>(
  fetch: Fetch,
  { method, url, headers, content }: Transmission,
  limit: Deadline,
  consume: (response: Response) => Promise<T>,
): Promise<Outcome<T>> {
  try {
    const response = await fetch(url, {
      method,
      headers: { ...headers },
      signal: limit.signal,
      // Followed blindly, a POST would become a GET, and a credential could go elsewhere.
      redirect: "manual",
      ...(content === undefined ? {} : { body: content }),
      ...(content instanceof ReadableStream ? { duplex: "half" } : {}),
    });
    if (response.ok) return { kind: "done", value: await consume(response) };
    const failure = failureOf(response, await response.text());
    const comeBack = response.status === 503 || response.status === 429;
    const afterMs = comeBack
      ? retryAfterMs(response.headers.get("retry-after"), Date.now())
      : undefined;
    return { kind: "refused", failure, afterMs };
  } catch (error) {
    if (limit.signal.aborted) throw limit.signal.reason;
    if (error instanceof Failure) throw error;
    return { kind: "unanswered", failure: unreachable(url, error) };
  }
}

export function isGone(failure: unknown): boolean {
  return failure instanceof ApiFailure && failure.status === 404;
}

function unreachable(url: string, cause: unknown): Failure {
  const { origin } = new URL(url);
  return new Failure(
    "unavailable",
    `Cannot reach ${origin}: ${rootMessage(cause)}. Check the URL and that the server runs.`,
    { cause },
  );
}

/** `fetch failed` says nothing: the innermost cause does, such as "connect ECONNREFUSED …". */
export function rootMessage(error: unknown): string {
  let innermost = error;
  while (innermost instanceof Error && innermost.cause instanceof Error) {
    innermost = innermost.cause;
  }
  if (innermost instanceof AggregateError && innermost.errors.length > 0) {
    return rootMessage(innermost.errors[0]);
  }
  return innermost instanceof Error && innermost.message !== ""
    ? innermost.message
    : String(innermost);
}
