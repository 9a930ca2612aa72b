/**
 * Running the programs that build images: always with an abort signal, never through a shell, and
 * with a failure that shows the last lines of what the program said.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { execFile } from "node:child_process";

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

/** Standard output, as text. Throws `unavailable` if it cannot run or ends with an error. */
export function runProgram(
  file: string,
  parameters: readonly string[],
  options: ProgramOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const { pid } = execFile(
      file,
      [...parameters],
      {
        signal: options.signal,
        maxBuffer: outputBytesMax,
        env: { ...process.env, LC_ALL: "C.UTF-8", ...options.environment },
        ...(options.directory === undefined ? {} : { cwd: options.directory }),
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(options.signal.aborted ? options.signal.reason : failed(file, error, stderr));
      },
    );
    // It may have ended already.
    if (pid !== undefined && background.getStore() === true) toBackground(pid).catch(() => {});
  });
}

function failed(file: string, cause: Error, said: string): ProviderError {
  const missing = "code" in cause && cause.code === "ENOENT";
  const message = missing
    ? notInstalled(file)
    : `${file} failed: ${said.trim().split("\n").slice(-4).join(" ").slice(-800)}`;
  return new ProviderError("unavailable", message, { effect: "none", cause });
}

function notInstalled(program: string): string {
  const found = hostPackages().find(({ command }) => command === program);
  const what = `The program ${program} is not installed on this host`;
  return found === undefined ? `${what}.` : `${what}: ${installLine([found.name])}`;
}
