/**
 * A websocket whose messages are bytes, as a stream. It ends when the other side closes; a connection
 * that is cut is an error; who does not read holds the other side up.
 */
import { Duplex } from "node:stream";

import type { RawData, WebSocket } from "ws";

import { ConnectionError } from "./errors.ts";

/** 1000: done; 1001: going away; 1005: closed without a word. */
const peacefulCodes = new Set([1000, 1001, 1005]);

export class SocketStream extends Duplex {
  readonly #socket: WebSocket;

  /** Of a socket that is open. */
  constructor(socket: WebSocket) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    socket.on("message", (data) => {
      if (!this.push(bytesOf(data))) socket.pause();
    });
    socket.once("close", (code) => {
      if (peacefulCodes.has(code)) this.push(null);
      else this.#lost(code);
    });
    socket.on("error", (error) => {
      this.destroy(error);
    });
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.send(chunk, { binary: true }, done);
  }

  override _final(done: () => void): void {
    this.#socket.close(1000);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }

  #lost(code: number): void {
    this.destroy(new ConnectionError(`the stream was cut off (${code})`, { effect: "maybe" }));
  }
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
