/**
 * What this process was told of projects: which ports their customers opened, and whether they hold core
 * machines alone. All of it at once, kept in memory only. What must stay true: as long as nobody told
 * anything, what stands in the cluster is not known to be wrong, and stays: open or strict.
 */
import { isDeepStrictEqual } from "node:util";

import type { Opening, ProjectAsk } from "#providers/kubevirt/tenants/facts.ts";
import type { ToldProject } from "#providers/provider.ts";

type Told = ReadonlyMap<string, ToldProject>;

export class ToldProjects {
  #told: Told | undefined;
  readonly #listeners = new Set<(projectId: string | undefined) => void>();

  get areKnown(): boolean {
    return this.#told !== undefined;
  }

  openingsOf(projectId: string): readonly Opening[] {
    const { openings = [] } = this.#told?.get(projectId) ?? {};
    return openings.map(({ resourceId, protocol, port, sources }) => ({
      ...(resourceId === undefined ? {} : { resourceId }),
      protocol: protocol === "tcp" ? "TCP" : "UDP",
      port,
      from: sources,
    }));
  }

  /** `undefined` if nobody told. */
  serviceClassOf(projectId: string): ProjectAsk["serviceClass"] | undefined {
    if (this.#told === undefined) return undefined;
    return this.#told.get(projectId)?.serviceClass ?? "standard";
  }

  tell(projects: Told): void {
    const before = this.#told;
    this.#told = projects;
    if (before === undefined) {
      this.#changed(undefined);
      return;
    }
    for (const projectId of new Set([...before.keys(), ...projects.keys()])) {
      const isSame = isDeepStrictEqual(before.get(projectId), projects.get(projectId));
      if (!isSame) this.#changed(projectId);
    }
  }

  /** Told what of whom changed; `undefined`: of all, because nothing was known before. */
  listen(listener: (projectId: string | undefined) => void): void {
    this.#listeners.add(listener);
  }

  #changed(projectId: string | undefined): void {
    for (const listener of this.#listeners) listener(projectId);
  }
}
