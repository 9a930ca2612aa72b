import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { testDatabase } from "#test/database.ts";

const { url } = await testDatabase();
const folder = await mkdtemp(join(tmpdir(), "millrace-worker-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** As a test does that starts a worker and is killed before it can end it. */
const parent = `
  const { spawn } = require("node:child_process");
  spawn(process.execPath, process.argv.slice(1), { stdio: ["pipe", "inherit", "inherit"] });
  setInterval(() => undefined, 1000);`;

test("a worker ends when the process that started it is killed", async () => {
  const worker = join(import.meta.dirname, "worker.ts");
  const child = spawn(
    process.execPath,
    ["-e", parent, "--", "--conditions=source", worker, url, folder, "orphaned", folder],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [said] = await once(child.stdout, "data");
  expect(String(said)).toBe("working\n");
  // Its output is the worker's too: it closes when both are gone.
  const closed = once(child.stdout, "close");
  child.kill("SIGKILL");
  await closed;
});
