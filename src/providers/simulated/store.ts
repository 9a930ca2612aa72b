/**
 * Where a simulated platform keeps its world. A real platform outlives the control plane and
 * serves several of its processes at once, so this one does too: the whole world is one file
 * `world.N.json`, and version N+1 comes to be by `link`, which fails if another process was first.
 * A file is therefore never half written, no change is lost, and no lock is left by a process that
 * was killed.
 *
 * Nothing is flushed to the disk platter: the world survives `kill -9`, not a power cut, after
 * which machines that do not exist may well be gone.
 */
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { ProviderError } from "#providers/provider.ts";

import { emptyWorld, parseWorld, printWorld, type World } from "./world.ts";

export interface Version {
  readonly number: number;
  readonly world: World;
}

export interface Store {
  read(): Version;
  /** Makes `world` the version after `before`; false if there is one already. */
  replace(before: Version, world: World): boolean;
}

/** For tests and for planning at a size where nothing needs to survive. */
export class MemoryStore implements Store {
  #newest: Version = { number: 0, world: emptyWorld };

  read(): Version {
    return this.#newest;
  }

  replace(before: Version, world: World): boolean {
    if (before !== this.#newest) return false;
    this.#newest = { number: before.number + 1, world };
    return true;
  }
}

const name = /^world\.([0-9]+)\.json$/;

export class DirectoryStore implements Store {
  readonly #directory: string;
  #newest: Version = { number: 0, world: emptyWorld };

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  read(): Version {
    // Between the listing and the reading another process may have gone a version further.
    for (;;) {
      const number = Math.max(0, ...this.#versions());
      if (number === this.#newest.number) return this.#newest;
      try {
        this.#newest = { number, world: parseWorld(readFileSync(this.#path(number), "utf8")) };
      } catch (error) {
        if (!hasCode(error, "ENOENT")) throw broken(this.#path(number), error);
      }
    }
  }

  replace(before: Version, world: World): boolean {
    const number = before.number + 1;
    const draft = join(this.#directory, `draft.${process.pid}.json`);
    try {
      // A draft left by a process that was killed may be a second name of the current version, so
      // it is taken away, never overwritten.
      rmSync(draft, { force: true });
      writeFileSync(draft, printWorld(world), { mode: 0o600 });
      linkSync(draft, this.#path(number));
    } catch (error) {
      if (hasCode(error, "EEXIST")) return false;
      throw broken(draft, error);
    } finally {
      discard(draft);
    }
    // Others may have gone further: past us, having swept the version that would have stood in our
    // way, or from ours on. Whoever is told to look again finds out which.
    const versions = this.#versions();
    if (Math.max(...versions) > number) return false;
    // Only now: a reader always finds one whole version.
    for (const old of versions) {
      if (old < number) discard(this.#path(old));
    }
    this.#newest = { number, world };
    return true;
  }

  #versions(): number[] {
    return readdirSync(this.#directory).flatMap((entry) => {
      const version = name.exec(entry)?.[1];
      return version === undefined ? [] : [Number(version)];
    });
  }

  #path(version: number): string {
    return join(this.#directory, `world.${version}.json`);
  }
}

/** Best effort: by now the change has happened or not, and the next writer cleans up too. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // What stays is unused.
  }
}

/** Until the link is there nothing has happened. */
function broken(path: string, cause: unknown): ProviderError {
  return new ProviderError("unavailable", `the simulated platform cannot use ${path}`, {
    effect: "none",
    cause,
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
