/**
 * A cloud that can be killed and started again at the same address, on the test run's own database,
 * which the test may look into and change.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { vi } from "vitest";
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { testDatabase } from "#test/database.ts";

import { buildConsole, withCustomers, type ConsoleCloud } from "./console-cloud.ts";

const root = resolve(import.meta.dirname, "../..");
const startMs = 300_000;
const credential = z.object({ url: z.string(), key: z.string() });

export interface MortalCloud extends ConsoleCloud {
  readonly db: Db;
  /** `kill -9`. */
  readonly kill: () => Promise<void>;
  /** Again, at the address that it had; there when it answers. */
  readonly start: () => Promise<void>;
}

/** At the top level of a test file: the database goes when the file ends. */
export async function startMortalCloud(flags: readonly string[]): Promise<MortalCloud> {
  await buildConsole();
  const { db, url: databaseUrl } = await testDatabase();
  const directory = await mkdtemp(join(tmpdir(), "millrace-mortal-"));
  let child: ChildProcess | undefined;
  const start = async (port: string): Promise<z.output<typeof credential>> => {
    const options = ["--data-directory", directory, "--database-url", databaseUrl, "--port", port];
    child = spawn(
      process.execPath,
      ["--conditions=source", resolve(root, "src/main.ts"), "--local", "off", ...options, ...flags],
      { cwd: root, stdio: "ignore" },
    );
    return vi.waitFor(
      async () => {
        const found = credential.parse(
          JSON.parse(await readFile(join(directory, "operator.json"), "utf8")),
        );
        const { ok } = await fetch(`${found.url}/readyz`);
        if (!ok) throw new Error("The cloud is not ready yet.");
        return found;
      },
      { timeout: startMs, interval: 200 },
    );
  };
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  const known = await start("0");
  return {
    ...withCustomers({
      ...known,
      close: async () => {
        await kill();
        await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
      },
    }),
    db,
    kill,
    start: async () => {
      await start(new URL(known.url).port);
    },
  };
}
