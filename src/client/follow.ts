/**
 * A stream of events that goes on over dropped connections: each new connection names the last
 * event that arrived, so that none is lost or seen twice. It ends when the server says so (an event
 * `end`, or 204), never because a connection did.
 */
import { Failure, failureClasses } from "#kernel/failure.ts";

import { chunksOf } from "./chunks.ts";
import { pause } from "./deadline.ts";
import { createEventParser, type ServerEvent } from "./event-parser.ts";
import { backoffMs, type RetryPolicy } from "./retry.ts";

export interface FollowOptions {
  readonly signal?: AbortSignal;
  readonly lastEventId?: string;
  /** Silence after which the connection counts as dropped. */
  readonly idleMs?: number;
  /** Told when the connection was lost and another is made. */
  readonly onReconnect?: (cause: unknown) => void;
}

/** Connections in a row that brought nothing. */
const fruitlessMax = 10;
const idleMsDefault = 60_000;
const between: RetryPolicy = { attemptsMax: fruitlessMax, firstDelayMs: 250, delayMaxMs: 5000 };

export async function* follow(
  connect: (lastEventId: string) => Promise<Response>,
  options: FollowOptions,
): AsyncGenerator<ServerEvent, void, undefined> {
  let lastEventId = options.lastEventId ?? "";
  let askedMs: number | undefined;
  let fruitless = 0;
  for (;;) {
    const parser = createEventParser(lastEventId);
    let cause: unknown = new Failure("unavailable", "The server closed the stream.");
    try {
      const response = await connect(lastEventId);
      if (response.status === 204) return;
      const limits = { idleMs: options.idleMs ?? idleMsDefault, signal: options.signal };
      for await (const chunk of chunksOf(response, limits)) {
        for (const event of parser.push(chunk)) {
          fruitless = 0;
          lastEventId = event.id;
          yield event;
          if (event.event === "end") return;
        }
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof Failure) || failureClasses[error.code].retry !== "later") throw error;
      cause = error;
    }
    fruitless += 1;
    if (fruitless > fruitlessMax) throw cause;
    askedMs = parser.retryMs() ?? askedMs;
    options.onReconnect?.(cause);
    await pause(askedMs ?? backoffMs(between, fruitless, Math.random()), options.signal);
  }
}
