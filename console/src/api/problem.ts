/**
 * What a call may end in besides its answer: the server's own problem (RFC 9457), or nobody who
 * answered. A page shows it with ProblemBox; `code` tells cases apart, never the text.
 */
import type { FailureCode } from "#kernel/failure.ts";

export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  /** 0 when nobody answered. */
  readonly status: number;
  /** The server's code; `unreachable` when nobody answered, `strange_answer` when not Millrace did. */
  readonly code: FailureCode | (string & {});
  readonly requestId: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(given: {
    readonly status: number;
    readonly code: string;
    readonly message: string;
    readonly requestId?: string | undefined;
    readonly details?: Readonly<Record<string, unknown>> | undefined;
    readonly cause?: unknown;
  }) {
    super(given.message, given.cause === undefined ? undefined : { cause: given.cause });
    this.status = given.status;
    this.code = given.code;
    this.requestId = given.requestId;
    this.details = given.details ?? {};
  }

  /** What the server found wrong in what was sent, by path such as `inputs.0`. */
  get fields(): readonly FieldProblem[] {
    const fields = this.details["fields"];
    return Array.isArray(fields) ? fields.filter(isFieldProblem) : [];
  }
}

export function isProblem(error: unknown, ...codes: readonly string[]): error is ApiProblem {
  return error instanceof ApiProblem && (codes.length === 0 || codes.includes(error.code));
}

/** Nobody answered, or only something that stands before the server. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof ApiProblem && (error.status === 0 || error.code === "strange_answer");
}

export async function problemOf(response: Response): Promise<ApiProblem> {
  const text = await response.text().catch(() => "");
  const parsed = objectOf(text);
  const headerId = response.headers.get("x-request-id") ?? undefined;
  if (parsed !== undefined && typeof parsed["code"] === "string") {
    const { code, detail, title, requestId, details } = parsed;
    return new ApiProblem({
      status: response.status,
      code,
      message: firstText(detail, title, code),
      requestId: typeof requestId === "string" ? requestId : headerId,
      details: isRecord(details) ? details : {},
    });
  }
  return new ApiProblem({
    status: response.status,
    code: response.status === 401 ? "unauthenticated" : "strange_answer",
    message: `${response.status} ${response.statusText}`.trim(),
    requestId: headerId,
  });
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isFieldProblem(value: unknown): value is FieldProblem {
  return (
    isRecord(value) && typeof value["path"] === "string" && typeof value["message"] === "string"
  );
}

function firstText(...candidates: readonly unknown[]): string {
  for (const each of candidates) if (typeof each === "string" && each !== "") return each;
  return "";
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
