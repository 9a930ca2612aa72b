/**
 * The agent as one script. Its parts are Perl files in `agent/`, put together in the order of their
 * names; they are read from the source tree also when the compiled program runs.
 */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { assert } from "#kernel/assert.ts";

const folder = "src/providers/local/guest/agent";

export async function agentScript(): Promise<string> {
  const directory = join(projectRoot(), folder);
  const names = (await readdir(directory)).filter((name) => name.endsWith(".pl")).toSorted();
  const parts = await Promise.all(names.map((name) => readFile(join(directory, name), "utf8")));
  return parts.join("\n");
}

function projectRoot(): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, folder))) {
    assert(directory !== dirname(directory), `${folder} is missing`);
    directory = dirname(directory);
  }
  return directory;
}
