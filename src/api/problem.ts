/**
 * The one translator of errors: whatever was thrown becomes a Failure, and a Failure becomes a
 * problem document (RFC 9457). What is not an expected failure tells the caller nothing but the
 * request id, under which the log has the cause.
 */
import { z } from "zod";

import type { Problem } from "#contract/schemas/common.ts";
import { sqlState } from "#db/pool.ts";
import { Failure, failureClasses, type FailureCode } from "#kernel/failure.ts";
import { ProviderError, type ProviderErrorCode } from "#providers/provider.ts";

const codeOfProviderError: Readonly<Record<ProviderErrorCode, FailureCode>> = {
  not_found: "wrong_state",
  capacity: "capacity",
  throttled: "throttled",
  unavailable: "unavailable",
  refused: "unsupported",
  unknown: "unavailable",
};

export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof ProviderError) {
    const code = codeOfProviderError[error.code];
    return new Failure(code, `The platform answered: ${error.message}`, { cause: error });
  }
  return ofDatabase(error) ?? ofTransport(error) ?? internal(error);
}

function internal(cause: unknown): Failure {
  return new Failure("internal", "Something failed inside.", { cause });
}

function ofDatabase(error: unknown): Failure | undefined {
  const state = sqlState(error);
  if (state === undefined) return undefined;
  // query_canceled: statement_timeout; lock_not_available.
  if (state === "57014" || state === "55P03") {
    return new Failure("timeout", "The database took too long; try again.", { cause: error });
  }
  // Class 53 is "insufficient resources": disk full, too many connections.
  if (state.startsWith("53")) {
    return new Failure("unavailable", "The database has no room for this now; try again later.", {
      cause: error,
    });
  }
  return undefined;
}

const transportError = z.object({ code: z.string(), statusCode: z.int() });

/** What fastify throws while it reads a request. */
function ofTransport(error: unknown): Failure | undefined {
  const parsed = transportError.safeParse(error);
  if (!parsed.success || !parsed.data.code.startsWith("FST_ERR")) return undefined;
  switch (parsed.data.statusCode) {
    case 413:
      return new Failure("payload_too_large", "The body is larger than this operation takes.", {
        cause: error,
      });
    case 415:
      return new Failure(
        "unsupported_media_type",
        "Send the body as JSON, with the header `content-type: application/json`.",
        { cause: error },
      );
    case 503:
      return new Failure("unavailable", "The server is closing; try again in a moment.", {
        cause: error,
      });
    default:
      return parsed.data.statusCode >= 500
        ? undefined
        : new Failure("invalid_request", "The request cannot be read as HTTP with a JSON body.", {
            cause: error,
          });
  }
}

/** Message and details of `internal` stay in the log: they may name what is inside. */
export function problemOf(failure: Failure, requestId: string): Problem {
  const { status, title } = failureClasses[failure.code];
  const isInternal = failure.code === "internal";
  return {
    type: `urn:millrace:problem:${failure.code}`,
    title,
    status,
    detail: isInternal
      ? `Something failed inside. The log has the cause under the request id ${requestId}.`
      : failure.message,
    code: failure.code,
    requestId,
    details: isInternal ? {} : failure.details,
  };
}

const retryHint = z.object({ retryAfterSeconds: z.number() });
const allowHint = z.object({ allow: z.array(z.string()) });

export function problemHeaders(failure: Failure): Record<string, string> {
  const { status, retry } = failureClasses[failure.code];
  const headers: Record<string, string> = {
    "content-type": "application/problem+json; charset=utf-8",
  };
  if (status === 401) headers["www-authenticate"] = 'Bearer realm="millrace"';
  if (retry === "later" && status !== 500) {
    const hint = retryHint.safeParse(failure.details);
    headers["retry-after"] = String(hint.success ? hint.data.retryAfterSeconds : 1);
  }
  const allow = allowHint.safeParse(failure.details);
  if (status === 405 && allow.success) headers["allow"] = allow.data.allow.join(", ");
  return headers;
}

/** Failures may carry bigints in their details. */
export function problemText(problem: Problem): string {
  return JSON.stringify(problem, (_, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
}
