/**
 * Nudges: `pg_notify('millrace', channel)` on commit, heard by every process. A nudge carries no
 * data and may be lost (while the connection is down, for instance): each listener also looks by
 * itself, with a period.
 */
import { setTimeout as wait } from "node:timers/promises";

import pg from "pg";

import type { Observer } from "#observe/observer.ts";

const reconnectMs = 500;

export interface Nudges {
  on(channel: string, listener: () => void): () => void;
  close(): Promise<void>;
}

export function listenForNudges(url: string, observer: Observer): Nudges {
  const listeners = new Map<string, Set<() => void>>();
  const stopping = new AbortController();
  let client: pg.Client | undefined;

  const callAll = (): void => {
    for (const set of listeners.values()) for (const listener of set) listener();
  };

  const session = async (): Promise<void> => {
    const connection = new pg.Client({
      connectionString: url,
      application_name: "millrace nudges",
    });
    client = connection;
    const ended = new Promise<void>((resolve) => {
      connection.on("end", resolve);
      connection.on("error", () => resolve());
    });
    connection.on("notification", (notification) => {
      for (const listener of listeners.get(notification.payload ?? "") ?? []) listener();
    });
    // `end()` on a connection that is still being made leaves `connect()` open for ever.
    await Promise.race([connection.connect(), ended]);
    if (stopping.signal.aborted) return;
    await connection.query("listen millrace");
    // Whatever was said while nobody listened is found by looking.
    callAll();
    await ended;
  };

  const running = (async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await session();
      } catch (cause) {
        observer.log.debug({ cause: String(cause) }, "nudge connection failed");
      }
      await wait(reconnectMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();

  return {
    on: (channel, listener) => {
      const set = listeners.get(channel) ?? new Set();
      listeners.set(channel, set);
      set.add(listener);
      return () => set.delete(listener);
    },
    close: async () => {
      stopping.abort();
      await client?.end().catch(() => undefined);
      await running;
    },
  };
}
