/**
 * What may go wrong with a call to an API server, as classes that a caller can tell apart:
 *
 * - StatusError: the server answered no. It says why, for which field, and when to come back.
 * - ApplyConflictError: a StatusError; fields that we apply belong to somebody else.
 * - ConnectionError: no whole answer came. `effect` says whether the call may have happened.
 * - CredentialError: there is nothing to sign in with, so nothing was sent.
 * - RefusedError: this client would not send it, or would not take the answer: a limit, or a server
 *   whose certificate is not trusted.
 */
import { z } from "zod";

/** One reason of a refusal; `field` is a path such as `spec.template.spec.domain.cpu.sockets`. */
export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

/** The `Status` object of the API, read. */
export interface Status {
  readonly code: number;
  /** Kubernetes' own word: NotFound, AlreadyExists, Conflict, Invalid, Forbidden, Expired, … */
  readonly reason: string;
  readonly message: string;
  readonly causes: readonly StatusCause[];
  /** The object that it is about. A kind that the server does not know has none. */
  readonly objectName?: string;
  /** When the server wants to be asked again. */
  readonly retryAfterMs?: number;
}

export class StatusError extends Error {
  override readonly name: string = "StatusError";
  readonly code: number;
  readonly reason: string;
  readonly causes: readonly StatusCause[];
  readonly objectName: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(status: Status) {
    super(status.message);
    this.code = status.code;
    this.reason = status.reason;
    this.causes = status.causes;
    this.objectName = status.objectName;
    this.retryAfterMs = status.retryAfterMs;
  }
}

/** A field that another manager has set to another value. */
export interface FieldConflict {
  readonly manager: string;
  readonly field: string;
}

export class ApplyConflictError extends StatusError {
  override readonly name = "ApplyConflictError";
  readonly conflicts: readonly FieldConflict[];

  constructor(status: Status, conflicts: readonly FieldConflict[]) {
    super(status);
    this.conflicts = conflicts;
  }
}

export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  /** `none`: not a byte reached the server. `maybe`: it may have done what was asked. */
  readonly effect: "none" | "maybe";

  constructor(message: string, options: { readonly effect: "none" | "maybe"; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.effect = options.effect;
  }
}

export class CredentialError extends Error {
  override readonly name = "CredentialError";
}

export class RefusedError extends Error {
  override readonly name = "RefusedError";
}

const statusBody = z.object({
  kind: z.literal("Status"),
  message: z.string().default(""),
  reason: z.string().default(""),
  code: z.int().optional(),
  details: z
    .object({
      name: z.string().optional(),
      retryAfterSeconds: z.number().optional(),
      causes: z
        .array(
          z.object({
            reason: z.string().default(""),
            message: z.string().default(""),
            field: z.string().default(""),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

const messageCharactersMax = 1000;

/** What an answer that is not a success says. Whoever stands in front of the server may say it otherwise. */
export function readStatus(
  httpCode: number,
  body: string,
  retryAfter: string | undefined,
): StatusError {
  const parsed = statusBody.safeParse(parseJson(body));
  const after = retryAfterMs(retryAfter);
  if (!parsed.success) {
    const said = body.trim().slice(0, messageCharactersMax);
    return new StatusError({
      code: httpCode,
      reason: "",
      message: `the API server answered ${httpCode}${said === "" ? "" : `: ${said}`}`,
      causes: [],
      ...(after === undefined ? {} : { retryAfterMs: after }),
    });
  }
  return statusError(parsed.data, httpCode, after);
}

/** The object of an ERROR event of a watch. */
export function readWatchStatus(object: unknown): StatusError {
  const parsed = statusBody.safeParse(object);
  if (parsed.success) return statusError(parsed.data, 500, undefined);
  const message = "the watch ended with an error that says nothing";
  return new StatusError({ code: 500, reason: "", message, causes: [] });
}

function statusError(
  body: z.infer<typeof statusBody>,
  httpCode: number,
  headerMs: number | undefined,
): StatusError {
  const seconds = body.details?.retryAfterSeconds;
  const objectName = body.details?.name;
  const after = headerMs ?? (seconds === undefined ? undefined : seconds * 1000);
  const status: Status = {
    code: body.code ?? httpCode,
    reason: body.reason,
    message: body.message.slice(0, messageCharactersMax),
    causes: body.details?.causes ?? [],
    ...(objectName === undefined ? {} : { objectName }),
    ...(after === undefined ? {} : { retryAfterMs: after }),
  };
  const conflicts = status.causes.flatMap(({ reason, message, field }) => {
    const manager = /conflict with "([^"]*)"/.exec(message)?.[1];
    return reason === "FieldManagerConflict" && manager !== undefined ? [{ manager, field }] : [];
  });
  return conflicts.length === 0
    ? new StatusError(status)
    : new ApplyConflictError(status, conflicts);
}

function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined || !/^[0-9]{1,6}$/.test(header.trim())) return undefined;
  return Number(header) * 1000;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
