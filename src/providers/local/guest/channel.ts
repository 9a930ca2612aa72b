/**
 * The host's end of the agent's channel. It connects when it has something to ask, comes back by
 * itself after a break, and asks again what was not answered: every method may be asked twice.
 * A call ends with its answer or with its signal; the signal is the deadline.
 */
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { z } from "zod";

import { assert } from "#kernel/assert.ts";

import { encodeFrame, FrameDecoder, type Frame } from "./codec.ts";
import * as protocol from "./protocol.ts";

/** `code` is the agent's word for why it refused: invalid, busy, not_found, wrong_state, … */
export class GuestError extends Error {
  override readonly name = "GuestError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface GuestCall {
  /** Ends the call; give it a deadline. */
  readonly signal: AbortSignal;
}

export interface GuestChannelOptions {
  /** Opens the channel; called again after each break until it succeeds. */
  readonly connect: () => Promise<Socket>;
  readonly onEvent?: (event: protocol.GuestEvent) => void;
  /** Keep the channel open also while nothing is asked, to hear events. */
  readonly listen?: true;
}

interface Pending {
  readonly frame: Buffer;
  /** The agent that has it, as far as we know; undefined before it was written. */
  sentTo: string | undefined;
  readonly settle: (frame: Frame) => void;
}

export interface Answer<T> {
  readonly result: T;
  readonly payload: Buffer;
}

const pendingMax = 64;
const reconnectMs = 50;

export interface Request<T> {
  readonly method: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly schema: z.ZodType<T>;
  readonly bytes?: Buffer;
}

export class GuestChannel {
  readonly #options: GuestChannelOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #closed = new AbortController();
  readonly #decoder = new FrameDecoder();
  #socket: Socket | undefined;
  #connecting = false;
  #agentId: string | undefined;
  #lastId = randomBytes(4).readUInt32BE(0);

  constructor(options: GuestChannelOptions) {
    this.#options = options;
    if (options.listen === true) this.#connect();
  }

  /** Ends what is under way with an error. */
  close(): void {
    this.#closed.abort(new GuestError("closed", "The channel to the guest was closed."));
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  async ask<T>(call: GuestCall, request: Request<T>): Promise<Answer<T>> {
    const { method, parameters, schema, bytes } = request;
    const signal = AbortSignal.any([call.signal, this.#closed.signal]);
    signal.throwIfAborted();
    assert(this.#pending.size < pendingMax, `more than ${pendingMax} requests to one guest`);
    this.#lastId += 1;
    const id = this.#lastId;
    const frame = encodeFrame({ id, method, ...parameters }, bytes);
    const answered = Promise.withResolvers<Frame>();
    const abort = (): void => answered.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const pending: Pending = { frame, sentTo: undefined, settle: answered.resolve };
    this.#pending.set(id, pending);
    try {
      if (this.#socket === undefined) this.#connect();
      else this.#write(pending);
      return readAnswer(method, await answered.promise, schema);
    } finally {
      signal.removeEventListener("abort", abort);
      this.#pending.delete(id);
    }
  }

  #write(pending: Pending): void {
    pending.sentTo = this.#agentId;
    this.#socket?.write(pending.frame);
  }

  #connect(): void {
    if (this.#connecting || this.#closed.signal.aborted) return;
    this.#connecting = true;
    void this.#connectUntilDone().finally(() => {
      this.#connecting = false;
    });
  }

  async #connectUntilDone(): Promise<void> {
    while (!this.#closed.signal.aborted && this.#isWanted()) {
      try {
        this.#attach(await this.#options.connect());
        return;
      } catch {
        await delay(reconnectMs);
      }
    }
  }

  #isWanted(): boolean {
    return this.#pending.size > 0 || this.#options.listen === true;
  }

  #attach(socket: Socket): void {
    if (this.#closed.signal.aborted) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    this.#decoder.reset();
    socket.on("error", () => {});
    socket.on("data", (piece: Buffer) => this.#read(piece));
    socket.on("close", () => {
      if (this.#socket === socket) this.#socket = undefined;
      void delay(reconnectMs).then(() => this.#connect());
    });
    for (const pending of this.#pending.values()) this.#write(pending);
  }

  #read(piece: Buffer): void {
    for (const frame of this.#decoder.push(piece)) {
      const event = protocol.eventSchema.safeParse(frame.message);
      if (event.success) this.#hear(event.data);
      else {
        const response = protocol.responseSchema.safeParse(frame.message);
        if (response.success) this.#pending.get(response.data.id)?.settle(frame);
      }
    }
  }

  /** A new agent knows nothing of what was asked of the one before it. */
  #hear(event: protocol.GuestEvent): void {
    if (event.event === "hello") {
      this.#agentId = event.agentId;
      for (const pending of this.#pending.values()) {
        if (pending.sentTo === undefined) pending.sentTo = event.agentId;
        else if (pending.sentTo !== event.agentId) this.#write(pending);
      }
    }
    this.#options.onEvent?.(event);
  }
}

function readAnswer<T>(method: string, frame: Frame, schema: z.ZodType<T>): Answer<T> {
  const response = protocol.responseSchema.parse(frame.message);
  if ("error" in response) throw new GuestError(response.error.code, response.error.message);
  const parsed = schema.safeParse(response.result);
  if (!parsed.success) {
    throw new GuestError("malformed", `The guest's answer to ${method} has a wrong form.`);
  }
  return { result: parsed.data, payload: frame.payload ?? Buffer.alloc(0) };
}
