/**
 * An answer that is no success becomes a `Failure`. A code that this version does not know is kept
 * as the server wrote it, and counts as the nearest known one of its HTTP status, so that retries
 * and exit codes stay sensible when the server is newer than its client.
 */
import { problem } from "#contract/schemas/common.ts";
import { Failure, isFailureCode, type FailureCode } from "#kernel/failure.ts";

/** What a person sees of a body that is no problem document. */
const shownCharactersMax = 200;

export class ApiFailure extends Failure {
  /** HTTP status. */
  readonly status: number;
  /** The code as the server wrote it; `undefined` when the answer was no problem document. */
  readonly problemCode: string | undefined;
  readonly requestId: string | undefined;
  /** As it came. */
  readonly body: string;

  constructor(answer: {
    readonly code: FailureCode;
    readonly message: string;
    readonly status: number;
    readonly body: string;
    readonly problemCode?: string;
    readonly requestId?: string;
    readonly details?: Readonly<Record<string, unknown>>;
  }) {
    super(
      answer.code,
      answer.message,
      answer.details === undefined ? {} : { details: answer.details },
    );
    this.status = answer.status;
    this.body = answer.body;
    this.problemCode = answer.problemCode;
    this.requestId = answer.requestId;
  }
}

/** `body` is the answer's text, whoever wrote it: the server, or a proxy before it. */
export function failureOf(
  response: Pick<Response, "status" | "statusText" | "headers">,
  body: string,
): ApiFailure {
  const parsed = problem.safeParse(jsonOrUndefined(body));
  if (parsed.success) {
    const { code, status, detail, requestId, details } = parsed.data;
    return new ApiFailure({
      code: isFailureCode(code) ? code : codeOfStatus(status),
      message: detail,
      status,
      body,
      problemCode: code,
      requestId,
      details,
    });
  }
  const requestId = response.headers.get("x-request-id");
  return new ApiFailure({
    code: codeOfStatus(response.status),
    message: strangeAnswer(response, body),
    status: response.status,
    body,
    ...(requestId === null ? {} : { requestId }),
  });
}

function strangeAnswer(
  response: Pick<Response, "status" | "statusText" | "headers">,
  body: string,
): string {
  const location = response.headers.get("location");
  if (response.status >= 300 && response.status < 400) {
    return location === null
      ? "The server redirects elsewhere. Check the URL."
      : `The server redirects to ${location}. Use that URL if you trust it.`;
  }
  const shown = body.replaceAll(/\s+/g, " ").trim().slice(0, shownCharactersMax);
  const title = `${response.status} ${response.statusText}`.trim();
  return `The server answered ${title}${shown === "" ? "" : `: ${shown}`}. Check that the URL is that of a Millrace server.`;
}

export function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const codeByStatus: ReadonlyMap<number, FailureCode> = new Map([
  [400, "invalid_request"],
  [401, "unauthenticated"],
  [402, "insufficient_credit"],
  [403, "forbidden"],
  [404, "not_found"],
  [405, "method_not_allowed"],
  [409, "conflict"],
  [413, "payload_too_large"],
  [415, "unsupported_media_type"],
  [422, "rule_violation"],
  [429, "throttled"],
  [500, "internal"],
  [502, "unavailable"],
  [503, "unavailable"],
  [504, "timeout"],
]);

export function codeOfStatus(status: number): FailureCode {
  return codeByStatus.get(status) ?? (status >= 500 ? "internal" : "invalid_request");
}
