/**
 * The npm packages, installed when they are missing or older than package-lock.json. Two of them
 * need a step after unpacking: `node` (Node 24 itself) and the PostgreSQL programs. npm runs these
 * where it is allowed to (`allowScripts` in package.json); where it is not, Node is fetched by the
 * package's own script here, and the server completes its links itself when it starts.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";

import { SetupError, exitCodes, run, step } from "./say.mjs";

/** @param {string} root */
export function nodeBinary(root) {
  return join(root, "node_modules/node/bin/node");
}

/** @param {string} root @returns {Promise<void>} */
export async function ensureDependencies(root) {
  if (isCurrent(root)) return;
  await step("Installing dependencies (npm ci)", async (note) => {
    await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: root, note });
    if (!existsSync(nodeBinary(root))) {
      await run(process.execPath, ["installArchSpecificPackage.js"], {
        cwd: join(root, "node_modules/node"),
        note,
      });
    }
  });
  if (!existsSync(nodeBinary(root))) {
    throw new SetupError(
      `npm ci did not bring Node 24 (${nodeBinary(root)}). With npm 11: npm approve-scripts node.`,
      exitCodes.unavailable,
    );
  }
  await writeFile(stampFile(root), lockHash(root));
}

/** @param {string} root */
function isCurrent(root) {
  if (!existsSync(nodeBinary(root))) return false;
  if (existsSync(stampFile(root)) && readFileSync(stampFile(root), "utf8") === lockHash(root)) {
    return true;
  }
  // Somebody ran npm himself: npm leaves its own copy of the lock file.
  const installed = join(root, "node_modules/.package-lock.json");
  return (
    existsSync(installed) &&
    statSync(installed).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs
  );
}

/** @param {string} root */
function stampFile(root) {
  return join(root, "node_modules/.millrace-lock");
}

/** @param {string} root */
function lockHash(root) {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}
