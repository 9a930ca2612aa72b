/**
 * Running the programs that build images: always with an abort signal, never through a shell, and
 * with a failure that shows the last lines of what the program said.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { spawn } from "node:child_process";
import type { Readable } from "node:stream";

import { toBackground } from "#providers/local/limits.ts";
import { ProviderError } from "#providers/provider.ts";

import { hostPackages, installLine } from "./host-packages.ts";

export interface ProgramOptions {
  readonly signal: AbortSignal;
  readonly directory?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const background = new AsyncLocalStorage<boolean>();

/** All programs that the work starts leave the CPUs to whoever else wants them. */
export function inBackground<T>(work: () => Promise<T>): Promise<T> {
  return background.run(true, work);
}

const outputBytesMax = 64 * 1024 * 1024;

/**
 * Standard output, as text. Throws `unavailable` if it cannot run or ends with an error. The program
 * leads a process group of its own: mmdebstrap hangs up on its whole group when a build fails, and
 * that would be us; and so all that it has started ends with the signal.
 */
export function runProgram(
  file: string,
  parameters: readonly string[],
  options: ProgramOptions,
): Promise<string> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = spawn(file, [...parameters], {
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C.UTF-8", ...options.environment },
      ...(options.directory === undefined ? {} : { cwd: options.directory }),
    });
    const { pid } = child;
    const end = (): void => endGroup(pid);
    const output = collect(child.stdout, end);
    const said = collect(child.stderr, end);
    let cause: Error | undefined;
    child.once("error", (error) => {
      cause = error;
    });
    signal.addEventListener("abort", end, { once: true });
    child.once("close", (code, killedBy) => {
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(signal.reason);
      else if (code === 0) resolve(output());
      else {
        // Whole, because a cause such as a full disk is known by what was said.
        cause ??= new Error(`${file} ended with ${code ?? killedBy}: ${said()}`);
        reject(failed(file, cause, said()));
      }
    });
    // It may have ended already.
    if (pid !== undefined && background.getStore() === true) toBackground(pid).catch(() => {});
  });
}

function endGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGTERM");
  } catch {
    // All of it has ended.
  }
}

/** Whoever says too much is ended. */
function collect(stream: Readable, end: () => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > outputBytesMax) end();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString();
}

function failed(file: string, cause: Error, said: string): ProviderError {
  const missing = "code" in cause && cause.code === "ENOENT";
  const last = said.trim().split("\n").slice(-4).join(" ").slice(-800);
  const message = missing ? notInstalled(file) : `${file} failed: ${last}`;
  return new ProviderError("unavailable", message, { effect: "none", cause });
}

function notInstalled(program: string): string {
  const found = hostPackages().find(({ command }) => command === program);
  const what = `The program ${program} is not installed on this host`;
  return found === undefined ? `${what}.` : `${what}: ${installLine([found.name])}`;
}
