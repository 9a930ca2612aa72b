/** From what a handler returned to status, headers and bytes. */
import { Readable } from "node:stream";

import { z } from "zod";

import { eventChunks, type EventStreamOptions } from "./events.ts";
import type { ServerEvent } from "./handler.ts";
import type { MutationOutcome } from "./mutation.ts";

export interface Outgoing {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | Readable;
}

const eventsAnswer = z.custom<AsyncIterable<ServerEvent>>(
  (value) => typeof value === "object" && value !== null && Symbol.asyncIterator in value,
);

const bytesAnswer = z.object({
  contentType: z.string(),
  body: z.union([z.instanceof(Readable), z.instanceof(Uint8Array)]),
  contentLength: z.int().min(0).optional(),
  fileName: z.string().optional(),
  headers: z.record(z.string(), z.string()).default({}),
});

const textAnswer = z.object({
  contentType: z.string(),
  body: z.string(),
  fileName: z.string().optional(),
});

export function bytesOutgoing(status: number, answer: unknown): Outgoing {
  const { contentType, body, contentLength, fileName, headers } = bytesAnswer.parse(answer);
  return {
    status,
    headers: {
      ...headers,
      "content-type": contentType,
      ...(contentLength === undefined ? {} : { "content-length": String(contentLength) }),
      ...disposition(fileName),
    },
    body,
  };
}

export function textOutgoing(status: number, answer: unknown): Outgoing {
  const { contentType, body, fileName } = textAnswer.parse(answer);
  return { status, headers: { "content-type": contentType, ...disposition(fileName) }, body };
}

/** RFC 6266: always encoded, so that no name can end the header. */
function disposition(fileName: string | undefined): Record<string, string> {
  if (fileName === undefined) return {};
  const encoded = encodeURIComponent(fileName.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
  return { "content-disposition": `attachment; filename*=UTF-8''${encoded}` };
}

export function jsonOutgoing(status: number, body: string): Outgoing {
  const headers: Record<string, string> =
    body === "" ? {} : { "content-type": "application/json; charset=utf-8" };
  return { status, headers, body };
}

export function outcomeOutgoing({ status, body, replayed }: MutationOutcome): Outgoing {
  const outgoing = jsonOutgoing(status, body);
  if (!replayed) return outgoing;
  return { ...outgoing, headers: { ...outgoing.headers, "idempotency-replayed": "true" } };
}

export function eventsOutgoing(
  status: number,
  answer: unknown,
  options: EventStreamOptions,
): Outgoing & { readonly body: Readable } {
  const chunks = eventChunks(eventsAnswer.parse(answer), options);
  return {
    status,
    headers: { "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" },
    body: Readable.from(chunks, { objectMode: false }),
  };
}
