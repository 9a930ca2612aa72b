/**
 * What runs is what the compiler emitted into dist/ (a cold start of the sources themselves takes
 * six times as long). It is compiled again when the content of the sources changed.
 */
import { createHash } from "node:crypto";
import { readdirSync, existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { run, step } from "./say.mjs";

const settings = ["package.json", "package-lock.json", "tsconfig.json", "tsconfig.build.json"];

/** @param {string} root @returns {Promise<void>} */
export async function ensureBuild(root) {
  const sources = sourceHash(root);
  const stamp = join(root, "dist/.sources");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === sources) {
    // bin/millrace compares times, which is quicker.
    const now = new Date();
    await utimes(stamp, now, now);
    return;
  }
  await step("Compiling", async () => {
    // Beside its place and renamed, so that dist/ never holds half a program.
    const fresh = join(root, `dist.new-${process.pid}`);
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh);
    await run(
      process.execPath,
      [
        join(root, "node_modules/typescript/bin/tsc"),
        "--project",
        join(root, "tsconfig.build.json"),
        "--outDir",
        fresh,
      ],
      { cwd: root },
    );
    await writeFile(join(fresh, ".sources"), sources);
    // The console is built by itself (console.mjs).
    const built = join(root, "dist/console");
    if (existsSync(built)) await rename(built, join(fresh, "console"));
    const old = join(root, `dist.old-${process.pid}`);
    if (existsSync(join(root, "dist"))) await rename(join(root, "dist"), old);
    await rename(fresh, join(root, "dist"));
    await rm(old, { recursive: true, force: true });
  });
}

/** @param {string} root */
function sourceHash(root) {
  const hash = createHash("sha256");
  const files = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isSource(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .toSorted();
  for (const path of [...settings.map((name) => join(root, name)), ...files]) {
    hash.update(path.slice(root.length)).update("\0").update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}

/** @param {string} name */
function isSource(name) {
  return (name.endsWith(".ts") && !name.endsWith(".test.ts")) || name.endsWith(".json");
}
