/**
 * One stream of the server's events for the whole page. An event says "look again" and nothing
 * else: it makes the queries stale that could show the resource. Events that come close together
 * are one look.
 */
import type { JsonOperationId } from "#client/types.ts";

import { follow, type FollowState } from "./follow.ts";
import { isRecord } from "./problem.ts";
import { queryClient } from "./queries.ts";
import { createStore } from "./store.ts";

type Kind = "lease" | "job" | "operation" | "balance";

const money = ["getBalance", "getStanding", "getQuota"] as const;

/** What may look otherwise after an event of a kind. */
const shows: Readonly<Record<Kind, readonly JsonOperationId[]>> = {
  lease: ["listLeases", "getLease", "listLeaseEvents", "listSnapshots", "listOffers", ...money],
  job: ["listJobs", "getJob", "explainRequest", "listOffers", "listFiles", ...money],
  operation: ["getOperation", "listLeases", "getLease", "listSnapshots"],
  balance: [...money, "listJournals", "listNotices", "getStatement"],
};

export const live = createStore<FollowState>("connecting");

/** How long events are gathered before they are acted on. */
const gatherMs = 400;

/** Until `signal` ends it. A refusal ends it too: then what is shown is as old as it is. */
export async function followChanges(signal: AbortSignal): Promise<void> {
  let wasLost = false;
  await follow(
    "followEvents",
    {},
    {
      signal,
      onEvent: (event) => heard(event.data),
      onState: (state) => {
        live.set(state);
        // What changed while nobody listened.
        if (state === "live" && wasLost) void queryClient.invalidateQueries();
        wasLost = state === "lost";
      },
    },
  ).catch(() => live.set("ended"));
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
    for (const id of ids) lookAgain(id);
  }, gatherMs);
}

/** A list of more pages than this is read whole again at most this often. */
const pagesMax = 4;
const longListMs = 30_000;

function lookAgain(id: JsonOperationId): void {
  void queryClient.invalidateQueries({
    queryKey: [id],
    predicate: ({ state }) =>
      pagesOf(state.data) <= pagesMax || Date.now() - state.dataUpdatedAt > longListMs,
  });
}

function pagesOf(data: unknown): number {
  const pages = isRecord(data) ? data["pages"] : undefined;
  return Array.isArray(pages) ? pages.length : 1;
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
