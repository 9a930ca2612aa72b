/**
 * A conversation with the agent in a guest, over the virtio-serial port: one message per line, a
 * JSON object, which may be followed by a tab and raw bytes in which newline and escape are
 * escaped. Any number of requests may be under way; answers carry their ids. A line that is not
 * whole is ignored.
 */
import type { Socket } from "node:net";
import { z } from "zod";

import { connectInside } from "./socket.ts";
import { withDeadline } from "./wait.ts";

const workloadSchema = z.object({
  state: z.enum(["none", "pending", "running", "ended"]),
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
  end: z.string().optional(),
  exitCode: z.int().optional(),
  signal: z.string().optional(),
  detail: z.string().optional(),
  resultsBytes: z.number().optional(),
});
export type GuestWorkload = z.infer<typeof workloadSchema>;

const helloSchema = z.object({
  version: z.number(),
  bootId: z.string(),
  instanceId: z.string().optional(),
});
export type Hello = z.infer<typeof helloSchema>;

const messageSchema = z.union([
  z.object({ id: z.number(), result: z.unknown() }),
  z.object({ id: z.number(), error: z.object({ code: z.string(), message: z.string() }) }),
  z.object({ event: z.string() }),
]);

export interface Personality {
  readonly instanceId: string;
  readonly hostname: string;
  readonly loginUser: string;
  /** 32 hexadecimal digits. */
  readonly machineId: string;
  readonly authorizedKeys: readonly string[];
  /** In the order of the cards; addresses with their prefix length. */
  readonly network: readonly { readonly mac: string; readonly address: string }[];
  readonly epochMs: number;
  /** Hexadecimal, at least 32 bytes. */
  readonly entropy: string;
}

export interface WorkloadStart {
  readonly workloadId: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly inputsBytes: number;
  readonly timeLimitSeconds: number;
  readonly logBytesMax: number;
  readonly resultsBytesMax: number;
}

export interface SessionOptions {
  readonly directory: string;
  readonly socketName: string;
  readonly signal: AbortSignal;
  /** The workload moved; ask how far it is. */
  readonly onWorkload?: () => void;
}

const answerTimeoutMs = 30_000;
const greetingTimeoutMs = 300_000;
const escape = 0x1b;
const newline = 0x0a;

/** Waits until QEMU takes the connection and the agent speaks, as long as the guest boots. */
export async function openSession(options: SessionOptions): Promise<GuestSession> {
  options.signal.throwIfAborted();
  const socket = await connectInside(options.directory, options.socketName);
  const session = new GuestSession(socket, options.onWorkload);
  const abort = (): void => session.close();
  options.signal.addEventListener("abort", abort, { once: true });
  void session.closed.then(() => options.signal.removeEventListener("abort", abort));
  if (options.signal.aborted) session.close();
  return session;
}

interface Pending {
  resolve(answer: { result: unknown; bytes: Buffer }): void;
  reject(error: Error): void;
}

export class GuestError extends Error {
  override readonly name = "GuestError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export class GuestSession {
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #onWorkload: (() => void) | undefined;
  readonly #pending = new Map<number, Pending>();
  #rest: Buffer[] = [];
  #nextId = 1;

  constructor(socket: Socket, onWorkload: (() => void) | undefined) {
    this.#socket = socket;
    this.#onWorkload = onWorkload;
    const gone = Promise.withResolvers<void>();
    this.closed = gone.promise;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("close", () => {
      for (const waiter of this.#pending.values()) {
        waiter.reject(new GuestError("gone", "the connection to the guest broke"));
      }
      this.#pending.clear();
      gone.resolve();
    });
  }

  /** Answered as soon as the agent runs. */
  async hello(): Promise<Hello> {
    const { result } = await this.#ask("hello", {}, { timeoutMs: greetingTimeoutMs });
    return helloSchema.parse(result);
  }

  async personalize(personality: Personality): Promise<void> {
    await this.#ask("personalize", { ...personality });
  }

  /** Clock and randomness. */
  async refresh(fresh: { readonly epochMs: number; readonly entropy: string }): Promise<void> {
    await this.#ask("refresh", fresh);
  }

  /** Forgets the instance, so that the machine can become a template. */
  async seal(): Promise<void> {
    await this.#ask("seal", {});
  }

  async sync(): Promise<void> {
    await this.#ask("sync", {});
  }

