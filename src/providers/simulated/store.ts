/**
 * Where a simulated platform keeps its world. A real platform outlives the control plane and
 * serves several of its processes at once, so this one does too: the whole world is one file
 * `world.N.json`, and version N+1 comes to be by `link`, which fails if another process was first.
 * A file is therefore never half written, no change is lost, and no lock is left by a process that
 * was killed. It is not flushed to the disk platter: it survives `kill -9`, not a power cut, after
 * which machines that do not exist may well be gone.
 */
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { ProviderError } from "#providers/provider.ts";

import { emptyWorld, parseWorld, printWorld, type World } from "./world.ts";

export interface Store {
  read(): World;
  /** Replaces the world that `read` returned last; false if it has changed since. */
  replace(world: World): boolean;
}

/** For tests and for planning at a size where nothing needs to survive. */
export class MemoryStore implements Store {
  #world: World = emptyWorld;

  read(): World {
    return this.#world;
  }

  replace(world: World): boolean {
    this.#world = world;
    return true;
  }
}

const name = /^world\.([0-9]+)\.json$/;

export class DirectoryStore implements Store {
  readonly #directory: string;
  #version = 0;
  #world: World = emptyWorld;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  read(): World {
    // Between the listing and the reading another process may have gone a version further.
    for (;;) {
      const newest = Math.max(0, ...this.#versions());
      if (newest === this.#version) return this.#world;
      try {
        this.#world = parseWorld(readFileSync(this.#path(newest), "utf8"));
        this.#version = newest;
      } catch (error) {
        if (!hasCode(error, "ENOENT")) throw broken(this.#path(newest), error);
      }
    }
  }

  replace(world: World): boolean {
    const next = this.#version + 1;
    const draft = join(this.#directory, `draft.${process.pid}.json`);
    try {
      // A draft left by a process that was killed may be a second name of the current version, so
      // it is taken away, never overwritten.
      rmSync(draft, { force: true });
      writeFileSync(draft, printWorld(world), { mode: 0o600 });
      linkSync(draft, this.#path(next));
    } catch (error) {
      if (hasCode(error, "EEXIST")) return false;
      throw broken(draft, error);
    } finally {
      discard(draft);
    }
    // Others may have gone two versions on and swept the one that would have stood in our way.
    const versions = this.#versions();
    if (Math.max(...versions) > next) {
      rmSync(this.#path(next), { force: true });
      return false;
    }
    // Only now: a reader always finds at least one whole version.
    for (const old of versions) {
      if (old < next) rmSync(this.#path(old), { force: true });
    }
    this.#version = next;
    this.#world = world;
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
