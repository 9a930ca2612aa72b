/** Starting the program itself, well and badly: clear messages, and nothing half done. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";

import { findPostmaster, stopPostmaster } from "#db/embedded-postmaster.ts";

vi.setConfig({ testTimeout: 120_000 });

const root = resolve(import.meta.dirname, "../..");
const scratch = await mkdtemp(join(tmpdir(), "millrace-start-"));
await chmod(scratch, 0o711);
const programs: Program[] = [];
afterAll(async () => {
  for (const program of programs) {
    program.child.kill("SIGKILL");
    const server = await findPostmaster(program.cluster);
    if (server !== undefined) await stopPostmaster(server.pid, program.cluster, "immediate");
  }
  await rm(scratch, { recursive: true, force: true });
});

interface Program {
  readonly child: ChildProcess;
  readonly cluster: string;
  /** What it wrote so far. */
  said(): string;
  readonly ended: Promise<number | null>;
}

function launch(name: string, options: { readonly port?: number } = {}): Program {
  const data = join(scratch, name);
  const child = spawn(
    process.execPath,
    [
      "--conditions=source",
      join(root, "src/main.ts"),
      `--data-directory=${data}`,
      `--port=${options.port ?? 0}`,
      "--local=off",
      "--simulate-gpus=T4=1",
      "--log-level=warn",
    ],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"] },
  );
  let text = "";
  const listen = (chunk: Buffer): void => {
    text += chunk.toString();
  };
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
  const ended = once(child, "close").then(() => child.exitCode);
  const program = { child, cluster: join(data, "postgres/cluster"), said: () => text, ended };
  programs.push(program);
  return program;
}

/** Its address, once it says it. */
async function ready(program: Program): Promise<string> {
  const address = /http:\/\/127\.0\.0\.1:\d+/;
  await expect
    .poll(() => program.said() + (program.child.exitCode === null ? "" : " (it ended)"), {
      timeout: 60_000,
    })
    .toMatch(/http:\/\/127\.0\.0\.1:\d+|\(it ended\)/);
  expect(program.said()).toMatch(address);
  return address.exec(program.said())?.[0] ?? "";
}

async function isServing(url: string): Promise<boolean> {
  return fetch(`${url}/openapi.json`).then(
    (answer) => answer.ok,
    () => false,
  );
}

test("a second start on the same data directory ends with the number of the first", async () => {
  const first = launch("second");
  const url = await ready(first);
  const second = launch("second");
  expect(await second.ended).toBe(73);
  expect(second.said()).toContain(`process ${first.child.pid}`);
  expect(second.said()).not.toMatch(/^\s+at /m);
  expect(await isServing(url)).toBe(true);
  first.child.kill("SIGTERM");
  expect(await first.ended).toBe(0);
  expect(await findPostmaster(first.cluster)).toBeUndefined();
});

test("a busy port is named, and nothing is left running", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const program = launch("busy", { port });
  expect(await program.ended).toBeGreaterThan(0);
  const who = `127.0.0.1:${port} is in use by process ${process.pid} (`;
  expect(program.said()).toContain(who);
  expect(program.said()).toContain(`--port, or stop that one (kill ${process.pid})`);
  expect(program.said()).not.toMatch(/^\s+at /m);
  expect(await findPostmaster(program.cluster)).toBeUndefined();
  // Found before anything was made.
  expect(existsSync(program.cluster)).toBe(false);
  other.close();
});

