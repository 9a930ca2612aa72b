/**
 * Gives the test run a directory for its database server (see database.ts, which starts the server
 * for the first test that asks for it), and sees to it that the server and the directory are gone
 * when the run ends, however it ends: a shell holds the other end of a pipe, and cleans up when
 * the pipe closes, be that at the end, on Ctrl-C or on `kill -9`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    databaseDirectory: string;
  }
}

const cleanUp = `
cat > /dev/null
if [ -f "$1/cluster/postmaster.pid" ]; then
  kill -QUIT "$(head -n 1 "$1/cluster/postmaster.pid")"
  while [ -f "$1/cluster/postmaster.pid" ]; do sleep 0.05; done
fi
rm -rf "$1"
`;

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-test-"));
  await chmod(directory, 0o711);
  const cleaner = spawn("sh", ["-c", cleanUp, "clean-up", directory], {
    detached: true,
    stdio: ["pipe", "ignore", "inherit"],
  });
  project.provide("databaseDirectory", directory);
  return async () => {
    cleaner.stdin.end();
    await once(cleaner, "exit");
  };
}
