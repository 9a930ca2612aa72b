/**
 * One stream of the server's events for the whole page. An event says "look again" and nothing
 * else: it makes the queries stale that could show the resource. Events that come close together
 * are one look. A list that is too long to be read anew for each gets what changed in its place.
 */
import type { JsonOperationId } from "#client/types.ts";

import { call } from "./client.ts";
import { follow, type FollowState } from "./follow.ts";
import { hasItem, isPaged, withItem } from "./paged.ts";
import { isRecord } from "./problem.ts";
import { queryClient } from "./queries.ts";
import { createStore } from "./store.ts";

type Kind = "lease" | "job" | "operation" | "balance";

const money = ["getBalance", "getStanding", "getQuota"] as const;

/** What may look otherwise after an event of a kind. */
const shows: Readonly<Record<Kind, readonly JsonOperationId[]>> = {
  lease: ["listLeases", "getLease", "listLeaseEvents", "listSnapshots", "listOffers", ...money],
  job: ["listJobs", "getJob", "getJobCosts", "explainRequest", "listOffers", "listFiles", ...money],
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
/** By their ids, of which kind. */
const changed = new Map<string, Kind>();
let timer: ReturnType<typeof setTimeout> | undefined;

function heard(data: string): void {
  const { kind, id } = changeOf(data);
  if (kind === undefined) return;
  for (const each of shows[kind]) gathered.add(each);
  if (id !== undefined) changed.set(id, kind);
  timer ??= setTimeout(() => {
    timer = undefined;
    const ids = [...gathered];
    const mended = [...changed];
    gathered.clear();
    changed.clear();
    for (const each of ids) lookAgain(each);
    for (const [each, of] of mended) void mendLists(of, each);
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

/** In lists that were not read anew: the one that changed, as it is now, at the place that it has. */
async function mendLists(kind: Kind, id: string): Promise<void> {
  if (kind !== "lease" && kind !== "job") return;
  const queryKey = [kind === "lease" ? "listLeases" : "listJobs"];
  const lists = queryClient
    .getQueryCache()
    .findAll({ queryKey, predicate: ({ state }) => pagesOf(state.data) > pagesMax })
    .filter(({ state }) => hasItem(state.data, id));
  if (lists.length === 0) return;
  const item = await (
    kind === "lease"
      ? call("getLease", { params: { leaseId: id } })
      : call("getJob", { params: { jobId: id } })
  ).catch(() => undefined);
  if (item === undefined) return;
  for (const { queryKey: key, state } of lists) {
    // As old as before: when it is read anew does not depend on this.
    const updatedAt = state.dataUpdatedAt;
    queryClient.setQueryData(key, (data: unknown) => withItem(data, item), { updatedAt });
  }
}

function pagesOf(data: unknown): number {
  return isPaged(data) ? data.pages.length : 1;
}

function changeOf(data: string): { readonly kind?: Kind; readonly id?: string } {
  try {
    const value: unknown = JSON.parse(data);
    if (!isRecord(value)) return {};
    const { kind, id } = value;
    const isKnown =
      kind === "lease" || kind === "job" || kind === "operation" || kind === "balance";
    return { ...(isKnown ? { kind } : {}), ...(typeof id === "string" ? { id } : {}) };
  } catch {
    return {};
  }
}
