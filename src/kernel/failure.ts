/**
 * Expected failures: one class, a closed union of codes, and one table that says what each code
 * means to HTTP, to a retrying caller, to the log and to a shell.
 *
 * `retry`: `never` (the same request fails again), `later` (the same request may succeed),
 * `after_change` (it may succeed once the caller changed something named in the detail).
 */
export interface FailureClass {
  readonly status: number;
  readonly title: string;
  readonly retry: "never" | "later" | "after_change";
  readonly log: "debug" | "info" | "warn" | "error";
  /** Exit status of the CLI; after BSD sysexits where one fits. */
  readonly exitCode: number;
}

export const failureClasses = {
  invalid_request: row(400, "The request is not well formed", "never", "debug", 64),
  unauthenticated: row(401, "No valid credential", "never", "info", 77),
  insufficient_credit: row(402, "Not enough credit", "after_change", "info", 69),
  forbidden: row(403, "Not permitted", "never", "info", 77),
  quota_exceeded: row(403, "Over quota", "after_change", "info", 69),
  not_found: row(404, "Not found", "never", "debug", 66),
  method_not_allowed: row(405, "Method not allowed", "never", "debug", 64),
  conflict: row(409, "Conflicts with what exists", "after_change", "debug", 73),
  wrong_state: row(409, "Not possible in this state", "after_change", "debug", 75),
  payload_too_large: row(413, "The body is too large", "never", "debug", 65),
  unsupported_media_type: row(415, "Unsupported media type", "never", "debug", 65),
  idempotency_mismatch: row(422, "Idempotency key reused with another body", "never", "info", 65),
  rule_violation: row(422, "Breaks a rule of the catalog", "never", "debug", 65),
  unplaceable: row(422, "No host can ever fit this", "never", "info", 69),
  unsupported: row(422, "The platform cannot do this", "never", "info", 69),
  throttled: row(429, "Too many requests", "later", "info", 75),
  internal: row(500, "Internal error", "later", "error", 70),
  capacity: row(503, "No capacity now", "later", "info", 75),
  unavailable: row(503, "Temporarily unavailable", "later", "warn", 75),
  timeout: row(504, "Took too long", "later", "warn", 75),
} as const satisfies Record<string, FailureClass>;

export type FailureCode = keyof typeof failureClasses;

export interface FailureOptions {
  readonly cause?: unknown;
  /** What a program needs to act on it: the limit, the use, the ask; counts per reason. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** `message` says what happened, why, and what to do, in a sentence for a person. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: FailureCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

export function isFailureCode(text: string): text is FailureCode {
  return Object.hasOwn(failureClasses, text);
}

function row(
  status: number,
  title: string,
  retry: FailureClass["retry"],
  log: FailureClass["log"],
  exitCode: number,
): FailureClass {
  return { status, title, retry, log, exitCode };
}
