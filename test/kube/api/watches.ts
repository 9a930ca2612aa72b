/** Watches: each change as a line of JSON from a version on, with bookmarks, for as long as was asked. */
import type { ServerResponse } from "node:http";

import { apiVersion, type Kind } from "#providers/kubevirt/client/kind.ts";

import type { Document } from "./document.ts";
import type { Faults } from "./faults.ts";
import { Refusal } from "./refusal.ts";
import { type Matcher, matcher } from "./selectors.ts";
import type { Change, Store } from "./store.ts";

export interface WatchParts {
  readonly store: Store;
  readonly faults: Faults;
  readonly bookmarkMs: number;
}

const roundSecondsMax = 600;

/** A version that is gone is told in the stream, as the real one does: its status is 200 by then. */
export function serveWatch(
  parts: WatchParts,
  asked: { kind: Kind; namespace: string | undefined; query: URLSearchParams },
  response: ServerResponse,
): void {
  try {
    openWatch(parts, asked, response);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(`${JSON.stringify({ type: "ERROR", object: error.status })}\n`);
  }
}

function openWatch(
  { store, faults, bookmarkMs }: WatchParts,
  asked: { kind: Kind; namespace: string | undefined; query: URLSearchParams },
  response: ServerResponse,
): void {
  const { kind, namespace, query } = asked;
  const chosen = matcher(query.get("labelSelector"), query.get("fieldSelector"));
  const matches: Matcher = (document) =>
    (namespace === undefined || document.metadata.namespace === namespace) && chosen(document);
  const from = query.get("resourceVersion") ?? "";
  const fromNow = from === "" || from === "0";
  const missed = fromNow ? [] : store.changesSince(kind, Number(from));

  faults.noteWatch(response);
  response.writeHead(200, { "content-type": "application/json" });
  response.flushHeaders();
  const say = (event: unknown): void => {
    // One that has ended, or was cut, is still listened for until it has closed.
    if (faults.watchesAreMute || response.writableEnded || response.destroyed) return;
    response.write(`${JSON.stringify(event)}\n`);
  };
  if (fromNow) {
    for (const object of store.all(kind).filter(matches)) say({ type: "ADDED", object });
  }
  for (const change of missed) tell(change, matches, say);
  const forget = store.listen((change) => {
    if (change.kind === kind) tell(change, matches, say);
  });
  const bookmark = (): void => {
    const metadata = { resourceVersion: String(store.version) };
    say({ type: "BOOKMARK", object: { apiVersion: apiVersion(kind), kind: kind.kind, metadata } });
  };
  const wanted = query.get("allowWatchBookmarks") === "true";
  const bookmarks = wanted ? setInterval(bookmark, bookmarkMs) : undefined;
  const seconds = Math.min(Number(query.get("timeoutSeconds") ?? roundSecondsMax), roundSecondsMax);
  const end = setTimeout(() => {
    if (wanted) bookmark();
    if (!faults.watchesAreMute) response.end();
  }, seconds * 1000);
  response.once("close", () => {
    forget();
    clearInterval(bookmarks);
    clearTimeout(end);
  });
}

/** An object that no longer matches is gone for who watches, one that begins to is new. */
function tell(change: Change, matches: Matcher, say: (event: unknown) => void): void {
  const { before, after, version } = change;
  const was = before !== undefined && matches(before);
  const is = after !== undefined && matches(after);
  if (is) say({ type: was ? "MODIFIED" : "ADDED", object: after });
  // What matches no more is shown as it was when it did.
  else if (was) say({ type: "DELETED", object: at(before, version) });
}

function at(document: Document, version: number): Document {
  return {
    ...document,
    metadata: { ...document.metadata, resourceVersion: String(version) },
  };
}
