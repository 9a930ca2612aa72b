/**
 * The console that browsers load, built with Vite into dist/console. It is built again when what it is
 * made of changed: its own folder, the sources under src/ that it reaches by imports, and the packages.
 * A change of the server alone does not build it.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { nodeBinary } from "./dependencies.mjs";
import { run, step } from "./say.mjs";

const settings = ["package.json", "package-lock.json", "tsconfig.json"];
/** Read at build time (console/build), besides what the sources import. */
const alsoReached = ["src/contract/operations.ts"];

/** @param {string} root @returns {Promise<void>} */
export async function ensureConsole(root) {
  const config = join(root, "console/vite.config.ts");
  if (!existsSync(config)) return;
  const place = join(root, "dist/console");
  const sources = sourceHash(root);
  const stamp = join(place, ".sources");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === sources) return;
  await step("Building the console", async (note) => {
    // Beside its place and renamed: a server that runs meanwhile never finds half of it.
    const fresh = join(root, `dist/console.new-${process.pid}`);
    const old = join(root, `dist/console.old-${process.pid}`);
    await mkdir(join(root, "dist"), { recursive: true });
    try {
      await run(
        nodeBinary(root),
        [
          join(root, "node_modules/vite/bin/vite.js"),
          "build",
          "--config",
          config,
          "--outDir",
          fresh,
        ],
        { cwd: root, note, env: { ...process.env, NODE_ENV: "production", NO_COLOR: "1" } },
      );
      await writeFile(join(fresh, ".sources"), sources);
      if (existsSync(place)) await rename(place, old);
      await rename(fresh, place);
    } finally {
      await rm(fresh, { recursive: true, force: true });
      await rm(old, { recursive: true, force: true });
    }
  });
}

/** @param {string} root */
function sourceHash(root) {
  const own = readdirSync(join(root, "console"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !isTest(entry.name) && !entry.name.endsWith(".md"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const others = settings.map((name) => join(root, name)).filter((path) => existsSync(path));
  const files = [...others, ...reachedFrom(root, own)];
  const hash = createHash("sha256");
  for (const path of files.toSorted()) {
    hash.update(path.slice(root.length)).update("\0").update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}

/** @param {string} name */
function isTest(name) {
  return /\.test\.tsx?$/.test(name);
}

/** What looks like an import, in a file of types too: one too many costs a build, one too few a stale page. */
const imported = /["'](#|\.{1,2}\/)([^"'\n]+\.ts)["']/g;

/**
 * These files and all under src/ that they reach.
 * @param {string} root @param {readonly string[]} own
 * @returns {string[]}
 */
function reachedFrom(root, own) {
  const reached = new Set(own);
  const waiting = [...own, ...alsoReached.map((path) => join(root, path))];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (!existsSync(path)) continue;
    reached.add(path);
    if (!/\.[cm]?tsx?$/.test(path)) continue;
    for (const [, how, rest] of readFileSync(path, "utf8").matchAll(imported)) {
      const target = how === "#" ? join(root, "src", rest) : join(dirname(path), how, rest);
      if (!reached.has(target)) waiting.push(target);
    }
  }
  return [...reached];
}
