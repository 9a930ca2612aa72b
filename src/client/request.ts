/** From an operation and what a caller gives to a URL, headers and a body. */
import type { Operation } from "#contract/operation.ts";
import { Failure } from "#kernel/failure.ts";

import type { Content, Transmission } from "./send.ts";
import type { LooseRequest } from "./types.ts";

/** Under which the operator acts for another tenant. */
export const tenantHeader = "Millrace-Tenant";
/** With which an answer of log bytes says where they end. */
export const logOffsetHeader = "Millrace-Log-Offset";

export interface Caller {
  readonly baseUrl: string;
  readonly credential: string | undefined;
  readonly tenant: string | undefined;
}

export interface Extra {
  readonly accept: string;
  readonly idempotencyKey?: string | undefined;
  readonly lastEventId?: string;
  /** The raw body of an upload. */
  readonly content?: Content;
  /** See `Limits`. */
  readonly onUnanswered?: (() => void) | undefined;
}

export function transmissionOf(
  caller: Caller,
  operation: Operation,
  request: LooseRequest,
  extra: Extra,
): Transmission {
  const json = operation.body === undefined ? undefined : JSON.stringify(request.body ?? {});
  const content = extra.content ?? json;
  const headers: Record<string, string> = { accept: extra.accept };
  if (caller.credential !== undefined) headers["authorization"] = `Bearer ${caller.credential}`;
  if (caller.tenant !== undefined) headers[tenantHeader.toLowerCase()] = caller.tenant;
  if (extra.content !== undefined) headers["content-type"] = "application/octet-stream";
  else if (json !== undefined) headers["content-type"] = "application/json";
  if (operation.method === "POST") {
    headers["idempotency-key"] = extra.idempotencyKey ?? randomKey();
  }
  if (extra.lastEventId !== undefined && extra.lastEventId !== "") {
    headers["last-event-id"] = extra.lastEventId;
  }
  return {
    method: operation.method,
    url: urlOf(caller.baseUrl, operation.path, request),
    headers,
    ...(content === undefined ? {} : { content }),
  };
}

export function urlOf(baseUrl: string, path: string, request: LooseRequest): string {
  const filled = path.replaceAll(/\{(\+?)([A-Za-z]+)\}/g, (_whole, rest: string, name: string) => {
    const value = request.params?.[name];
    const text = typeof value === "number" ? String(value) : value;
    if (typeof text === "string" && text !== "") {
      const parts = rest === "" ? [text] : text.split("/");
      return parts.map((part) => encodeURIComponent(part)).join("/");
    }
    throw new Failure("invalid_request", `The path ${path} needs a value for ${name}.`);
  });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined)
      query.set(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  const text = query.toString();
  return `${baseUrl.replace(/\/+$/, "")}${filled}${text === "" ? "" : `?${text}`}`;
}

/** 128 random bits. Not `randomUUID`, which a browser has on https pages only. */
export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
