/**
 * The serial console of a machine that does not exist: what it printed so far, then what it prints.
 * What is typed is answered with a line that says why nothing happens.
 */
import { Duplex } from "node:stream";

export interface SerialSource {
  /** Lines from number `from` on, and the number of the next; undefined once the machine is gone. */
  readonly lines: (
    from: number,
  ) => { readonly lines: readonly string[]; readonly next: number } | undefined;
  /** Resolves when there may be more; also when the signal aborts. */
  readonly more: (signal: AbortSignal) => Promise<void>;
}

export class SerialConsole extends Duplex {
  readonly #source: SerialSource;
  readonly #end = new AbortController();
  #next = 0;
  #reading = false;
  #resumeWriting: (() => void) | undefined;

  constructor(source: SerialSource, signal: AbortSignal) {
    super({ allowHalfOpen: false });
    this.#source = source;
    const abort = (): void => {
      this.destroy();
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    this.once("close", () => {
      signal.removeEventListener("abort", abort);
    });
  }

  override _read(): void {
    this.#resumeWriting?.();
    this.#resumeWriting = undefined;
    if (this.#reading) return;
    this.#reading = true;
    void this.#fill();
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    const room = this.push(
      `[simulated] nobody reads these ${chunk.byteLength} bytes: this machine does not exist\r\n`,
    );
    // Who types without reading waits, rather than filling our memory.
    if (room) callback();
    else this.#resumeWriting = callback;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#end.abort();
    callback(error);
  }

  async #fill(): Promise<void> {
    while (!this.#end.signal.aborted) {
      const found = this.#source.lines(this.#next);
      if (found === undefined) {
        this.push(null);
        return;
      }
      this.#next = found.next;
      if (found.lines.length > 0) {
        this.#reading = false;
        this.push(found.lines.map((line) => `${line}\r\n`).join(""));
        return;
      }
      await this.#source.more(this.#end.signal);
    }
  }
}
