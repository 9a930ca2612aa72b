/**
 * One stream of the server's events for the whole page. An event says "look again" and nothing
 * else: it makes the queries stale that could show the resource. Events that come close together
 * are one look.
 */
import { createEventParser } from "#client/event-parser.ts";
import { backoffMs, type RetryPolicy } from "#client/retry.ts";
import type { JsonOperationId } from "#client/types.ts";

import { pause, streamLoose } from "./client.ts";
import { ApiProblem, isRecord } from "./problem.ts";
import { queryClient } from "./queries.ts";
import { createStore } from "./store.ts";

type Kind = "lease" | "job" | "operation" | "balance";

const money = ["getBalance", "getStanding", "getQuota"] as const;

/** What may look otherwise after an event of a kind. */
const shows: Readonly<Record<Kind, readonly JsonOperationId[]>> = {
  lease: ["listLeases", "getLease", "listLeaseEvents", "listSnapshots", "listOffers", ...money],
  job: ["listJobs", "getJob", "listOffers", "listFiles", ...money],
  operation: ["getOperation", "listLeases", "getLease", "listSnapshots"],
  balance: [...money, "listJournals", "listNotices", "getStatement"],
};

export const live = createStore<"connecting" | "live" | "lost">("connecting");

const between: RetryPolicy = { attemptsMax: Infinity, firstDelayMs: 500, delayMaxMs: 10_000 };
/** The server sends something at least every 15 s. */
const silenceMs = 45_000;
/** How long events are gathered before they are acted on. */
const gatherMs = 400;

/** Until `signal` ends it. A refusal ends it too: then the page reads by period alone. */
export async function followChanges(signal: AbortSignal): Promise<void> {
  let lastEventId = "";
  let fruitless = 0;
  while (!signal.aborted) {
    const silent = new AbortController();
    try {
      // oxlint-disable-next-line no-await-in-loop -- one connection after the other
      const response = await streamLoose(
        "followEvents",
        {},
        {
          accept: "text/event-stream",
          lastEventId,
          signal: AbortSignal.any([signal, silent.signal]),
        },
      );
      live.set("live");
      // What changed while nobody listened.
      if (fruitless > 0) void queryClient.invalidateQueries();
      // oxlint-disable-next-line no-await-in-loop -- as above
      lastEventId = await readAll(response, lastEventId, silent, () => (fruitless = 0));
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiProblem && error.status >= 400 && error.status < 500) {
        if (error.status !== 429) return;
      }
    }
    if (signal.aborted) return;
    live.set("lost");
    fruitless += 1;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await pause(backoffMs(between, Math.min(fruitless, 8), Math.random()), signal).catch(
      () => null,
    );
  }
}

async function readAll(
  response: Response,
  from: string,
  silent: AbortController,
  onEvent: () => void,
): Promise<string> {
  const parser = createEventParser(from);
  const reader = response.body?.getReader();
  let lastEventId = from;
  if (reader === undefined) return lastEventId;
  for (;;) {
    const timer = setTimeout(() => silent.abort(), silenceMs);
    // oxlint-disable-next-line no-await-in-loop -- a stream
    const chunk = await reader.read().finally(() => clearTimeout(timer));
    if (chunk.done) return lastEventId;
    for (const event of parser.push(chunk.value)) {
      onEvent();
      lastEventId = event.id;
      heard(event.data);
    }
  }
}

const gathered = new Set<JsonOperationId>();
let timer: ReturnType<typeof setTimeout> | undefined;

function heard(data: string): void {
  const kind = kindOf(data);
  if (kind === undefined) return;
  for (const id of shows[kind]) gathered.add(id);
  timer ??= setTimeout(() => {
    timer = undefined;
    const ids = [...gathered];
    gathered.clear();
    for (const id of ids) void queryClient.invalidateQueries({ queryKey: [id] });
  }, gatherMs);
}

function kindOf(data: string): Kind | undefined {
  try {
    const value: unknown = JSON.parse(data);
    const kind = isRecord(value) ? value["kind"] : undefined;
    return kind === "lease" || kind === "job" || kind === "operation" || kind === "balance"
      ? kind
      : undefined;
  } catch {
    return undefined;
  }
}
