/**
 * The program as `npm start` runs it, compiled and with the same options of Node: what is measured
 * is what users have. It lies in a folder of its own that goes when this process ends.
 */
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { z } from "zod";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const optionsSchema = z.object({ server: z.array(z.string()), work: z.array(z.string()) });

interface Compiled {
  readonly folder: string;
  /** Of Node. */
  readonly options: readonly string[];
  /** Beside them, of a process that only works (`--role work`). */
  readonly work: readonly string[];
}

let made: Promise<Compiled> | undefined;

/** Node's options and the compiled program; made once. */
export async function compiledProgram(): Promise<readonly string[]> {
  const { folder, options } = await (made ??= compile());
  return [...options, join(folder, "dist/main.js")];
}

/** The same for a benchmark's program that only works, in files of one folder, over the compiled parts of ours. */
export async function compiledBench(
  directory: string,
  [main, ...others]: readonly [string, ...string[]],
): Promise<{ readonly options: readonly string[]; readonly file: string }> {
  const { folder, options, work } = await (made ??= compile());
  const into = join(folder, "bench");
  await mkdir(into, { recursive: true });
  for (const name of [main, ...others]) {
    const text = stripTypeScriptTypes(await readFile(join(directory, `${name}.ts`), "utf8"));
    const imports = text.replaceAll(/"(\.\/[\w-]+)\.ts"/g, '"$1.js"');
    await writeFile(join(into, `${name}.js`), imports);
  }
  return { options: [...options, ...work], file: join(into, `${main}.js`) };
}

async function compile(): Promise<Compiled> {
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
  const { server, work } = optionsSchema.parse(JSON.parse(text));
  return { folder, options: server, work };
}
