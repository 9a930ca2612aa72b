/** What the contract server reads off a request and writes into an answer. */
import type { IncomingMessage, ServerResponse } from "node:http";

import type { Operation } from "#contract/operation.ts";
import { operations, type OperationId } from "#contract/operations.ts";
import { failureClasses } from "#kernel/failure.ts";

export interface Seen {
  readonly id: OperationId;
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly headers: IncomingMessage["headers"];
}

const routes = Object.entries(operations).map(([id, operation]) => ({ id, operation }));

export function findRoute(
  method: string,
  path: string,
): { id: OperationId; operation: Operation; params: Record<string, string> } | undefined {
  for (const { id, operation } of routes) {
    const pattern = operation.path
      .replaceAll(".", "\\.")
      .replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")
      .replace(/\{\+(\w+)\}$/, "(?<$1>.+)");
    const match = operation.method === method ? new RegExp(`^${pattern}$`).exec(path) : null;
    if (match === null || !isOperationId(id)) continue;
    const params = Object.entries(match.groups ?? {}).map(([name, value]) => [
      name,
      decodeURIComponent(value),
    ]);
    return { id, operation, params: Object.fromEntries(params) };
  }
  return undefined;
}

function isOperationId(id: string): id is OperationId {
  return Object.hasOwn(operations, id);
}

export function checked(
  id: OperationId,
  operation: Operation,
  given: {
    readonly params: Record<string, string>;
    readonly url: URL;
    readonly body: Buffer;
    readonly headers: IncomingMessage["headers"];
  },
): Seen | { readonly wrong: string } {
  const params = operation.params.safeParse(given.params);
  if (!params.success) return { wrong: `params: ${params.error.message}` };
  const query = operation.query.safeParse(Object.fromEntries(given.url.searchParams));
  if (!query.success) return { wrong: `query: ${query.error.message}` };
  const { headers } = given;
  if (operation.requestTransport === "bytes") {
    return { id, params: params.data, query: query.data, body: given.body.toString(), headers };
  }
  if (operation.body === undefined) {
    if (given.body.length > 0) return { wrong: "body: there is none to send" };
    return { id, params: params.data, query: query.data, body: undefined, headers };
  }
  const body = operation.body.safeParse(JSON.parse(given.body.toString() || "null"));
  if (!body.success) return { wrong: `body: ${body.error.message}` };
  return { id, params: params.data, query: query.data, body: body.data, headers };
}

/** One server-sent event as text. */
export function eventText(event: { id?: string; event?: string; data: unknown }): string {
  const lines = [
    ...(event.id === undefined ? [] : [`id: ${event.id}`]),
    ...(event.event === undefined ? [] : [`event: ${event.event}`]),
    `data: ${JSON.stringify(event.data)}`,
  ];
  return `${lines.join("\n")}\n\n`;
}

export function stream(response: ServerResponse, operation: Operation, content: unknown): void {
  const types = {
    json: "",
    bytes: "application/octet-stream",
    text: "text/plain",
    events: "text/event-stream",
  };
  response.writeHead(200, { "content-type": types[operation.transport] });
  response.end(content);
}

export function problemText(code: string, detail: string, status: number): string {
  return JSON.stringify({
    type: `urn:millrace:${code}`,
    title: code,
    status,
    detail,
    code,
    requestId: "req-test-1",
    details: {},
  });
}

export function refuse(
  response: ServerResponse,
  code: string,
  detail: string,
  extra: {
    readonly status?: number;
    readonly retryAfter?: string;
    readonly details?: Readonly<Record<string, unknown>>;
  } = {},
): void {
  const known = Object.entries(failureClasses).find(([name]) => name === code);
  const status = extra.status ?? known?.[1].status ?? 500;
  response.writeHead(status, {
    "content-type": "application/problem+json",
    ...(extra.retryAfter === undefined ? {} : { "retry-after": extra.retryAfter }),
  });
  const document: unknown = JSON.parse(problemText(code, detail, status));
  response.end(JSON.stringify(Object.assign({}, document, { details: extra.details ?? {} })));
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, status === 204 ? {} : { "content-type": "application/json" });
  response.end(text);
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}
