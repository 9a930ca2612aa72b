/**
 * Parses what a caller sent against the contract. A refusal names every field that is wrong, and
 * why: `details.fields` is a list of {in, path, message}.
 */
import { z } from "zod";

import type { Operation } from "#contract/operation.ts";
import { Failure } from "#kernel/failure.ts";

import { fieldProblemsMax, jsonDepthMax } from "./limits.ts";

type Part = "path" | "query" | "body";

export interface FieldProblem {
  readonly in: Part;
  /** `placement.tolerations.0`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

/** A body that nobody has parsed yet. */
export class UnreadJson {
  readonly sent: SentJson;
  /** Throws what the server answers to a text that is no JSON. */
  readonly read: () => unknown;

  constructor(sent: SentJson, read: () => unknown) {
    this.sent = sent;
    this.read = read;
  }
}

interface SentJson {
  readonly bytes: Buffer;
  readonly text: string;
}

/** What a handler gets of it, to read it by itself or to have it parsed: once, when it asks. */
export class UnparsedBody {
  readonly bytes: Buffer;
  readonly text: string;
  readonly #parse: () => unknown;
  #parsed: { readonly body: unknown } | undefined;

  constructor({ bytes, text }: SentJson, parse: () => unknown) {
    this.bytes = bytes;
    this.text = text;
    this.#parse = parse;
  }

  parse(): unknown {
    this.#parsed ??= { body: this.#parse() };
    return this.#parsed.body;
  }
}

export interface Raw {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

export function parseInput(operation: Operation, raw: Raw): Raw {
  const problems: FieldProblem[] = [];
  const parse = (part: Part, schema: z.ZodType, value: unknown): unknown => {
    const bad = unstorable(value, 0);
    if (bad !== undefined) {
      problems.push({ in: part, ...bad });
      return undefined;
    }
    const result = schema.safeParse(value, { reportInput: true });
    if (result.success) return result.data;
    problems.push(...result.error.issues.flatMap((issue) => problemsOf(part, issue)));
    return undefined;
  };
  const parsed = {
    params: parse("path", operation.params, raw.params),
    query: parse("query", operation.query, raw.query),
    body: bodyOf(operation, raw, parse),
  };
  if (problems.length > 0) throw refusal(problems);
  return parsed;
}

/** One of many things in a body that are answered each by itself; the refusal is the outcome. */
export function parseEach<T>(
  schema: z.ZodType<T>,
  value: unknown,
): { readonly data: T } | { readonly failure: Failure } {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return { data: result.data };
  return { failure: refusal(result.error.issues.flatMap((issue) => problemsOf("body", issue))) };
}

function bodyOf(operation: Operation, { body }: Raw, parse: ParsePart): unknown {
  if (operation.requestTransport === "bytes") return body;
  if (!(body instanceof UnreadJson)) return parseBody(operation, body, parse);
  const nothingElse = { params: {}, query: {} };
  const schemas = { ...operation, params: noFields, query: noFields };
  return new UnparsedBody(
    body.sent,
    () => parseInput(schemas, { ...nothingElse, body: body.read() }).body,
  );
}

const noFields = z.strictObject({});

type ParsePart = (part: Part, schema: z.ZodType, value: unknown) => unknown;

/** A body may be left out where all of its fields may; where there is none to send, `{}` is none. */
function parseBody(operation: Operation, body: unknown, parse: ParsePart): unknown {
  if (operation.body !== undefined) return parse("body", operation.body, body ?? {});
  if (body !== undefined && JSON.stringify(body) !== "{}") {
    throw refusal([{ in: "body", path: "", message: "this operation takes no body" }]);
  }
  return undefined;
}

function refusal(problems: readonly FieldProblem[]): Failure {
  const shown = problems.slice(0, 3).map(({ path, message }) => `${path || "body"}: ${message}`);
  const more = problems.length > 3 ? `; and ${problems.length - 3} more` : "";
  return new Failure("invalid_request", `Not valid: ${shown.join("; ")}${more}.`, {
    details: { fields: problems.slice(0, fieldProblemsMax) },
  });
}

function problemsOf(part: Part, issue: z.core.$ZodIssue): FieldProblem[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      in: part,
      path: [...path, key.slice(0, 100)].join("."),
      message: "unknown field",
    }));
  }
  const isMissing = issue.code === "invalid_type" && issue.input === undefined;
  const message = isMissing ? "is required" : issue.message;
  return [{ in: part, path: path.join("."), message }];
}

/**
 * Text that no column can hold (U+0000, half a surrogate pair), and JSON nested so deeply that
 * code which recurses into it could run out of stack. The path is put together on the way back:
 * bodies of a thousand objects pass here, and hardly ever one that is bad.
 */
function unstorable(value: unknown, depth: number): { path: string; message: string } | undefined {
  if (typeof value === "string") {
    if (value.includes("\0")) return { path: "", message: "must not contain U+0000" };
    return value.isWellFormed() ? undefined : { path: "", message: "is not well-formed Unicode" };
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (depth === jsonDepthMax) return { path: "", message: `is nested deeper than ${jsonDepthMax}` };
  for (const key of Object.keys(value)) {
    const badKey = unstorable(key, depth);
    if (badKey !== undefined) return badKey;
    const each: unknown = Reflect.get(value, key);
    const bad = unstorable(each, depth + 1);
    if (bad !== undefined) return { ...bad, path: bad.path === "" ? key : `${key}.${bad.path}` };
  }
  return undefined;
}
