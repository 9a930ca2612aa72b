import { linkSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

import { DirectoryStore } from "./store.ts";
import { emptyWorld } from "./world.ts";

test("of two changes to one version, one wins and the other is told to look again", () => {
  inDirectory((directory) => {
    const [a, b] = [new DirectoryStore(directory), new DirectoryStore(directory)];
    expect([a.read().at, b.read().at]).toEqual([0, 0]);
    expect(a.replace({ ...emptyWorld, at: 1 })).toBe(true);
    expect(b.replace({ ...emptyWorld, at: 2 })).toBe(false);
    expect(b.read().at).toBe(1);
    expect(b.replace({ ...emptyWorld, at: 2 })).toBe(true);
    expect(a.read().at).toBe(2);
  });
});

test("who missed two versions does not slip in between them", () => {
  inDirectory((directory) => {
    const [a, b] = [new DirectoryStore(directory), new DirectoryStore(directory)];
    b.read();
    a.replace({ ...emptyWorld, at: 1 });
    a.replace({ ...emptyWorld, at: 2 });
    expect(b.replace({ ...emptyWorld, at: 3 })).toBe(false);
    expect(b.read().at).toBe(2);
  });
});

test("a draft that a killed process left as a second name of the world does no harm", () => {
  inDirectory((directory) => {
    const store = new DirectoryStore(directory);
    store.replace({ ...emptyWorld, at: 1 });
    const draft = join(directory, `draft.${process.pid}.json`);
    rmSync(draft, { force: true });
    linkSync(join(directory, "world.1.json"), draft);
    // A writer that reused the name would change version 1 under the eyes of its readers, and with
    // it what stands if the change is then lost.
    const other = new DirectoryStore(directory);
    other.read();
    other.replace({ ...emptyWorld, at: 2 });
    expect(store.read().at).toBe(2);
    expect(readdirSync(directory).filter((name) => name.startsWith("world"))).toEqual([
      "world.2.json",
    ]);
  });
});

function inDirectory(run: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "simulated-"));
  try {
    run(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
