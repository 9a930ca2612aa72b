/** The image cache: damage, concurrency, crashes and other recipes. */
import { mkdtemp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { cachedOrBuilt, recipeKey, type CacheRequest } from "./cache.ts";
import { runProgram } from "./program.ts";

let directory: string;
let builds: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "millrace-test-"));
  builds = 0;
});

afterEach(() => rm(directory, { recursive: true, force: true }));

function request(change: Partial<CacheRequest> = {}): CacheRequest {
  return {
    directory,
    name: "thing",
    recipe: recipeKey("recipe"),
    fileNames: ["one", "two"],
    signal: AbortSignal.timeout(10_000),
    build: async (draft) => {
      builds += 1;
      await writeFile(join(draft, "one"), "first file");
      await writeFile(join(draft, "two"), "second file", { mode: 0o600 });
      return ["package_1.0"];
    },
    ...change,
  };
}

test("builds once and gives the same image again, readable by others", async () => {
  const built = await cachedOrBuilt(request());
  expect(await cachedOrBuilt(request())).toEqual(built);
  expect(builds).toBe(1);
  expect((await stat(join(built.path, "two"))).mode & 0o777).toBe(0o644);
  expect((await stat(built.path)).mode & 0o005).toBe(0o005);
});

async function mounted(place: string): Promise<void> {
  await mkdir(place, { recursive: true });
  await runProgram("mount", ["-t", "tmpfs", "none", place], {
    signal: AbortSignal.timeout(10_000),
  });
}

test.skipIf(process.getuid?.() !== 0)(
  "what a killed builder left mounted is taken away, and hides no other builder's error",
  async () => {
    const left = join(directory, ".building-thing-dead", "system", "proc");
    await mounted(left);
    await mounted(join(left, "with a space"));
    const broken = request({
      build: async (draft) => {
        await mounted(join(draft, "sys"));
        throw new Error("no network");
      },
    });
    await expect(cachedOrBuilt(broken)).rejects.toThrow("no network");
    await cachedOrBuilt(request());
    expect((await readdir(directory)).filter((entry) => entry.startsWith(".building"))).toEqual([]);
    expect(await readFile("/proc/self/mountinfo", "utf8")).not.toContain(directory);
  },
);

test("a cached image is found although nothing can be built", async () => {
  const built = await cachedOrBuilt(request());
  const offline = request({ build: () => Promise.reject(new Error("no network")) });
  expect(await cachedOrBuilt(offline)).toEqual(built);
});

test.each([
  ["a flipped byte", async (path: string) => writeFile(join(path, "one"), "First file")],
  ["a short file", async (path: string) => truncate(join(path, "two"), 3)],
  ["a missing file", async (path: string) => rm(join(path, "two"))],
  ["a broken manifest", async (path: string) => writeFile(join(path, "manifest.json"), "{")],
])("%s is noticed and built again", async (_title, damage) => {
  const built = await cachedOrBuilt(request());
  await damage(built.path);
  expect(await cachedOrBuilt(request())).toEqual(built);
  expect(builds).toBe(2);
  expect(await readFile(join(built.path, "one"), "utf8")).toBe("first file");
  expect(await readFile(join(built.path, "two"), "utf8")).toBe("second file");
});

test("of many who ask at once one builds", async () => {
  const found = await Promise.all(Array.from({ length: 8 }, () => cachedOrBuilt(request())));
  expect(builds).toBe(1);
  expect(new Set(found.map(({ id }) => id)).size).toBe(1);
});

test("another recipe is another image, and the first one stays", async () => {
  const first = await cachedOrBuilt(request());
  const second = await cachedOrBuilt(request({ recipe: recipeKey("another") }));
  expect(second.id).not.toBe(first.id);
  expect(await cachedOrBuilt(request())).toEqual(first);
});

test("a build that fails leaves nothing, and the remains of a crash are removed", async () => {
  await mkdir(join(directory, ".building-thing-0123456789ab", "image"), { recursive: true });
  const failing = request({
    build: async (draft) => {
      await writeFile(join(draft, "one"), "half");
      throw new Error("the disk is full");
    },
  });
  await expect(cachedOrBuilt(failing)).rejects.toThrow("the disk is full");
  expect(await readdir(directory)).toEqual([]);
});
