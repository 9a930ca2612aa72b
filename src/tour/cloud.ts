/** The cloud to play on: one that was named, the one that runs here, or one of our own. */
import { spawn } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, readlink, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { z } from "zod";

import { defaultDataDirectory } from "#config/data-directory.ts";
import { Failure } from "#kernel/failure.ts";

import type { Stage } from "./stage.ts";

const repositoryRoot = resolve(import.meta.dirname, "../..");
const startTimeoutMs = 300_000;
const stopTimeoutMs = 30_000;
const credential = z.object({ url: z.string(), key: z.string() });

export interface Cloud {
  readonly url: string;
  /** Of the operator. */
  readonly key: string;
  close(): Promise<void>;
}

export async function findCloud(
  named: { readonly url?: string; readonly key?: string; readonly throwaway: boolean },
  stage: Stage,
  signal: AbortSignal,
): Promise<Cloud> {
  if (named.url !== undefined && named.key !== undefined) {
    return { url: named.url, key: named.key, close: () => Promise.resolve() };
  }
  const running = named.throwaway ? undefined : await runningCloud();
  if (running === undefined) {
    return stage.step("A throwaway cloud is started", () => startThrowaway({ signal }));
  }
  stage.say(`Playing on the cloud at ${running.url}.\n`);
  return { ...running, close: () => Promise.resolve() };
}

async function runningCloud(): Promise<z.output<typeof credential> | undefined> {
  const directory = await defaultDataDirectory(process.env, repositoryRoot);
  const known = await readCredential(directory);
  if (known === undefined) return undefined;
  const answer = await fetch(`${known.url}/healthz`).catch(() => undefined);
  return answer?.ok === true ? known : undefined;
}

async function readCredential(directory: string): Promise<z.output<typeof credential> | undefined> {
  try {
    const text = await readFile(join(directory, "operator.json"), "utf8");
    return credential.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export interface Throwaway {
  readonly signal: AbortSignal;
  /** Options of the program. */
  readonly flags?: readonly string[];
  /** What Node gets before them: its own options and the program; ours, if left out. */
  readonly program?: readonly string[];
}

/** A cloud of its own, as a process of its own, removed with its data by `close`. */
export async function startThrowaway({
  signal,
  flags = [],
  program = ourProgram(),
}: Throwaway): Promise<Cloud & { readonly pid: number }> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "millrace-tour-")));
  // Machines run under accounts of their own, which must be able to pass through.
  await chmod(directory, 0o711);
  // Images are built once for all clouds of this clone.
  const cache = join(await defaultDataDirectory(process.env, repositoryRoot), "images");
  const child = spawn(
    process.execPath,
    [
      ...program,
      "--data-directory",
      join(directory, "data"),
      "--image-cache",
      cache,
      "--port",
      "0",
      ...flags,
    ],
    { stdio: ["ignore", "ignore", "pipe"], cwd: repositoryRoot },
  );
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log = `${log}${chunk.toString()}`.slice(-logCharactersMax);
  });
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  const close = async (): Promise<void> => {
    if (child.exitCode === null) child.kill("SIGTERM");
    await Promise.race([ended, wait(stopTimeoutMs, undefined, { ref: false })]);
    if (child.exitCode === null) child.kill("SIGKILL");
    await endAllIn(directory);
    await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  };
  try {
    const alive = (): boolean => child.exitCode === null;
    const found = await untilReady(join(directory, "data"), alive, signal);
    return { ...found, pid: child.pid ?? 0, close };
  } catch (error) {
    await close();
    throw error instanceof Failure && !signal.aborted
      ? new Failure("unavailable", `${error.message}\n${log}`, { cause: error })
      : error;
  }
}

/** Machines go on when their cloud stops; this one's directory goes, and they with it. */
async function endAllIn(directory: string): Promise<void> {
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const at = await readlink(`/proc/${entry}/cwd`).catch(() => "");
    if (!at.startsWith(`${directory}/`)) continue;
    try {
      process.kill(Number(entry), "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
}

/** Compiled or not, as this one is. */
function ourProgram(): readonly string[] {
  const entry = import.meta.filename.endsWith(".ts") ? "src/main.ts" : "dist/main.js";
  return [...process.execArgv, join(repositoryRoot, entry)];
}

const logCharactersMax = 4_000;
const lookMs = 200;

async function untilReady(
  directory: string,
  alive: () => boolean,
  signal: AbortSignal,
): Promise<z.output<typeof credential>> {
  const until = performance.now() + startTimeoutMs;
  while (performance.now() < until && alive()) {
    signal.throwIfAborted();
    const known = await readCredential(directory);
    if (known !== undefined && (await isReady(known)) && (await imageReady(known))) return known;
    await wait(lookMs);
  }
  throw new Failure("unavailable", "The throwaway cloud did not start.");
}

async function isReady({ url }: z.output<typeof credential>): Promise<boolean> {
  const answer = await fetch(`${url}/readyz`).catch(() => undefined);
  return answer?.ok === true;
}

const imageList = z.object({ items: z.array(z.object({ name: z.string(), state: z.string() })) });

async function imageReady({ url, key }: z.output<typeof credential>): Promise<boolean> {
  const answer = await fetch(`${url}/v1/images`, {
    headers: { authorization: `Bearer ${key}` },
  }).catch(() => undefined);
  if (answer?.ok !== true) return false;
  const { items } = imageList.parse(await answer.json());
  return items.some(({ name, state }) => name === "tiny" && state === "ready");
}
