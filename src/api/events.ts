/**
 * Server-sent events. A stream shows a sign of life every `heartbeatMs`; it ends with an event
 * `end` when there is nothing more to come, and without one when the connection is lost or this
 * process closes: then the client connects again and names the last id it saw.
 *
 * The chunks are pulled by the socket, so a slow reader slows the source down instead of filling
 * memory.
 */
import { assert } from "#kernel/assert.ts";

import type { ServerEvent } from "./handler.ts";

const reconnectMs = 1000;

export interface EventStreamOptions {
  readonly heartbeatMs: number;
  readonly signal: AbortSignal;
}

export async function* eventChunks(
  events: AsyncIterable<ServerEvent>,
  options: EventStreamOptions,
): AsyncGenerator<string, void, undefined> {
  yield `retry: ${reconnectMs}\n\n`;
  const iterator = events[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one event after the other
      const came = await nextOrHeartbeat(next, options);
      if (came === "aborted") return;
      if (came === "heartbeat") {
        yield ":\n\n";
        continue;
      }
      if (came.done === true) {
        yield eventText({ event: "end", data: {} });
        return;
      }
      yield eventText(came.value);
      if (came.value.event === "end") return;
      next = iterator.next();
    }
  } finally {
    // Not awaited: a source that is itself waiting ends when it sees the signal.
    next.catch(() => undefined);
    iterator.return?.().catch(() => undefined);
  }
}

function eventText({ id, event, data }: ServerEvent): string {
  const lines = [];
  for (const [name, value] of Object.entries({ id, event })) {
    if (value === undefined) continue;
    assert(!/[\r\n\0]/.test(value), `the ${name} of an event is one line`);
    lines.push(`${name}: ${value}\n`);
  }
  return `${lines.join("")}data: ${JSON.stringify(data)}\n\n`;
}

async function nextOrHeartbeat(
  next: Promise<IteratorResult<ServerEvent>>,
  { heartbeatMs, signal }: EventStreamOptions,
): Promise<IteratorResult<ServerEvent> | "heartbeat" | "aborted"> {
  if (signal.aborted) return "aborted";
  const { promise: other, resolve } = Promise.withResolvers<"heartbeat" | "aborted">();
  const timer = setTimeout(() => resolve("heartbeat"), heartbeatMs);
  const onAbort = (): void => resolve("aborted");
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([next, other]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
