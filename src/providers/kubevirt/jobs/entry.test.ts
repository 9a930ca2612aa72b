/** The scripts as they run in a pod, run here: with a real shell, and a real server for the control plane. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { fetchScript, reportScript, runScript, shellWord } from "./entry.ts";

let folder = "";
const running = new Set<ChildProcess>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-entry-"));
  await mkdir(join(folder, "agent"));
  await mkdir(join(folder, "work"));
  await writeFile(join(folder, "authorization"), "Authorization: Bearer t0ken\n");
});

afterEach(async () => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
  await rm(folder, { recursive: true, force: true });
});

const at = (...names: readonly string[]) => join(folder, ...names);

function start(
  script: string,
  argv: readonly string[],
  more: Readonly<Record<string, string>> = {},
): { readonly child: ChildProcess; readonly ended: Promise<number | null> } {
  const child = spawn("/bin/sh", ["-c", script, "run", ...argv], {
    stdio: "ignore",
    env: {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      MILLRACE_AGENT: at("agent"),
      MILLRACE_WORK: at("work"),
      MILLRACE_RESULTS: at("work", "results"),
      MILLRACE_CHECKPOINT: at("work", "results", "checkpoint"),
      MILLRACE_ACCESS: at("authorization"),
      MILLRACE_END: at("end"),
      MILLRACE_LOG_BYTES_MAX: "100000",
      MILLRACE_TIME_LIMIT_SECONDS: "600",
      MILLRACE_GRACE_SECONDS: "30",
      ...more,
    },
  });
  running.add(child);
  const ended = once(child, "exit").then(([code]) => (typeof code === "number" ? code : null));
  return { child, ended };
}

const sh = (line: string) => ["/bin/sh", "-c", line];
const text = (...names: readonly string[]) => readFile(at(...names), "utf8");
const until = { timeout: 60_000, interval: 50 };

test("a program's exit code, log and environment arrive; arguments stay as they are", async () => {
  const script = 'echo "$A $NODE_RANK $1"; echo to-err >&2; exit 3';
  const { ended } = start(runScript, ["/bin/sh", "-c", script, "x", "a  'b' $(c)"], {
    A: "b",
    RANK: "2",
  });
  expect(await ended).toBe(3);
  expect(await text("agent", "log")).toBe("b 2 a  'b' $(c)\nto-err\n");
  expect(JSON.parse(await text("end"))).toEqual({ end: "exited", code: 3 });
});

test("what a signal ended is told as one; a program that is not there is 127", async () => {
  expect(await start(runScript, sh("kill -SEGV $$")).ended).toBe(139);
  expect(JSON.parse(await text("end"))).toEqual({ end: "signaled", code: 139 });
  expect(await start(runScript, ["/nowhere/program"]).ended).toBe(127);
});

test("a log over its limit is cut to the byte, and the program goes on", async () => {
  const { ended } = start(runScript, sh("head -c 5000000 /dev/zero; echo done >results/done"));
  expect(await ended).toBe(0);
  expect((await readFile(at("agent", "log"))).byteLength).toBe(100_000);
  expect(await text("work", "results", "done")).toBe("done\n");
}, 120_000);

test("at the time limit the program is ended, also one that does not want to", async () => {
  const { ended } = start(
    runScript,
    sh("trap '' TERM; while [ -e \"$MILLRACE_WORK\" ]; do sleep 0.2; done"),
    {
      MILLRACE_TIME_LIMIT_SECONDS: "1",
    },
  );
  expect(await ended).toBe(124);
  expect(JSON.parse(await text("end"))).toMatchObject({ end: "timed_out" });
}, 120_000);

test("SIGTERM runs the checkpoint beside the program, and then ends it", async () => {
  const save = sh('echo 17 >"$MILLRACE_CHECKPOINT/step"');
  const { child, ended } = start(
    runScript,
    sh('echo up; while [ -e "$MILLRACE_WORK" ]; do sleep 0.2; done'),
    {
      MILLRACE_SAVE: save.map(shellWord).join(" "),
    },
  );
  await vi.waitFor(async () => expect(await text("agent", "log")).toBe("up\n"), until);
  child.kill("SIGTERM");
  expect(await ended).toBe(143);
  expect(JSON.parse(await text("end"))).toMatchObject({ end: "interrupted" });
  expect(await text("work", "results", "checkpoint", "step")).toBe("17\n");
}, 120_000);

test("an order that is taken back while the work is saved leaves the program running", async () => {
  const save = sh('touch saving; while [ -e "$MILLRACE_WORK" ]; do sleep 0.2; done');
  const { ended } = start(
    runScript,
    sh('while [ -e "$MILLRACE_WORK" ] && [ ! -e stop ]; do sleep 0.1; done'),
    {
      MILLRACE_SAVE: save.map(shellWord).join(" "),
    },
  );
  await vi.waitFor(() => expect(existsSync(at("agent", "log"))).toBe(true), until);
  await writeFile(at("agent", "interrupt"), "600\n");
  await vi.waitFor(() => expect(existsSync(at("work", "saving"))).toBe(true), until);
  await rm(at("agent", "interrupt"));
  await writeFile(at("work", "stop"), "");
  expect(await ended).toBe(0);
  expect(JSON.parse(await text("end"))).toEqual({ end: "exited", code: 0 });
}, 120_000);

interface Plane {
  readonly url: string;
  readonly log: () => string;
  readonly results: () => Buffer;
  readonly tokens: ReadonlySet<string>;
  order: string;
}

/** As much of the control plane as the scripts speak to. */
async function withPlane(
  inputs: { readonly status: number; readonly body?: Buffer },
  run: (plane: Plane) => Promise<void>,
): Promise<void> {
  let log = Buffer.alloc(0);
  let results = Buffer.alloc(0);
  const tokens = new Set<string>();
  const server = createServer((request, response) => {
    tokens.add(request.headers.authorization ?? "");
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const url = new URL(request.url ?? "/", "http://here");
      if (url.pathname.endsWith("/inputs")) {
        response.statusCode = inputs.status;
        response.end(inputs.body);
      } else if (url.pathname.endsWith("/log")) {
        const offset = Number(url.searchParams.get("offset"));
        log = Buffer.concat([log.subarray(0, offset), body]);
        response.end(plane.order);
      } else {
        results = body;
        response.end();
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const plane: Plane = {
    url: `http://127.0.0.1:${port}/attempts/a/0`,
    log: () => log.toString("utf8"),
    results: () => results,
    tokens,
    order: "run\n",
  };
  try {
    await run(plane);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("inputs are fetched with the token and unpacked; an attempt that is over does not start", async () => {
  await mkdir(at("source"));
  await writeFile(at("source", "data.txt"), "hello");
  const pack = spawn("tar", ["-c", "-f", at("inputs.tar"), "-C", at("source"), "data.txt"]);
  await once(pack, "exit");
  const body = await readFile(at("inputs.tar"));
  await withPlane({ status: 200, body }, async ({ url, tokens }) => {
    expect(await start(fetchScript, [], { MILLRACE_URL: url }).ended).toBe(0);
    expect(await text("work", "data.txt")).toBe("hello");
    expect(existsSync(at("work", ".inputs.tar"))).toBe(false);
    expect([...tokens]).toEqual(["Bearer t0ken"]);
  });
  await withPlane({ status: 204 }, async ({ url }) => {
    expect(await start(fetchScript, [], { MILLRACE_URL: url }).ended).toBe(0);
  });
  await withPlane({ status: 410 }, async ({ url }) => {
    expect(await start(fetchScript, [], { MILLRACE_URL: url }).ended).toBe(76);
  });
}, 120_000);

test("the log is sent as it grows, orders come back, and the results follow at the end", async () => {
  await withPlane({ status: 204 }, async (plane) => {
    await mkdir(at("work", "results"));
    await writeFile(at("work", "results", "model"), "weights");
    await writeFile(at("agent", "log"), "one\n");
    const { child, ended } = start(reportScript, [], { MILLRACE_URL: plane.url });
    await vi.waitFor(() => expect(plane.log()).toBe("one\n"), until);
    plane.order = "interrupt 40\n";
    await vi.waitFor(async () => expect(await text("agent", "interrupt")).toBe("40\n"), until);
    plane.order = "run\n";
    await vi.waitFor(() => expect(existsSync(at("agent", "interrupt"))).toBe(false), until);
    await writeFile(at("agent", "log"), `one\n${"two\n".repeat(100_000)}`);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(plane.log()).toBe(await text("agent", "log"));
    expect(plane.results().toString("latin1")).toContain("weights");
  });
}, 120_000);
