/**
 * Which instances need no look: nothing of their row, and nothing of what the platform shows of them, is
 * other than when there was last nothing to do. What must stay true: only a look that found nothing to do,
 * and nothing to wait for, brings an instance to rest; and each is looked at again after a minute at the
 * latest, whatever is believed of it. What rests costs a pass two digests instead of a row.
 */
import { hash } from "node:crypto";

import type { Machine } from "#providers/provider.ts";

const restMinMs = 30_000;
/** Spread, so that those which came to rest together are not looked at together for ever. */
const restSpreadMs = 30_000;

interface Rest {
  readonly digest: string;
  readonly until: number;
}

export class AtRest {
  readonly #now: () => number;
  readonly #rests = new Map<string, Rest>();

  constructor(now: () => number) {
    this.#now = now;
  }

  has(id: string, digest: string): boolean {
    const rest = this.#rests.get(id);
    return rest?.digest === digest && this.#now() < rest.until;
  }

  /** A look at the instance, as it was with this digest, found nothing to do. */
  add(id: string, digest: string): void {
    const until = this.#now() + restMinMs + Math.random() * restSpreadMs;
    this.#rests.set(id, { digest, until });
  }

  remove(id: string): void {
    this.#rests.delete(id);
  }

  /** Forgets all but these. */
  keep(known: ReadonlySet<string>): void {
    for (const id of this.#rests.keys()) if (!known.has(id)) this.#rests.delete(id);
  }
}

/** Of the row's digest and the machine, but for when it was seen. */
export function digestOf(row: string, machine: Machine): string {
  const { power, guest, ...rest } = machine;
  const seen = [row, power.value, guest.ready, guest.readyAt, rest];
  return hash("md5", JSON.stringify(seen), "base64");
}
