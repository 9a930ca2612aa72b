/** The program with the files that the image has of a clone, and no others: it runs, and so does its CLI. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

import { testDatabase } from "#test/database.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const app = mkdtempSync(join(tmpdir(), "millrace-image-"));
const data = join(app, "data");
const { execPath: node } = process;

beforeAll(async () => {
  // As deploy/container/Containerfile copies them.
  for (const folder of ["db", "bin"])
    cpSync(join(root, folder), join(app, folder), { recursive: true });
  copyFileSync(join(root, "package.json"), join(app, "package.json"));
  symlinkSync(join(root, "node_modules"), join(app, "node_modules"));
  // Compiles where the sources are newer than what is there.
  await run(node, [join(root, "bin/setup.mjs"), "build"], { cwd: root });
  cpSync(join(root, "dist"), join(app, "dist"), { recursive: true });
});

afterAll(() => rmSync(app, { recursive: true, force: true }));

test("the program starts, says what can be typed there, and its CLI reads it", async () => {
  expect(existsSync(join(app, "src"))).toBe(false);
  const { url: database } = await testDatabase();
  const child = spawn(
    node,
    [
      join(app, "dist/main.js"),
      `--data-directory=${data}`,
      "--port=0",
      "--local=off",
      "--simulate-gpus=T4=1",
      "--log-level=warn",
    ],
    {
      cwd: "/",
      env: { ...process.env, DATABASE_URL: database },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const ended = once(child, "close");
  await expect.poll(() => said, { timeout: 60_000 }).toContain("sign-in#code=");
  expect(said).toContain("  millrace login --local");
  expect(said).not.toMatch(/npm run|\.\/millrace/);
  const [, url = ""] = /URL +(\S+)/.exec(said) ?? [];
  const [key = ""] = /mrk_\S+/.exec(said) ?? [];
  const cli = async (...given: string[]): Promise<string> => {
    const environment = { ...process.env, MILLRACE_URL: url, MILLRACE_KEY: key };
    const asked = run(join(app, "bin/millrace"), given, { cwd: "/", env: environment });
    // Of what it finds missing on this machine, its status tells; that it could look is asked here.
    const { stdout, stderr } = await asked.catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    return stdout + stderr;
  };
  expect(await cli("offers")).toContain("simulated");
  const doctor = await cli("doctor");
  expect(doctor).toContain("Disk space");
  expect(doctor).not.toContain("something in this program is wrong");
  child.kill("SIGTERM");
  await ended;
});
