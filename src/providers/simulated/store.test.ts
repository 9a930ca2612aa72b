import { linkSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

import { DirectoryStore, MemoryStore } from "./store.ts";
import { emptyWorld, type World } from "./world.ts";

const at = (time: number): World => ({ ...emptyWorld, at: time });

test("of two changes to one version, one wins and the other is told to look again", () => {
  inDirectory((directory) => {
    const [a, b] = [new DirectoryStore(directory), new DirectoryStore(directory)];
    const [ofA, ofB] = [a.read(), b.read()];
    expect(a.replace(ofA, at(1))).toBe(true);
    expect(b.replace(ofB, at(2))).toBe(false);
    expect(b.read().world.at).toBe(1);
    expect(b.replace(b.read(), at(2))).toBe(true);
    expect(a.read().world.at).toBe(2);
  });
});

test("who missed two versions does not slip in between them", () => {
  inDirectory((directory) => {
    const [a, b] = [new DirectoryStore(directory), new DirectoryStore(directory)];
    const stale = b.read();
    a.replace(a.read(), at(1));
    a.replace(a.read(), at(2));
    expect(b.replace(stale, at(3))).toBe(false);
    expect(b.read().world.at).toBe(2);
  });
});

test("reading again does not make an old version a new one", () => {
  inDirectory((directory) => {
    for (const store of [new DirectoryStore(directory), new MemoryStore()]) {
      const stale = store.read();
      expect(store.replace(stale, at(1))).toBe(true);
      store.read();
      expect(store.replace(stale, at(2))).toBe(false);
      expect(store.read().world.at).toBe(1);
    }
  });
});

test("a draft that a killed process left as a second name of the world does no harm", () => {
  inDirectory((directory) => {
    const store = new DirectoryStore(directory);
    store.replace(store.read(), at(1));
    linkSync(join(directory, "world.1.json"), join(directory, `draft.${process.pid}.json`));
    store.replace(store.read(), at(2));
    expect(new DirectoryStore(directory).read().world.at).toBe(2);
    expect(readdirSync(directory)).toEqual(["world.2.json"]);
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
