/**
 * What happens to the objects of a kind, for as long as somebody wants to know. The first thing that
 * a watch tells is all that there is, `page` by page, unless it goes on from a version; then each change.
 * When the server has forgotten the version that we had (410), it tells all again, and who keeps the
 * objects drops what no page named, since deletions may have been missed. Nothing follows from a page
 * before the last one has come. A watch never ends by itself: what went wrong is told (`lost`) and tried
 * again, ever more slowly; when the server takes it up again, that is told too (`resumed`).
 */
import { setTimeout as after } from "node:timers/promises";

import type { Calls } from "./calls.ts";
import { StatusError } from "./errors.ts";
import type { Kind } from "./kind.ts";
import { type ListedPage, type ListLimits, listPages, type Selection } from "./list.ts";
import { backoffMs } from "./retry.ts";
import { type RoundLimits, type Told, watchRound } from "./watch-round.ts";

export type WatchEvent =
  | ({ readonly type: "page" } & ListedPage)
  | Told
  /** After `lost`: the server answers again. What happened meanwhile is told next, if anything did. */
  | { readonly type: "resumed" }
  /** What is known grows old from now; the next event but a page before the last says that it goes on. */
  | { readonly type: "lost"; readonly error: unknown; readonly retryInMs: number };

export interface WatchLimits extends RoundLimits {
  readonly firstDelayMs: number;
  readonly delayMaxMs: number;
}

export const watchLimits: WatchLimits = {
  roundSeconds: 120,
  silenceMaxMs: 150_000,
  eventBytesMax: 8 * 1024 * 1024,
  firstDelayMs: 200,
  delayMaxMs: 30_000,
};

export interface WatchAsked {
  readonly kind: Kind;
  readonly selection: Selection;
  /** A resource version to go on from, without a list first. */
  readonly from?: string;
  readonly limits: WatchLimits;
  readonly listLimits: ListLimits;
}

/** Ends when the signal aborts, or when who reads leaves the loop; then its socket is gone. */
export async function* watchAll(
  calls: Calls,
  asked: WatchAsked,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void, undefined> {
  const { limits } = asked;
  let version = asked.from;
  let failures = 0;
  let isLost = false;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        version = yield* tellAll(calls, asked, signal);
        isLost = false;
      }
      for await (const event of watchRound(calls, { ...asked, from: version }, signal)) {
        if (event.type === "opened") {
          if (isLost) yield { type: "resumed" };
          isLost = false;
          continue;
        }
        version = event.resourceVersion;
        failures = 0;
        yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      if (isGone(error)) {
        version = undefined;
        // At once, the first time; a server that says so again and again is not asked at full speed.
        if (failures === 1) continue;
      }
      const retryInMs = restOf(error, limits, failures);
      isLost = true;
      yield { type: "lost", error, retryInMs };
      await rest(retryInMs, signal);
    }
  }
}

/** Returns the version at which all was told. */
async function* tellAll(
  calls: Calls,
  asked: WatchAsked,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, string, undefined> {
  let version = "";
  for await (const page of listPages(calls, { ...asked, limits: asked.listLimits }, signal)) {
    version = page.resourceVersion;
    yield { type: "page", ...page };
  }
  return version;
}

/** The version that we go on from is older than what the server remembers. */
function isGone(error: unknown): boolean {
  return error instanceof StatusError && (error.code === 410 || error.reason === "Expired");
}

function restOf(error: unknown, limits: WatchLimits, failures: number): number {
  const backoff = backoffMs(limits, failures, Math.random());
  const asked = error instanceof StatusError ? (error.retryAfterMs ?? 0) : 0;
  return Math.min(Math.max(backoff, asked), limits.delayMaxMs);
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await after(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
