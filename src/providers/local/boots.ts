/**
 * Boots in turn, where a boot takes a CPU for itself: without KVM a guest is translated code, and as
 * many that boot at once as were asked for are all ready late, in any order. A few at a time are ready
 * in the order in which they were asked for, the first as soon as if it were alone, and the last no
 * later.
 *
 * What must stay true: a turn ends when its guest is ready or gone, or after `turnMsMax`, so that one
 * which hangs holds up nobody for long. A turn is of this process: another one has its own.
 */
import { cpus } from "node:os";

import type { Accelerator } from "./driver.ts";
import { waitFor } from "./wait.ts";

const turnMsMax = 20_000;
const lookEveryMs = 20;
/** Beside one for each CPU, one whose guest waits for its disk. */
const spare = 1;

export class Boots {
  readonly #atOnce: number;
  readonly #waiting: { readonly ticket: number; readonly begin: () => void }[] = [];
  #taken = 0;
  #tickets = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Whether who comes now need not wait. */
  get isFree(): boolean {
    return this.#taken < this.#atOnce;
  }

  /** A place in the line, drawn when a machine is asked for: what comes before its boot takes turns with others. */
  draw(): number {
    this.#tickets += 1;
    return this.#tickets;
  }

  /** Starts a machine when it is its turn; the turn lasts on until `isOver`. */
  async take<T>(
    ticket: number,
    start: () => Promise<T>,
    isOver: () => Promise<boolean>,
  ): Promise<T> {
    if (this.isFree) this.#taken += 1;
    else await new Promise<void>((begin) => this.#wait({ ticket, begin }));
    try {
      const started = await start();
      void this.#endWhen(isOver);
      return started;
    } catch (error) {
      this.#next();
      throw error;
    }
  }

  async #endWhen(isOver: () => Promise<boolean>): Promise<void> {
    const over = async (): Promise<true | undefined> => (await isOver()) || undefined;
    // Who cannot be looked at does not boot.
    await waitFor(over, { timeoutMs: turnMsMax, everyMs: lookEveryMs }).catch(() => {});
    this.#next();
  }

  #wait(one: { readonly ticket: number; readonly begin: () => void }): void {
    const later = this.#waiting.findIndex(({ ticket }) => ticket > one.ticket);
    this.#waiting.splice(later < 0 ? this.#waiting.length : later, 0, one);
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next.begin();
  }
}

export function bootsOf({ kind }: Accelerator): Boots {
  return new Boots(kind === "kvm" ? Infinity : cpus().length + spare);
}
