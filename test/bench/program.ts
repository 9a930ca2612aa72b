/**
 * The program as `npm start` runs it, compiled and with the same options of Node: what is measured
 * is what users have. It lies in a folder of its own that goes when this process ends.
 */
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { chmod, mkdtemp, readdir, readFile, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { z } from "zod";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const optionsSchema = z.object({ server: z.array(z.string()) });

let made: Promise<readonly string[]> | undefined;

/** Node's options and the compiled program; made once. */
export function compiledProgram(): Promise<readonly string[]> {
  made ??= compile();
  return made;
}

async function compile(): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-program-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  await chmod(folder, 0o711);
  for (const name of await readdir(root)) {
    if (!name.startsWith("dist")) await symlink(join(root, name), join(folder, name));
  }
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const project = join(root, "tsconfig.build.json");
  const flags = ["--project", project, "--outDir", join(folder, "dist")];
  await run(process.execPath, [compiler, ...flags]);
  const text = await readFile(join(root, "bin/setup/node-options.json"), "utf8");
  const { server } = optionsSchema.parse(JSON.parse(text));
  return [...server, join(folder, "dist/main.js")];
}
