/**
 * Mutual exclusion between every driver on one data directory, in this process or another. A lock
 * is a bound abstract unix socket: the kernel gives it to one and takes it back at the moment the
 * holder dies, so there are no stale lock files. Those who wait hold a connection to it, which
 * breaks when the lock is released, so that nobody polls.
 */
import { createHash } from "node:crypto";
import { connect, createServer, type Server, type Socket } from "node:net";

import { errorCode } from "./files.ts";

/** Lets go of a lock; may be called twice. */
export interface Release {
  (): void;
  /** Resolves when somebody else waits for the lock. */
  readonly wanted: Promise<void>;
}

export interface Locks {
  /** Waits for the lock. */
  acquire(name: string, signal?: AbortSignal): Promise<Release>;
  /** The same without waiting: undefined if somebody has it. */
  tryAcquire(name: string): Promise<Release | undefined>;
  /** Runs `work` while holding the lock. */
  hold<T>(name: string, work: () => Promise<T>): Promise<T>;
}

export function createLocks(scope: string): Locks {
  const prefix = createHash("sha256").update(scope).digest("hex").slice(0, 24);
  const address = (name: string): string => `\0millrace-${prefix}-${name}`.slice(0, 107);

  const tryAcquire = async (name: string): Promise<Release | undefined> => bind(address(name));
  const acquire = async (name: string, signal?: AbortSignal): Promise<Release> => {
    for (;;) {
      signal?.throwIfAborted();
      const release = await bind(address(name));
      if (release !== undefined) return release;
      await released(address(name), signal);
    }
  };
  const hold = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const release = await acquire(name);
    try {
      return await work();
    } finally {
      release();
    }
  };
  return { acquire, tryAcquire, hold };
}

function bind(path: string): Promise<Release | undefined> {
  return new Promise((resolve, reject) => {
    const waiting = new Set<Socket>();
    const wanted = Promise.withResolvers<void>();
    const server: Server = createServer((socket) => {
      waiting.add(socket);
      wanted.resolve();
      socket.on("error", () => {});
      socket.on("close", () => waiting.delete(socket));
    });
    server.unref();
    server.once("error", (error) => {
      if (errorCode(error) === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen({ path, backlog: 511 }, () => {
      resolve(Object.assign(() => letGo(server, waiting), { wanted: wanted.promise }));
    });
  });
}

function letGo(server: Server, waiting: ReadonlySet<Socket>): void {
  server.close();
  for (const socket of waiting) socket.destroy();
}

/** Resolves when the holder lets go or dies, or was gone already. */
function released(path: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const aborted = (): void => {
      socket.destroy();
      reject(signal?.reason);
    };
    if (signal?.aborted === true) aborted();
    else signal?.addEventListener("abort", aborted, { once: true });
    socket.on("error", () => {});
    socket.on("close", () => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    });
    socket.resume();
  });
}
