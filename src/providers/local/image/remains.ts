/**
 * Takes away what a build leaves. As root mmdebstrap mounts `/proc`, `/sys` and `/dev` into what it makes; one
 * that is killed leaves them, and nobody can remove the directory, nor should anybody walk into them.
 */
import { readFile, rm } from "node:fs/promises";

import { runProgram } from "./program.ts";

/** Also where it is not there. */
export async function removeRemains(path: string): Promise<void> {
  for (const place of await mountedBelow(path)) {
    // oxlint-disable-next-line no-await-in-loop -- the last one first
    await runProgram("umount", [place], { signal: AbortSignal.timeout(umountMs) });
  }
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

const umountMs = 10_000;

/** The latest first, as one may lie upon another. */
async function mountedBelow(path: string): Promise<readonly string[]> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  return table
    .split("\n")
    .map((line) => (line.split(" ")[4] ?? "").replaceAll(/\\([0-7]{3})/gu, unescaped))
    .filter((place) => place.startsWith(`${path}/`))
    .toReversed();
}

/** The kernel writes a space as `\040`. */
function unescaped(_all: string, octal: string): string {
  return String.fromCodePoint(Number.parseInt(octal, 8));
}
