/**
 * A stream of events that goes on over lost connections: each new one names the last event that
 * came, so that none is lost or seen twice. It ends when the server says so.
 */
import { createEventParser, type ServerEvent } from "#client/event-parser.ts";
import { backoffMs, type RetryPolicy } from "#client/retry.ts";
import type { LooseRequest, OperationIdOver } from "#client/types.ts";

import { pause, streamLoose } from "./client.ts";
import { ApiProblem } from "./problem.ts";

export type FollowState = "connecting" | "live" | "lost" | "ended";

export interface Follower {
  readonly signal: AbortSignal;
  readonly onEvent: (event: ServerEvent) => void;
  readonly onState: (state: FollowState) => void;
}

const between: RetryPolicy = { attemptsMax: Infinity, firstDelayMs: 500, delayMaxMs: 10_000 };
/** The server sends something at least every 15 s. */
const silenceMs = 45_000;

/** Rejects with the server's problem when it refuses; never because a connection was lost. */
export async function follow(
  id: OperationIdOver<"events">,
  request: LooseRequest,
  { signal, onEvent, onState }: Follower,
): Promise<void> {
  let lastEventId = "";
  let fruitless = 0;
  let hasEnded = false;
  onState("connecting");
  while (!signal.aborted && !hasEnded) {
    const silent = new AbortController();
    try {
      // oxlint-disable-next-line no-await-in-loop -- one connection after the other
      const response = await streamLoose(id, request, {
        accept: "text/event-stream",
        lastEventId,
        signal: AbortSignal.any([signal, silent.signal]),
      });
      hasEnded = response.status === 204;
      if (!hasEnded) onState("live");
      // oxlint-disable-next-line no-await-in-loop -- as above
      await readAll(response, lastEventId, silent, (event) => {
        fruitless = 0;
        lastEventId = event.id;
        if (event.event === "end") hasEnded = true;
        else onEvent(event);
      });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiProblem && isRefusal(error)) throw error;
    }
    if (signal.aborted || hasEnded) break;
    onState("lost");
    fruitless += 1;
    const delayMs = backoffMs(between, Math.min(fruitless, 8), Math.random());
    // oxlint-disable-next-line no-await-in-loop -- as above
    await pause(delayMs, signal).catch(() => undefined);
  }
  if (hasEnded) onState("ended");
}

function isRefusal(problem: ApiProblem): boolean {
  return problem.status >= 400 && problem.status < 500 && problem.status !== 429;
}

async function readAll(
  response: Response,
  from: string,
  silent: AbortController,
  onEvent: (event: ServerEvent) => void,
): Promise<void> {
  const parser = createEventParser(from);
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  for (;;) {
    const timer = setTimeout(() => silent.abort(), silenceMs);
    // oxlint-disable-next-line no-await-in-loop -- a stream
    const chunk = await reader.read().finally(() => clearTimeout(timer));
    if (chunk.done) return;
    for (const event of parser.push(chunk.value)) onEvent(event);
  }
}