test("a start ends with a link that signs a browser in as the operator, once", async () => {
  const program = launch("link");
  const url = await ready(program);
  const shown = /(http:\/\/127\.0\.0\.1:\d+)\/sign-in#code=(\S+)\s*$/;
  await expect.poll(() => program.said()).toMatch(shown);
  const [, at, code] = shown.exec(program.said()) ?? [];
  expect(at).toBe(url);
  const signIn = (): Promise<Response> =>
    fetch(`${url}/v1/sessions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ code }),
    });
  const answer = await signIn();
  expect(answer.status).toBe(201);
  const cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
  const who = await fetch(`${url}/v1/whoami`, { headers: { cookie } });
  expect(await who.json()).toMatchObject({ user: { role: "root" }, tenant: { kind: "operator" } });
  expect((await signIn()).status).toBe(401);
  program.child.kill("SIGTERM");
  expect(await program.ended).toBe(0);
});

test("SIGTERM during the start ends it cleanly, and no key of the operator is lost", async () => {
  const stopped = launch("stopped");
  await expect.poll(() => stopped.said(), { timeout: 30_000, interval: 5 }).toContain("database");
  stopped.child.kill("SIGTERM");
  expect(await stopped.ended).toBe(0);
  expect(stopped.said()).toContain("Stopped before it was up");
  expect(stopped.said()).not.toMatch(/^\s+at /m);
  expect(await findPostmaster(stopped.cluster)).toBeUndefined();
  const next = launch("stopped");
  const url = await ready(next);
  const key = /mrk_\S+/.exec(next.said())?.[0];
  const kept: unknown = JSON.parse(await readFile(join(scratch, "stopped/operator.json"), "utf8"));
  expect(kept).toEqual({ url, key });
  next.child.kill("SIGTERM");
  expect(await next.ended).toBe(0);
});

describe("after kill -9", () => {
  test("the next start takes the running database over, and stops it in the end", async () => {
    const killed = launch("killed");
    await ready(killed);
    killed.child.kill("SIGKILL");
    await killed.ended;
    const server = await findPostmaster(killed.cluster);
    expect(server?.state).toBe("ready");
    const next = launch("killed");
    expect(await isServing(await ready(next))).toBe(true);
    expect((await findPostmaster(next.cluster))?.pid).toBe(server?.pid);
    next.child.kill("SIGTERM");
    expect(await next.ended).toBe(0);
    expect(await findPostmaster(next.cluster)).toBeUndefined();
  });

  test("killed while the database is being made, the next start makes it whole", async () => {
    const killed = launch("young");
    await expect
      .poll(() => readFile(join(`${killed.cluster}.new`, "PG_VERSION"), "utf8").catch(() => ""), {
        interval: 2,
        timeout: 20_000,
      })
      .not.toBe("");
    killed.child.kill("SIGKILL");
    await killed.ended;
    const next = launch("young");
    expect(await isServing(await ready(next))).toBe(true);
    next.child.kill("SIGTERM");
    expect(await next.ended).toBe(0);
  });
});

test("a damaged database page stops the start, with the file and what to do", async () => {
  const first = launch("damaged");
  await ready(first);
  first.child.kill("SIGTERM");
  await first.ended;
  // pg_class of the first database: any page of any table would do.
  const path = join(first.cluster, "base/1/1259");
  const file = await open(path, "r+");
  await file.write(Buffer.alloc(64, 0x5a), 0, 64, 8_192 + 1_000);
  await file.close();
  const second = launch("damaged");
  expect(await second.ended).toBe(70);
  expect(second.said()).toContain("base/1/1259");
  expect(second.said()).toContain("millrace restore");
  expect(await findPostmaster(second.cluster)).toBeUndefined();
});

test("missing QEMU: whoever is not root gets the one line to run, and status 69", ({ skip }) => {
  const isRoot = process.getuid?.() === 0;
  const ids = isRoot ? { uid: 65_534, gid: 65_534 } : {};
  const bare = { ...ids, env: { PATH: "/nowhere" }, cwd: root, encoding: "utf8" } as const;
  const program = join(root, "bin/setup.mjs");
  if (spawnSync(process.execPath, ["--check", program], bare).status !== 0) {
    skip("the clone is closed to other accounts");
  }
  const found = spawnSync(process.execPath, [program, "host-packages"], bare);
  expect(found.status).toBe(69);
  expect(found.stderr).toMatch(
    /^ {2}sudo apt-get update && sudo apt-get install .*qemu-system-x86/m,
  );
  expect(found.stderr).not.toMatch(/^\s+at /m);
});
