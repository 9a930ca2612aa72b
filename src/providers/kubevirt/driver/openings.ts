/**
 * Which ports customers opened, as this process was told: all of them at once, kept in memory only. What
 * must stay true: as long as nobody told anything, what stands open in the cluster is not known to be
 * wrong, and stays.
 */
import { isDeepStrictEqual } from "node:util";

import type { Opening } from "#providers/kubevirt/tenants/facts.ts";
import type { PortOpening } from "#providers/provider.ts";

type ByProject = ReadonlyMap<string, readonly PortOpening[]>;

export class Openings {
  #told: ByProject | undefined;
  readonly #listeners = new Set<(projectId: string | undefined) => void>();

  get areKnown(): boolean {
    return this.#told !== undefined;
  }

  of(projectId: string): readonly Opening[] {
    const told = this.#told?.get(projectId) ?? [];
    return told.map(({ resourceId, protocol, port, sources }) => ({
      ...(resourceId === undefined ? {} : { resourceId }),
      protocol: protocol === "tcp" ? "TCP" : "UDP",
      port,
      from: sources,
    }));
  }

  tell(openings: ByProject): void {
    const before = this.#told;
    this.#told = openings;
    if (before === undefined) {
      this.#changed(undefined);
      return;
    }
    for (const projectId of new Set([...before.keys(), ...openings.keys()])) {
      const isSame = isDeepStrictEqual(before.get(projectId), openings.get(projectId));
      if (!isSame) this.#changed(projectId);
    }
  }

  /** Told whose openings changed; `undefined`: those of all, because nothing was known before. */
  listen(listener: (projectId: string | undefined) => void): void {
    this.#listeners.add(listener);
  }

  #changed(projectId: string | undefined): void {
    for (const listener of this.#listeners) listener(projectId);
  }
}