  async shutDown(): Promise<void> {
    await this.#ask("shutdown", {});
  }

  async takeUp(): Promise<void> {
    await this.#ask("resize.online", {});
  }

  async sendInput(workloadId: string, offset: number, bytes: Buffer): Promise<void> {
    await this.#ask("workload.input", { workloadId, offset }, { payload: bytes });
  }

  async startWorkload(start: WorkloadStart): Promise<GuestWorkload> {
    return workloadSchema.parse((await this.#ask("workload.start", { ...start })).result);
  }

  async workloadStatus(): Promise<GuestWorkload> {
    return workloadSchema.parse((await this.#ask("workload.status", {})).result);
  }

  async workloadLog(offset: number, bytesMax: number): Promise<Buffer> {
    return (await this.#ask("workload.log", { offset, bytesMax })).bytes;
  }

  async workloadResults(offset: number, bytesMax: number): Promise<Buffer> {
    return (await this.#ask("workload.results", { offset, bytesMax })).bytes;
  }

  async acknowledgeWorkload(workloadId: string): Promise<void> {
    await this.#ask("workload.acknowledge", { workloadId });
  }

  close(): void {
    this.#socket.destroy();
  }

  #ask(
    method: string,
    parameters: Readonly<Record<string, unknown>>,
    options: { readonly payload?: Buffer; readonly timeoutMs?: number } = {},
  ): Promise<{ result: unknown; bytes: Buffer }> {
    const id = this.#nextId;
    this.#nextId += 1;
    const answer = new Promise<{ result: unknown; bytes: Buffer }>((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new GuestError("gone", "the connection to the guest is closed"));
        return;
      }
      this.#pending.set(id, { resolve, reject });
      this.#socket.write(lineOf({ id, method, ...parameters }, options.payload));
    });
    const timeoutMs = options.timeoutMs ?? answerTimeoutMs;
    return withDeadline(answer, timeoutMs, `the guest's answer to ${method}`).finally(() =>
      this.#pending.delete(id),
    );
  }

  #read(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(newline, from);
      if (end < 0) break;
      this.#rest.push(chunk.subarray(from, end));
      this.#line(Buffer.concat(this.#rest));
      this.#rest = [];
      from = end + 1;
    }
    if (from < chunk.byteLength) this.#rest.push(chunk.subarray(from));
  }

  #line(line: Buffer): void {
    const tab = line.indexOf("\t");
    const text = (tab < 0 ? line : line.subarray(0, tab)).toString("utf8");
    const message = messageSchema.safeParse(jsonOrNull(text));
    if (!message.success) return;
    if ("event" in message.data) {
      if (message.data.event === "workload") this.#onWorkload?.();
      return;
    }
    const waiter = this.#pending.get(message.data.id);
    if (waiter === undefined) return;
    if ("error" in message.data) {
      const { code, message: what } = message.data.error;
      waiter.reject(new GuestError(code, what));
      return;
    }
    const bytes = tab < 0 ? Buffer.alloc(0) : unescaped(line.subarray(tab + 1));
    waiter.resolve({ result: message.data.result, bytes });
  }
}

function lineOf(message: Readonly<Record<string, unknown>>, payload: Buffer | undefined): Buffer {
  const text = Buffer.from(JSON.stringify(message));
  const end = Buffer.from("\n");
  if (payload === undefined) return Buffer.concat([text, end]);
  return Buffer.concat([text, Buffer.from("\t"), escaped(payload), end]);
}

export function escaped(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let index = 0; index < bytes.byteLength; index += 1) {
    const byte = bytes[index];
    if (byte !== newline && byte !== escape) continue;
    pieces.push(bytes.subarray(from, index), Buffer.from(byte === newline ? "\x1bn" : "\x1be"));
    from = index + 1;
  }
  return Buffer.concat([...pieces, bytes.subarray(from)]);
}

export function unescaped(bytes: Buffer): Buffer {
  const out = Buffer.alloc(bytes.byteLength);
  let size = 0;
  for (let index = 0; index < bytes.byteLength; index += 1) {
    let byte = bytes[index] ?? 0;
    if (byte === escape) {
      index += 1;
      byte = bytes[index] === 0x6e ? newline : escape;
    }
    out[size] = byte;
    size += 1;
  }
  return out.subarray(0, size);
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
