/**
 * Consoles. What the serial port prints goes to `serial.log`, so every reader follows that file,
 * from a bounded piece of what was printed before; any number may read, in any process. Typing
 * goes to QEMU's serial socket, which serves one writer at a time: it is opened when somebody
 * types and let go soon after.
 *
 * The log is cut when it has grown (`trimSerial`, by the keeper), so readers know their place by
 * what they have read, not by an offset in a file that lives for ever.
 */
import { watch, type FSWatcher } from "node:fs";
import { open, stat, truncate, type FileHandle } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { Duplex } from "node:stream";

import { connectInside } from "./socket.ts";

const replayBytesMax = 64 * 1024;
const serialBytesMax = 4 * 1024 * 1024;
const chunkBytes = 64 * 1024;
const typingIdleMs = 2_000;
/** A log on some file systems changes without a notice. */
const pollMs = 500;

export interface SerialPlace {
  readonly directory: string;
  readonly type: (bytes: Buffer) => Promise<void>;
  readonly signal: AbortSignal;
}

/** The keyboards of this process: one for each machine, shared by all who type at it. */
export class Keyboards {
  readonly #lines = new Map<string, { readonly socket: Socket; timer: NodeJS.Timeout }>();

  /** What is typed at a machine that is off is lost, as at a real one. */
  async type(directory: string, socketName: string | undefined, bytes: Buffer): Promise<void> {
    if (socketName === undefined) return;
    const path = join(directory, socketName);
    const socket = this.#lines.get(path)?.socket ?? (await connectInside(directory, socketName));
    this.#keep(path, socket);
    await new Promise<void>((resolve) => {
      socket.write(bytes, () => resolve());
    });
  }

  close(): void {
    for (const { socket } of this.#lines.values()) socket.destroy();
  }

  #keep(path: string, socket: Socket): void {
    const known = this.#lines.get(path);
    if (known === undefined) {
      socket.on("error", () => {});
      socket.on("close", () => this.#lines.delete(path));
      // The machine's output arrives by way of the log.
      socket.resume();
    } else {
      clearTimeout(known.timer);
    }
    const timer = setTimeout(() => socket.end(), typingIdleMs);
    timer.unref();
    this.#lines.set(path, { socket, timer });
  }
}

export async function openSerial(place: SerialPlace): Promise<Duplex> {
  const path = join(place.directory, "serial.log");
  const file = await open(path, "a+");
  await file.close();
  const reader = await open(path, "r");
  const { size } = await reader.stat();
  return new Serial(place, reader, Math.max(0, size - replayBytesMax));
}

/** QEMU's VNC server, one connection per viewer. */
export async function openVnc(
  directory: string,
  socketName: string,
  signal: AbortSignal,
): Promise<Duplex> {
  const socket = await connectInside(directory, socketName);
  signal.addEventListener("abort", () => socket.destroy(), { once: true });
  return socket;
}

/** Cuts a log that has grown over its bound; QEMU appends, so it goes on at the new end. */
export async function trimSerial(directory: string): Promise<void> {
  const path = join(directory, "serial.log");
  const { size } = await stat(path);
  if (size > serialBytesMax) await truncate(path, 0);
}

class Serial extends Duplex {
  readonly #place: SerialPlace;
  readonly #file: FileHandle;
  readonly #watcher: FSWatcher;
  readonly #timer: NodeJS.Timeout;
  readonly #buffer = Buffer.alloc(chunkBytes);
  #position: number;
  #wanted = false;
  #reading = false;
  #again = false;

  constructor(place: SerialPlace, file: FileHandle, position: number) {
    super({ allowHalfOpen: false });
    this.#place = place;
    this.#file = file;
    this.#position = position;
    this.#watcher = watch(join(place.directory, "serial.log"), { persistent: false }, () =>
      this.#pump(),
    );
    this.#watcher.on("error", () => {});
    this.#timer = setInterval(() => this.#pump(), pollMs);
    this.#timer.unref();
    const abort = (): void => {
      this.destroy();
    };
    if (place.signal.aborted) abort();
    else place.signal.addEventListener("abort", abort, { once: true });
  }

  override _read(): void {
    this.#wanted = true;
    this.#pump();
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    this.#place.type(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    done();
    this.destroy();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#watcher.close();
    clearInterval(this.#timer);
    this.#file.close().then(
      () => done(error),
      () => done(error),
    );
  }

  #pump(): void {
    this.#again = true;
    if (!this.#wanted || this.#reading || this.destroyed) return;
    this.#reading = true;
    this.#readMore()
      .catch((error: unknown) => {
        if (!this.destroyed) {
          this.destroy(error instanceof Error ? error : new Error(String(error)));
        }
      })
      .finally(() => {
        this.#reading = false;
      });
  }

  async #readMore(): Promise<void> {
    while (this.#wanted && !this.destroyed) {
      this.#again = false;
      const { size } = await this.#file.stat();
      // It was cut: what is in it now came after.
      if (size < this.#position) this.#position = 0;
      const { bytesRead } = await this.#file.read(this.#buffer, 0, chunkBytes, this.#position);
      this.#position += bytesRead;
      if (bytesRead > 0) {
        this.#wanted = this.push(Buffer.from(this.#buffer.subarray(0, bytesRead)));
      } else if (!this.#again) return;
    }
  }
}
