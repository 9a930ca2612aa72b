/**
 * A client of QEMU's machine protocol (QMP): one JSON object per line over a unix socket. QEMU
 * serves one client per socket and answers in order; a second client waits, connected but not
 * greeted, until the first has gone.
 */
import type { Socket } from "node:net";
import { z } from "zod";

import { connectInside } from "./socket.ts";
import { withDeadline } from "./wait.ts";

export interface QmpEvent {
  readonly name: string;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export class QmpError extends Error {
  override readonly name = "QmpError";
}

export interface Qmp {
  execute(command: string, parameters?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Resolves when the connection is gone, which is also how the death of QEMU shows. */
  readonly closed: Promise<void>;
  close(): void;
}

export interface QmpOptions {
  readonly directory: string;
  readonly socketName: string;
  readonly onEvent?: (event: QmpEvent) => void;
  /** How long to wait for QEMU's greeting; without it, as long as another client is served. */
  readonly greetingTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

const commandTimeoutMs = 30_000;

const lineSchema = z.union([
  z.object({ QMP: z.unknown() }),
  z.object({ return: z.unknown() }),
  z.object({ error: z.object({ class: z.string(), desc: z.string() }) }),
  z.object({
    event: z.string(),
    data: z.record(z.string(), z.unknown()).default({}),
    timestamp: z.object({ seconds: z.number(), microseconds: z.number() }),
  }),
]);

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export async function connectQmp(options: QmpOptions): Promise<Qmp> {
  const socket = await connectInside(options.directory, options.socketName);
  const client = new Client(socket, options.onEvent);
  const abort = (): void => client.close();
  options.signal?.addEventListener("abort", abort, { once: true });
  try {
    options.signal?.throwIfAborted();
    const greeted =
      options.greetingTimeoutMs === undefined
        ? client.greeted
        : withDeadline(client.greeted, options.greetingTimeoutMs, "QEMU's greeting");
    await greeted;
    await client.execute("qmp_capabilities");
    return client;
  } catch (error) {
    client.close();
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", abort);
  }
}

/** Parses what QEMU wrote to an event log, oldest first; lines that are no events are skipped. */
export function parseEventLog(text: string): QmpEvent[] {
  const events: QmpEvent[] = [];
  for (const line of text.split("\n")) {
    const parsed = lineSchema.safeParse(jsonOrNull(line));
    if (parsed.success && "event" in parsed.data) events.push(eventOf(parsed.data));
  }
  return events;
}

class Client implements Qmp {
  readonly greeted: Promise<void>;
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #pending: Pending[] = [];
  readonly #greeting = Promise.withResolvers<void>();
  readonly #onEvent: ((event: QmpEvent) => void) | undefined;
  #rest = "";

  constructor(socket: Socket, onEvent: ((event: QmpEvent) => void) | undefined) {
    this.#socket = socket;
    this.#onEvent = onEvent;
    this.greeted = this.#greeting.promise;
    this.greeted.catch(() => {});
    const gone = Promise.withResolvers<void>();
    this.closed = gone.promise;
    socket.setEncoding("utf8");
    socket.on("error", () => {});
    socket.on("data", (text: string) => this.#read(text));
    socket.on("close", () => {
      const error = new QmpError("QEMU closed the connection");
      this.#greeting.reject(error);
      for (const waiter of this.#pending.splice(0)) waiter.reject(error);
      gone.resolve();
    });
  }

  execute(command: string, parameters?: Readonly<Record<string, unknown>>): Promise<unknown> {
    const answer = new Promise<unknown>((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new QmpError("QEMU closed the connection"));
        return;
      }
      this.#pending.push({ resolve, reject });
      const message = parameters === undefined ? {} : { arguments: parameters };
      this.#socket.write(`${JSON.stringify({ execute: command, ...message })}\n`);
    });
    return withDeadline(answer, commandTimeoutMs, `QEMU's answer to ${command}`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    const parsed = lineSchema.safeParse(jsonOrNull(line));
    if (!parsed.success) return;
    const message = parsed.data;
    if ("event" in message) this.#onEvent?.(eventOf(message));
    else if ("QMP" in message) this.#greeting.resolve();
    else if ("error" in message) this.#pending.shift()?.reject(new QmpError(message.error.desc));
    else this.#pending.shift()?.resolve(message.return);
  }
}

function eventOf(message: {
  event: string;
  data: Record<string, unknown>;
  timestamp: { seconds: number; microseconds: number };
}): QmpEvent {
  const { seconds, microseconds } = message.timestamp;
  return {
    name: message.event,
    at: seconds * 1000 + Math.floor(microseconds / 1000),
    data: message.data,
  };
}

function jsonOrNull(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
