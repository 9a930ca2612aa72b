/**
 * Gives the test run a directory for all that is temporary, in which also its database server lives
 * (see database.ts, which starts the server for the first test that asks for it), and sees to it that
 * nothing of it is left when the run ends, however it ends: a shell holds the other end of a pipe, and
 * cleans up when the pipe closes, be that at the end, on Ctrl-C or on `kill -9`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    databaseDirectory: string;
  }
}

/** Shared by runs; Node knows by their content what changed. */
const compileCache = resolve(import.meta.dirname, "../node_modules/.cache/millrace-compile");

/**
 * The database ends in order. What else is left runs in the directory, or has it on its command line (a
 * machine outlives its program), as nothing else has: its name was made up for this run.
 */
const cleanUp = `
cat > /dev/null
if [ -f "$1/db/cluster/postmaster.pid" ]; then
  kill -QUIT "$(head -n 1 "$1/db/cluster/postmaster.pid")"
  while [ -f "$1/db/cluster/postmaster.pid" ]; do sleep 0.05; done
fi
for found in $(
  grep -lsaF -e "$1/" /proc/[0-9]*/cmdline
  find /proc -maxdepth 2 -name cwd -lname "$1*" 2> /dev/null
); do
  process=\${found#/proc/}
  kill -KILL "\${process%%/*}" 2> /dev/null
done
rm -rf "$1"
`;

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Tests and what they start ask for the directory of temporary files, each in its own way.
  const usual = process.env["TMPDIR"];
  const directory = await realpath(await mkdtemp(join(tmpdir(), "millrace-")));
  await chmod(directory, 0o1777);
  process.env["TMPDIR"] = directory;
  // A program that a test starts need not compile again what another one did.
  process.env["NODE_COMPILE_CACHE"] ??= compileCache;
  const databaseDirectory = join(directory, "db");
  await mkdir(databaseDirectory, { mode: 0o711 });
  const cleaner = spawn("sh", ["-c", cleanUp, "clean-up", directory], {
    detached: true,
    stdio: ["pipe", "ignore", "inherit"],
  });
  project.provide("databaseDirectory", databaseDirectory);
  return async () => {
    if (usual === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = usual;
    cleaner.stdin.end();
    await once(cleaner, "exit");
  };
}
