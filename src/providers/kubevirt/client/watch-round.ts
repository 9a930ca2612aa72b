/**
 * One round of a watch: a stream of JSON lines that the server ends after some time. What must stay
 * true: a silent stream is given up, a line is not read beyond its limit, and whoever stops reading
 * leaves no socket behind.
 */
import type { IncomingMessage } from "node:http";
import { StringDecoder } from "node:string_decoder";
import { z } from "zod";

import type { Calls } from "./calls.ts";
import { ConnectionError, RefusedError, readWatchStatus } from "./errors.ts";
import { collectionPath, type Kind } from "./kind.ts";
import { selectionQuery, type Selection } from "./list.ts";
import { type KubeObject, lighten, readObject, versionText } from "./object.ts";
import { readAs } from "./read-as.ts";

/** What a round tells; its resource version is where the next round goes on. */
export type RoundEvent =
  /** The server has taken the watch up; it has told nothing yet. */
  { readonly type: "opened"; readonly resourceVersion: string } | Told;

export type Told =
  /** It is new, or another than before; a second time is possible after a break. */
  | { readonly type: "changed"; readonly object: KubeObject; readonly resourceVersion: string }
  /** As it was last; its resource version is that of its deletion. */
  | { readonly type: "deleted"; readonly object: KubeObject; readonly resourceVersion: string }
  /** Nothing else has happened up to here: what is known is as new as this. */
  | { readonly type: "bookmark"; readonly resourceVersion: string };

export interface RoundLimits {
  /** After so long the server ends the stream, and we come again. */
  readonly roundSeconds: number;
  /** A stream that is silent for so long is dead; longer than a round. */
  readonly silenceMaxMs: number;
  readonly eventBytesMax: number;
}

export interface RoundAsked {
  readonly kind: Kind;
  readonly selection: Selection;
  readonly from: string;
  readonly limits: RoundLimits;
}

/** A round that ended sooner than this, and no further than it began, was no round. */
const shortestRoundMs = 1000;

/** Returns when the server ends the round; throws StatusError (410 among them) and ConnectionError. */
export async function* watchRound(
  calls: Calls,
  { kind, selection, from, limits }: RoundAsked,
  signal: AbortSignal,
): AsyncGenerator<RoundEvent, void, undefined> {
  const exchange = {
    method: "GET",
    path: collectionPath(kind, selection.namespace),
    query: {
      ...selectionQuery(selection),
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: from,
      timeoutSeconds: String(limits.roundSeconds),
    },
  } as const;
  const response = await calls.open(exchange, signal);
  const openedAt = performance.now();
  let version = from;
  try {
    yield { type: "opened", resourceVersion: from };
    for await (const line of lines(response, limits)) {
      const event = readEvent(line);
      version = event.resourceVersion;
      yield event;
    }
  } finally {
    response.destroy();
  }
  // The server may end a round when it likes, but not so that we come again in a tight circle.
  if (version === from && performance.now() - openedAt < shortestRoundMs) {
    throw new ConnectionError("the watch ended as soon as it began", { effect: "none" });
  }
}

/** Whole lines. The time that the reader takes for one is not the stream's silence. */
async function* lines(
  response: IncomingMessage,
  { silenceMaxMs, eventBytesMax }: RoundLimits,
): AsyncGenerator<string, void, undefined> {
  const decoder = new StringDecoder("utf8");
  let pending: string[] = [];
  let pendingLength = 0;
  const silence = setTimeout(() => {
    response.destroy(new Error(`nothing came for ${silenceMaxMs} ms`));
  }, silenceMaxMs);
  try {
    for await (const chunk of response) {
      clearTimeout(silence);
      const bytes: Buffer = chunk;
      const [first = "", ...others] = decoder.write(bytes).split("\n");
      pending.push(first);
      pendingLength += first.length;
      for (const other of others) {
        const line = pending.join("");
        pending = [other];
        pendingLength = other.length;
        if (line.trim() !== "") yield line;
      }
      if (pendingLength > eventBytesMax) {
        throw new RefusedError(
          `an event is longer than ${eventBytesMax} bytes, which is the limit`,
        );
      }
      silence.refresh();
    }
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    throw new ConnectionError("the watch was cut off", { effect: "none", cause: error });
  } finally {
    clearTimeout(silence);
  }
}

const eventShape = z.object({
  type: z.enum(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]),
  object: z.unknown(),
});

const bookmarkShape = z.object({ metadata: z.object({ resourceVersion: versionText }) });

function readEvent(line: string): Told {
  const { type, object } = readAs((value) => eventShape.parse(value), parseLine(line));
  switch (type) {
    case "ERROR":
      throw readWatchStatus(object);
    case "BOOKMARK": {
      const { metadata } = readAs((value) => bookmarkShape.parse(value), object);
      return { type: "bookmark", resourceVersion: metadata.resourceVersion };
    }
    case "ADDED":
    case "MODIFIED":
    case "DELETED": {
      const read = lighten(readAs(readObject, object));
      const { resourceVersion } = read.metadata;
      return { type: type === "DELETED" ? "deleted" : "changed", object: read, resourceVersion };
    }
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new ConnectionError("the watch was cut off within an event", {
      effect: "none",
      cause: error,
    });
  }
}
